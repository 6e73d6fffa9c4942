"""Daybreak's domain: everything a retraining loop does, importable and testable without Airflow.

One module per arrow of the flow (snapshot, contract, features, models, verdict, lists, monitor), `pipeline.py` that
strings them together, `adapters/` that talk to vendors. Nothing here imports Airflow.
"""
