"""Airflow connections translated into the core's stores, gateways and sources."""
