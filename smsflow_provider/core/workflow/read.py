"""A YAML file becomes a workflow, or a list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from smsflow_provider.core.document.judge import judge, text_of
from smsflow_provider.core.document.tree import Path, Tree, dotted, read_tree
from smsflow_provider.core.workflow.outline import raw_outlines, reference_problems
from smsflow_provider.core.workflow.plan import problems as plan_problems
from smsflow_provider.core.workflow.problem import Problem, error_of, in_file
from smsflow_provider.core.workflow.spec import Workflow

__all__ = ["Reading", "id_in", "parse_workflow", "read_file", "read_workflow", "text_of", "twins"]

_START = "start with id: <team>.<campaign>, then activities:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading one file."""

    #: None: it has problems.
    workflow: Workflow | None
    #: In the order of the file. Empty: the workflow can be compiled.
    problems: tuple[Problem, ...]
    #: Line of each field, by its path with dots.
    lines: Mapping[str, int] = field(default_factory=dict)


def read_workflow(path: FilePath) -> Workflow:
    """
    Read one workflow from the file at *path*.

    Raises:
        WorkflowError: ``facts["problems"]`` lists all, each with file, line, field and near name.
    """
    reading = read_file(path)
    if reading.workflow is None:
        raise error_of(reading.problems, what=str(path))
    return reading.workflow


def read_file(path: FilePath) -> Reading:
    """Read the file at *path*; a file that cannot be read is a problem too, never an error."""
    text = text_of(path)
    if isinstance(text, Problem):
        return Reading(workflow=None, problems=(text,))
    return parse_workflow(text, file=str(path))


def parse_workflow(text: str, *, file: str = "") -> Reading:
    r"""
    Read one workflow from YAML *text*.

    Fields and references are judged together, so that one reading tells all problems.

    Args:
        text: The document.
        file: Its name, as the user knows it.

    Returns:
        The workflow, or its problems.

    Example:
        >>> reading = parse_workflow("id: a.b\nactivitys: {}\n", file="a.yaml")
        >>> for problem in reading.problems:
        ...     print(problem)
        a.yaml:1: activities: is missing
        a.yaml:2: activitys: unknown field 'activitys' (did you mean 'activities'?)
    """
    tree = read_tree(text)
    workflow, found = _judge(tree)
    found = sorted([*tree.problems, *found], key=lambda each: (each.line or 0, each.field))
    return Reading(
        workflow=None if found else workflow,
        problems=tuple(in_file(found, file)),
        lines={dotted(path): line for path, line in tree.lines.items()},
    )


def id_in(text: str) -> str | None:
    """Say which workflow *text* holds, whatever else is wrong with it. None: nobody can tell."""
    data = read_tree(text).data
    found = data.get("id") if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else None


def twins(readings: Iterable[tuple[FilePath, Reading]]) -> list[Problem]:
    """Name the workflows whose id an earlier file has already."""
    first: dict[str, FilePath] = {}
    found = []
    for path, reading in readings:
        if reading.workflow is None:
            continue
        other = first.setdefault(reading.workflow.id, path)
        if other != path:
            found.append(
                Problem(
                    file=str(path),
                    line=reading.lines.get("id"),
                    field="id",
                    text=f"{reading.workflow.id!r} is the id of {other} too",
                    hint="choose another id",
                )
            )
    return found


def _judge(tree: Tree) -> tuple[Workflow | None, list[Problem]]:
    """Check fields and references; the lines come from *tree*."""
    if not isinstance(tree.data, dict):
        shape = Problem(text="must hold one workflow", hint=_START, line=1)
        return None, [] if tree.problems else [shape]
    workflow, fields = judge(tree, Workflow)
    if workflow is None:
        references = reference_problems(raw_outlines(tree.data))
        return None, [*fields, *_placed(references, tree)]
    return workflow, _placed(plan_problems(workflow), tree)


def _placed(found: list[Problem], tree: Tree) -> list[Problem]:
    paths = {dotted(path): path for path in tree.lines}
    return [replace(each, line=tree.line_of(_longest(each.field, paths))) for each in found]


def _longest(name: str, paths: Mapping[str, Path]) -> Path:
    """Find the field *name*, or the nearest thing around it, among *paths*."""
    while name not in paths and "." in name:
        name = name.rpartition(".")[0]
    return paths.get(name, ())
