"""Bring the whole product up and down on one machine: `up`, `down`, `look` and `first_cycle` are what the CLI calls.

Three kinds of processes share a state folder. The *supervisor* keeps the services running and holds the folder's lock.
The *guardian* does nothing but bring the supervisor back when it is killed; the supervisor does the same for the
guardian. The *services* are PostgreSQL, the mailbox, MLflow and Airflow's four processes; each leads a session of its
own, so none of them dies with the supervisor, and the next one adopts them.
"""
