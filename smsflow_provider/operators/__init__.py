"""Airflow operators: each translates into one core call and holds no rules."""
