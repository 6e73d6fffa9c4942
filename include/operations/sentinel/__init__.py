"""A process outside Airflow that says when Airflow is dead or silent: once a minute it looks for signs of life."""
