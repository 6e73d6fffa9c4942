"""The pages on the state of the product inside Airflow: facts, the words about them, and their templates."""
