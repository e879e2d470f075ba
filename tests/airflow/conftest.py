"""An Airflow of the tests' own: a home in a temporary folder, set before the first import."""

from __future__ import annotations

# The first of all: whatever comes next imports Airflow.
import tests.airflow.home  # noqa: F401
from tests.airflow.fixtures import (
    airflow_store,
    make_dag,
    people,
    running_simulator,
    server,
    simulator,
    templates,
)

__all__ = [
    "airflow_store",
    "make_dag",
    "people",
    "running_simulator",
    "server",
    "simulator",
    "templates",
]
