"""Which of the possible sources a build_audience task was given: exactly one, or all problems."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.audience.saved_name import name_problem
from smsflow_provider.core.audience.source import OnEmpty
from smsflow_provider.core.errors import AudienceError


class SourceKind(StrEnum):
    """The setting that says where the people come from."""

    AUDIENCE = "audience"
    SQL = "sql"
    FILE = "file"
    CALLABLE = "python_callable"


#: Settings that mean something with one source only.
_COMPANIONS = {
    "conn_id": SourceKind.SQL,
    "parameters": SourceKind.SQL,
    "op_kwargs": SourceKind.CALLABLE,
}


def choose_source(settings: Mapping[str, Any]) -> SourceKind:
    """
    Find the one source among a task's settings.

    An empty text or mapping is not given: a template may have rendered to nothing.

    Args:
        settings: ``audience``, ``sql``, ``file``, ``python_callable``, ``conn_id``,
            ``parameters``, ``op_kwargs``, ``on_empty``, ``save_as``, ``phone_column``; whichever
            there are.

    Raises:
        AudienceError: None or several sources, or settings that do not go together; all problems.

    Example:
        >>> choose_source({"file": "s3://people/vip.csv", "on_empty": "skip"})
        <SourceKind.FILE: 'file'>
    """
    given = {name: value for name, value in settings.items() if value}
    sources = [kind for kind in SourceKind if kind in given]
    problems = [
        *_source_problems(sources),
        *_companion_problems(given, sources),
        *_other_problems(given, settings),
        *_name_problems(given),
    ]
    if problems:
        raise AudienceError("the audience's settings do not say one source", problems=problems)
    return sources[0]


def _source_problems(sources: list[SourceKind]) -> list[str]:
    if not sources:
        return [f"give one of {', '.join(SourceKind)}"]
    if len(sources) > 1:
        return [f"give one of {', '.join(sources)}, not all of them"]
    return []


def _companion_problems(given: Mapping[str, Any], sources: list[SourceKind]) -> list[str]:
    lone = [
        f"{name} goes with {kind} only"
        for name, kind in _COMPANIONS.items()
        if name in given and kind not in sources
    ]
    needs_connection = SourceKind.SQL in sources and "conn_id" not in given
    return lone + (["sql needs conn_id, the connection to ask"] if needs_connection else [])


def _other_problems(given: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    problems = []
    on_empty = str(settings.get("on_empty", OnEmpty.FAIL))
    if on_empty not in set(OnEmpty):
        hint = near_hint(on_empty, OnEmpty) or f": it is one of {', '.join(OnEmpty)}"
        problems.append(f"on_empty cannot be {on_empty!r}{hint}")
    if SourceKind.CALLABLE in given and not callable(given[SourceKind.CALLABLE]):
        problems.append("python_callable must be a function")
    if not settings.get("phone_column", "phone"):
        problems.append("phone_column must not be empty")
    return problems


def _name_problems(given: Mapping[str, Any]) -> list[str]:
    if "save_as" not in given:
        return []
    problem = name_problem(str(given["save_as"]))
    problems = [f"save_as: {problem}"] if problem else []
    if SourceKind.AUDIENCE in given:
        problems.append("save_as does not go with audience, which is saved already")
    return problems
