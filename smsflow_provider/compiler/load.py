"""All workflows of a folder, as DAGs, for the one small file that hands them to Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from smsflow_provider.compiler.compile import compile_workflow
from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.problem import Problem, error_of
from smsflow_provider.core.workflow.read import Reading, id_in, read_file, text_of, twins
from smsflow_provider.core.workflow.spec import Workflow

#: What the names of workflow files end with.
SUFFIXES = (".yaml", ".yml")


def load_workflows(folder_or_file: str | Path, *, only: str | None = None) -> dict[str, DAG]:
    """
    Compile every workflow file of a folder, with the folders below it, or one file.

    A worker that runs a task parses the DAG file again, and says which DAG it wants; then only
    that workflow is compiled, so that a broken neighbour does not hurt a running task.

    Args:
        folder_or_file: Where the YAML files are. Hidden files and folders are left out.
        only: Id of the one workflow to compile. None: the one Airflow asks for, else all.

    Returns:
        DAG by id. Empty: the folder holds no workflow, or none of that id.

    Raises:
        WorkflowError: ``facts["problems"]`` lists every problem of every file.
    """
    root = Path(folder_or_file)
    wanted = only or get_parsing_context().dag_id
    if not root.exists():
        raise error_of([Problem(file=str(root), text="no such file or folder")], what=str(root))
    files = list(workflow_files(root))
    if wanted is not None:
        files = [path for path in files if _may_hold(path, wanted)]
    return _compiled([(path, read_file(path)) for path in files], what=str(root))


def workflow_files(root: Path) -> Iterator[Path]:
    """List the workflow files of *root*, by name; a file stands for itself."""
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        hidden = any(part.startswith(".") for part in parts)
        if path.suffix in SUFFIXES and path.is_file() and not hidden:
            yield path


def _may_hold(path: Path, wanted: str) -> bool:
    """Whether *path* holds the workflow *wanted*; files without the word are not even parsed."""
    text = text_of(path)
    return isinstance(text, str) and wanted in text and id_in(text) == wanted


def _compiled(readings: list[tuple[Path, Reading]], *, what: str) -> dict[str, DAG]:
    problems = [problem for _, reading in readings for problem in reading.problems]
    problems += twins(readings)
    if problems:
        raise error_of(problems, what=what)
    return {
        reading.workflow.id: _compile(reading.workflow, path)
        for path, reading in readings
        if reading.workflow is not None
    }


def _compile(workflow: Workflow, path: Path) -> DAG:
    try:
        return compile_workflow(workflow)
    except WorkflowError as error:
        raise WorkflowError(error.problem, file=str(path), **error.facts) from error
