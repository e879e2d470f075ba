"""From a workflow as data to an Airflow DAG."""
