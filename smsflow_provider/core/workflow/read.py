"""A YAML file becomes a workflow, or a list of everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from smsflow_provider.core.workflow.outline import raw_outlines, reference_problems
from smsflow_provider.core.workflow.parameter import Parameter
from smsflow_provider.core.workflow.plan import problems as plan_problems
from smsflow_provider.core.workflow.problem import (
    Problem,
    error_of,
    in_file,
    near_or_all,
)
from smsflow_provider.core.workflow.schedule import Schedule
from smsflow_provider.core.workflow.spec import KINDS, Workflow
from smsflow_provider.core.workflow.tree import Path, Tree, dotted, read_tree

#: A workflow is a page or two; a larger file is something else.
MOST_BYTES = 1_000_000

_START = "start with id: <team>.<campaign>, then activities:"
_FOUND = {"str": "a text", "dict": "a mapping", "list": "a list", "NoneType": "nothing"}


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


def text_of(path: FilePath) -> str | Problem:
    """Read the text of a file, or say why not."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return Problem(file=str(path), text=(error.strerror or "cannot be read").lower())
    if len(raw) > MOST_BYTES:
        return Problem(file=str(path), text="is too large for a workflow", hint="at most 1 MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(file=str(path), line=line, text="is not UTF-8", hint="save it as UTF-8")


def _judge(tree: Tree) -> tuple[Workflow | None, list[Problem]]:
    """Check fields and references; the lines come from *tree*."""
    if not isinstance(tree.data, dict):
        shape = Problem(text="must hold one workflow", hint=_START, line=1)
        return None, [] if tree.problems else [shape]
    try:
        workflow = Workflow.model_validate(tree.data)
    except ValidationError as error:
        fields = [_field_problem(each, tree) for each in error.errors(include_url=False)]
        references = reference_problems(raw_outlines(tree.data))
        return None, [*_known_once(fields, tree), *_placed(references, tree)]
    return workflow, _placed(plan_problems(workflow), tree)


def _known_once(found: list[Problem], tree: Tree) -> list[Problem]:
    """Drop what follows from a value the tree left out: it has told its problem already."""
    told = {each.field for each in tree.problems} - {""}
    return [each for each in found if each.field not in told]


def _placed(found: list[Problem], tree: Tree) -> list[Problem]:
    paths = {dotted(path): path for path in tree.lines}
    return [replace(each, line=tree.line_of(_longest(each.field, paths))) for each in found]


def _longest(name: str, paths: Mapping[str, Path]) -> Path:
    """Find the field *name*, or the nearest thing around it, among *paths*."""
    while name not in paths and "." in name:
        name = name.rpartition(".")[0]
    return paths.get(name, ())


def _field_problem(error: ErrorDetails, tree: Tree) -> Problem:
    path = _path_of(error["loc"])
    text, hint = _said(error, path, tree.data)
    return Problem(field=dotted(path), text=text, hint=hint, line=tree.line_of(path))


def _path_of(loc: Path) -> Path:
    """Turn pydantic's location into ours: no kind of a union, no mark of a key."""
    path = tuple(part for part in loc if part != "[key]")
    if len(path) > 2 and path[0] == "activities" and path[2] in KINDS:
        path = (*path[:2], *path[3:])
    return path


def _said(error: ErrorDetails, path: Path, data: object) -> tuple[str, str]:
    """Say *error* in our words, with what to do about it."""
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "smsflow":
            said = context["text"], context["hint"]
        case "missing":
            said = "is missing", ""
        case "extra_forbidden":
            said = f"unknown field {path[-1]!r}", near_or_all(path[-1], _known(path[:-1], data))
        case "union_tag_not_found":
            said = "has no kind", near_or_all("", KINDS)
        case "union_tag_invalid":
            said = f"unknown kind {context['tag']!r}", near_or_all(context["tag"], KINDS)
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            said = f"{error['input']!r} is not a choice", near_or_all(error["input"], choices)
        case _:
            said = _plain(error)
    return said


def _plain(error: ErrorDetails) -> tuple[str, str]:
    if error["type"] in {"string_pattern_mismatch", "string_too_short", "too_short"}:
        return "must not be empty", ""
    kind = type(error["input"]).__name__
    found = _FOUND.get(kind, f"a value of type {kind}")
    said = error["msg"].removeprefix("Input ")
    quotes = error["type"] == "string_type" and kind not in _FOUND
    return f"{said[:1].lower()}{said[1:]}, found {found}", "put it in quotes" if quotes else ""


def _known(path: Path, data: object) -> list[str]:
    """Name the fields that may stand at *path*."""
    model = _model_at(path, data)
    if model is None:
        return []
    return [each.alias or name for name, each in model.model_fields.items()]


def _model_at(path: Path, data: object) -> type[BaseModel] | None:
    if not path:
        return Workflow
    if path == ("schedule",):
        return Schedule
    if len(path) != 2:
        return None
    return Parameter if path[0] == "params" else KINDS.get(_kind_at(path, data))


def _kind_at(path: Path, data: object) -> str:
    """Read the kind of the activity at *path* from what the file holds."""
    for part in (*path, "kind"):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else ""
