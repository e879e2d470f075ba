"""From a workflow as data to an Airflow DAG."""

from __future__ import annotations

from smsflow_provider.compiler.compile import compile_workflow
from smsflow_provider.compiler.load import load_workflows

__all__ = ["compile_workflow", "load_workflows"]
