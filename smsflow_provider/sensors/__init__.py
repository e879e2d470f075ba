"""The manual approval, as an Airflow sensor."""
