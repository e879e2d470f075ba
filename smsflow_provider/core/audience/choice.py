"""Which of the possible sources a build_audience task was given: exactly one, or all problems."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from smsflow_provider.core.audience.file_options import read_file_options
from smsflow_provider.core.audience.http_options import read_http_options
from smsflow_provider.core.audience.keeping import OnStale, Refresh, SaveMode, keeping_problems
from smsflow_provider.core.audience.limits import USUAL_ROWS, USUAL_TIME
from smsflow_provider.core.audience.reference import word_hint
from smsflow_provider.core.audience.saved_name import name_problem, read_name
from smsflow_provider.core.audience.source import OnEmpty
from smsflow_provider.core.errors import AudienceError


class SourceKind(StrEnum):
    """The setting that says where the people come from."""

    AUDIENCE = "audience"
    RULES = "rules"
    TABLE = "table"
    SQL = "sql"
    FILE = "file"
    HTTP = "http"
    REFERENCE = "reference"
    CALLABLE = "python_callable"


#: Sources that ask a database.
QUERIES: Final = (SourceKind.RULES, SourceKind.TABLE, SourceKind.SQL)
#: Sources whose people are found anew; one that is saved is handed on as it is.
COMPUTED: Final = tuple(kind for kind in SourceKind if kind is not SourceKind.AUDIENCE)
#: Settings that mean something with some sources only.
COMPANIONS: Final[dict[str, tuple[SourceKind, ...]]] = {
    "dimension": (SourceKind.RULES,),
    "regardless_of_consent": (SourceKind.RULES,),
    "columns": COMPUTED,
    "conn_id": (*QUERIES, SourceKind.HTTP),
    "file_options": (SourceKind.FILE,),
    "parameters": (SourceKind.SQL,),
    "op_kwargs": (SourceKind.CALLABLE,),
    "max_age": (SourceKind.AUDIENCE,),
}
#: Settings of some sources that have a usual value, which goes with anything.
USUAL: Final[Mapping[str, tuple[object, tuple[SourceKind, ...]]]] = {
    "time_limit": (USUAL_TIME, QUERIES),
    "row_limit": (USUAL_ROWS, QUERIES),
    "on_stale": (OnStale.FAIL, (SourceKind.AUDIENCE,)),
    "refresh": (Refresh.EACH_TRY, COMPUTED),
    "save_mode": (SaveMode.UPDATE, COMPUTED),
}
#: Settings without which a source says too little, and what they are.
NEEDS: Final[Mapping[SourceKind, tuple[tuple[str, str], ...]]] = {
    SourceKind.SQL: (("conn_id", "the connection to ask"),),
    SourceKind.TABLE: (("conn_id", "the connection to ask"),),
    SourceKind.RULES: (("dimension", "whom the rules are about"),),
    SourceKind.HTTP: (("conn_id", "the connection to ask"),),
}


def choose_source(settings: Mapping[str, Any]) -> SourceKind:
    """
    Find the one source among a task's settings.

    An empty text, list or mapping is not given: a template may have rendered to nothing, and
    nothing must not come to mean everybody.

    Args:
        settings: Fields of ``BuildAudienceOperator``, whichever there are.

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
        *name_problems(given),
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
    homes = COMPANIONS | {
        name: kinds for name, (usual, kinds) in USUAL.items() if given.get(name) != usual
    }
    lone = [
        f"{name} goes with {' or '.join(kinds)} only"
        for name, kinds in homes.items()
        if name in given and not set(kinds) & set(sources)
    ]
    needed = [
        f"{kind} needs {name}, {what}"
        for kind in sources
        for name, what in NEEDS.get(kind, ())
        if name not in given
    ]
    return lone + needed


def _other_problems(given: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    problems = []
    on_empty = str(settings.get("on_empty", OnEmpty.FAIL))
    if on_empty not in set(OnEmpty):
        problems.append(f"on_empty cannot be {on_empty!r}{word_hint(on_empty, OnEmpty)}")
    if SourceKind.CALLABLE in given and not callable(given[SourceKind.CALLABLE]):
        problems.append("python_callable must be a function")
    if not settings.get("phone_column", "phone"):
        problems.append("phone_column must not be empty")
    if isinstance(given.get("columns"), str):
        problems.append("columns must be a list of names")
    if SourceKind.RULES in given:
        problems += _told_by_dimension(given)
    return problems + detail_problems(given)


def detail_problems(given: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with ``file_options``, ``http`` and how the audience is kept."""
    readers = {"file_options": read_file_options, "http": read_http_options}
    problems = keeping_problems(given)
    for name, read in readers.items():
        try:
            if given.get(name):
                read(given[name])
        except AudienceError as error:
            told = error.facts.get("problems")
            problems += map(str, told) if isinstance(told, list) else [str(error)]
    return problems


def _told_by_dimension(given: Mapping[str, Any]) -> list[str]:
    usual = {"phone_column": "phone", "id_column": None}
    return [
        f"{name} does not go with rules: the dimension says it"
        for name, value in usual.items()
        if given.get(name, value) != value
    ]


def name_problems(given: Mapping[str, Any]) -> list[str]:
    """
    Say what is wrong with the names of saved audiences; empty: nothing.

    Example:
        >>> name_problems({"file": "a.csv", "save_as": "vip"}), name_problems({"audience": "vip@x"})
        ([], ['audience: behind the @ stands a version, a whole number from 1'])
    """
    problems = []
    if "save_as" in given:
        problem = name_problem(str(given["save_as"]))
        problems += [f"save_as: {problem}"] if problem else []
        if SourceKind.AUDIENCE in given:
            problems.append("save_as does not go with audience, which is saved already")
    if SourceKind.AUDIENCE in given:
        try:
            read_name(str(given[SourceKind.AUDIENCE]))
        except AudienceError as error:
            problems.append(f"audience: {error.facts['reason']}")
    return problems
