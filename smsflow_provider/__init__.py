"""SMS campaigns from Apache Airflow: prepare, review, send once to each, see what happened."""
