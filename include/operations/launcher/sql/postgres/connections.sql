-- Connections as Airflow keeps them in its own database; the password and the options are encrypted.
select conn_id, host, port, login, schema
from connection
where conn_id = any(%s)
