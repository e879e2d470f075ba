"""A whole campaign on one machine: PostgreSQL, Airflow, a simulated gateway and 2,000 customers."""

from smsflow_provider.cli.demo.command import add_arguments, run

__all__ = ["add_arguments", "run"]
