"""Start and stop the whole product on one machine. The CLI calls `up`, `down`, `look` and `first_cycle`.

Three kinds of processes share a state folder. The *supervisor* keeps the services running and holds the folder's lock.
The *guardian* only restarts the supervisor when it is killed; the supervisor does the same for the guardian. The
*services* are PostgreSQL, the mailbox, MLflow, Airflow's four processes and the sentinel. Each has its own session, so
it survives the supervisor, and the next supervisor adopts it.
"""
