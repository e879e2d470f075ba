"""What has to be done now and then, every ten minutes: late receipts, doubts, retention."""

from __future__ import annotations

# Airflow looks for DAGs in files that hold the words "airflow" and "DAG".
from smsflow_provider import maintenance_dag

maintenance = maintenance_dag()
