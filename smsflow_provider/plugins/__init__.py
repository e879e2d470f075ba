"""What smsflow adds to Airflow's API server: REST routes, pages, the receiver."""
