"""The plugin in a real API server, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

# The first of all: whatever comes next imports Airflow.
import tests.airflow.home  # noqa: F401
from tests.airflow.fixtures import (
    LEFT_STREAMS,
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Starlette's middlewares, which Airflow stacks, leave streams to the collector."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(LEFT_STREAMS))
