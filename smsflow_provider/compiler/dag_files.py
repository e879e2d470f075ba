"""Ordinary DAG files under the same safety check as workflows: they are loaded as Airflow does."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from smsflow_provider.compiler.inspect import graph_of_dag
from smsflow_provider.core.workflow.graph import check_graph
from smsflow_provider.core.workflow.problem import Problem

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


def dag_file_problems(path: Path) -> list[Problem]:
    """
    Load the DAG file at *path* and name what is wrong with it.

    Runs the file, as Airflow would. A file that cannot be loaded is a problem; so is every
    way in which a send of one of its DAGs could start without its approval. A file without a
    DAG has no problems.
    """
    with _importable(path.resolve().parent):
        bag = DagBag(str(path), safe_mode=False, load_op_links=False)
    broken = [_broken(path, told) for told in bag.import_errors.values()]
    return [*broken, *(each for dag in bag.dags.values() for each in _unsafe(path, dag))]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let files of *folder* import each other, as they do in Airflow's DAG folder."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _unsafe(path: Path, dag: DAG) -> Iterator[Problem]:
    for problem in check_graph(graph_of_dag(dag)):
        yield Problem(
            file=str(path),
            field=f"{dag.dag_id}.{problem.field}",
            text=problem.text,
            hint=problem.hint,
        )


def _broken(path: Path, told: str) -> Problem:
    """Keep of a traceback the line in *path* and the error's own sentence."""
    lines = [int(line) for file, line in _FRAME.findall(told) if file == str(path)]
    sentence = next((line.strip() for line in reversed(told.splitlines()) if line.strip()), "")
    return Problem(
        file=str(path), line=lines[-1] if lines else None, text=f"cannot be loaded: {sentence}"
    )
