"""
How hard an error is for a number: the tables of gateways, and what an installation says over them.

``qualification.yaml`` in the folder of rules::

    limits: {soft_errors: 5, at_least_apart: 24h, forget_after: 10d, quarantine_for: forever}
    gateways:
      sms_kannel:
        "1": hard
        "*": soft
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from smsflow_provider.core.content.durations import read_duration_s
from smsflow_provider.core.document.judge import judge
from smsflow_provider.core.document.problem import Problem, in_file, near
from smsflow_provider.core.document.tree import Tree, dotted, read_tree
from smsflow_provider.core.gateways.error_table import ErrorTable, Hardness
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES
from smsflow_provider.core.store.qualified import ANY_CODE, Limits

#: Name of the file in the folder of rules.
FILE: Final = "qualification.yaml"

_FOREVER: Final = "forever"
_YEAR_S: Final = 366 * 86_400


def _read_kept(given: object) -> object:
    return None if given == _FOREVER else read_duration_s(given)


_Seconds = Annotated[int, BeforeValidator(read_duration_s), Field(ge=0, le=_YEAR_S)]
_KeptSeconds = Annotated[int, Field(ge=3_600, le=10 * _YEAR_S)]


class _Limits(BaseModel):
    """The limits as they are written; durations in seconds once they are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    soft_errors: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 5
    at_least_apart: _Seconds = 86_400
    forget_after: Annotated[_Seconds, Field(ge=3_600)] = 864_000
    quarantine_for: Annotated[_KeptSeconds | None, BeforeValidator(_read_kept)] = None


class QualificationFile(BaseModel):
    """What an installation says of errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limits: _Limits = _Limits()
    #: By connection type: code to hardness. ``*`` stands for the codes nobody listed.
    gateways: dict[str, dict[str, Hardness]] = {}

    def as_limits(self) -> Limits:
        """Give the limits as the store takes them."""
        kept = self.limits.quarantine_for
        return Limits(
            soft_errors=self.limits.soft_errors,
            at_least_apart=timedelta(seconds=self.limits.at_least_apart),
            forget_after=timedelta(seconds=self.limits.forget_after),
            quarantine_for=None if kept is None else timedelta(seconds=kept),
        )

    def as_tables(self) -> dict[str, dict[str, str]]:
        """Give the codes by connection type, as the store takes them."""
        return {
            conn_type: {code: hardness.value for code, hardness in sorted(codes.items())}
            for conn_type, codes in self.gateways.items()
        }


def shipped_tables() -> dict[str, dict[str, str]]:
    """Give how hard each listed code is, of every gateway that has a table, by connection type."""
    tables = ((name, kind.error_table()) for name, kind in GATEWAY_TYPES.items())
    return {name: _hardness_of(table) for name, table in tables if table is not None}


def _hardness_of(table: ErrorTable) -> dict[str, str]:
    listed = {code: row.hardness.value for code, row in sorted(table.rows.items())}
    return {**listed, ANY_CODE: table.default.hardness.value}


def read_qualification(
    text: str, *, file: str = FILE, known: Mapping[str, object] = GATEWAY_TYPES
) -> tuple[QualificationFile | None, list[Problem]]:
    r"""
    Read the file of an installation.

    A connection type that nobody knows here is a problem only if it looks like a slip: the
    gateway may be installed on another machine.

    Args:
        text: The document.
        file: Its name, as the user knows it.
        known: The connection types there are.

    Returns:
        The file and no problem, or None and all problems, with lines and near names.

    Example:
        >>> wrong = 'gateways:\n  sms_kanel:\n    "1": hrad\n'
        >>> for problem in read_qualification(wrong)[1]:
        ...     print(problem)
        qualification.yaml:3: gateways.sms_kanel.1: 'hrad' is not a choice (did you mean 'hard'?)
    """
    tree = read_tree(text)
    if not isinstance(tree.data, dict):
        shape = Problem(text="must say something of errors", hint="gateways: …", line=1)
        return None, in_file(tree.problems or [shape], file)
    found, problems = judge(tree, QualificationFile)
    if found is not None:
        problems = list(_problems_of(found, tree, known))
    problems = sorted([*tree.problems, *problems], key=lambda each: each.line or 0)
    return None if problems else found, in_file(problems, file)


def _problems_of(
    given: QualificationFile, tree: Tree, known: Mapping[str, object]
) -> Iterable[Problem]:
    for conn_type in given.gateways:
        hint = near(conn_type, known)
        if conn_type not in known and hint:
            path = ("gateways", conn_type)
            text = "no such connection type"
            yield Problem(field=dotted(path), text=text, hint=hint, line=tree.line_of(path))
