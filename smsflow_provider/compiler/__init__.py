"""From a workflow as data to an Airflow DAG; and the DAG that keeps the store in order."""

from __future__ import annotations

from smsflow_provider.compiler.compile import compile_workflow
from smsflow_provider.compiler.load import load_workflows
from smsflow_provider.compiler.maintenance import maintenance_dag

__all__ = ["compile_workflow", "load_workflows", "maintenance_dag"]
