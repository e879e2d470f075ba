"""A whole campaign on one machine: PostgreSQL, Airflow, a simulated gateway and 2,000 customers."""
