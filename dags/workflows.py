"""Every workflow of the folder ``workflows``, as a DAG. Nothing to change here for a new one."""

from __future__ import annotations

from pathlib import Path

# Airflow looks for DAGs in files that hold the words "airflow" and "DAG".
from smsflow_provider import load_workflows

globals().update(load_workflows(Path(__file__).parent / "workflows"))
