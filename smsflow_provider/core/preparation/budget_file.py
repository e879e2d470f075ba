"""The file of budgets as it is read: every problem with its line and near name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import yaml

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.preparation.price_words import problem_of_amount, read_currency
from smsflow_provider.core.preparation.yaml_lines import pairs_of, read_mapping, text_of
from smsflow_provider.core.store.reservations import Limit, Period

_NAME = re.compile(r"[A-Za-z][\w.-]{0,62}")
_PARTS = re.compile(r"[0-9]{1,15}")
_MONEY = re.compile(r"(?P<amount>\S+) +(?P<currency>\S+)")
_HIGHEST: Final = Decimal(10**12)
_KEYS: Final = (*[period.value for period in Period], "time_zone")
_UNITS: Final = ("money", "parts")


@dataclass(slots=True, kw_only=True)
class BudgetEntry:
    """One budget of the file, while it is read."""

    name: str
    limits: list[Limit] = field(default_factory=list)
    currency: str = ""
    time_zone: str = "UTC"


def read_entries(text: str) -> tuple[list[BudgetEntry], list[Problem]]:
    """
    Read the budgets of a file.

    Returns:
        The budgets and all problems. With problems, the budgets are not to be used.
    """
    problems: list[Problem] = []
    entries = []
    root = read_mapping(text, problems)
    for name, node, line in pairs_of(root, problems) if root is not None else ():
        if _NAME.fullmatch(name) is None:
            hint = "a letter, then letters, digits, . _ -"
            problems.append(Problem(text="cannot be a name", hint=hint, field=name, line=line))
        entries.append(_entry_of(name, node, line, problems))
    return entries, problems


def _entry_of(name: str, node: yaml.Node, line: int, problems: list[Problem]) -> BudgetEntry:
    entry = BudgetEntry(name=name)
    if not isinstance(node, yaml.MappingNode):
        problems.append(_no_limit(name, line))
        return entry
    before = len(problems)
    for key, value, at in pairs_of(node, problems, path=f"{name}."):
        path = f"{name}.{key}"
        if key not in _KEYS:
            problems.append(Problem(text="unknown key", hint=near(key, _KEYS), field=path, line=at))
        elif key == "time_zone":
            entry.time_zone = _read_zone(text_of(value) or "", path, at, problems)
        else:
            limit = _read_limit(entry, Period(key), value, path, at, problems)
            entry.limits += [] if limit is None else [limit]
    if not entry.limits and len(problems) == before:
        problems.append(_no_limit(name, line))
    return entry


def _no_limit(name: str, line: int) -> Problem:
    return Problem(text="limits nothing", hint="per_month: {money: 500 EUR}", field=name, line=line)


def _read_zone(text: str, path: str, line: int, problems: list[Problem]) -> str:
    known = available_timezones()
    if text in known:
        return ZoneInfo(text).key
    problems.append(
        Problem(
            text=f"{text!r} is not a time zone",
            hint=_near_zone(text, known),
            field=path,
            line=line,
        )
    )
    return "UTC"


def _near_zone(text: str, known: set[str]) -> str:
    hint = near(text, known)
    return hint if hint.startswith("did") else "an IANA name such as Europe/Paris"


def _read_limit(
    entry: BudgetEntry,
    period: Period,
    node: yaml.Node,
    path: str,
    line: int,
    problems: list[Problem],
) -> Limit | None:
    """Read the limits of one period. None: there is a problem."""
    before = len(problems)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.append(
            Problem(
                text="is not a limit", hint="{money: 500 EUR, parts: 10000}", field=path, line=line
            )
        )
        return None
    parts: int | None = None
    cost: Decimal | None = None
    for unit, text, at in _units_of(node, path, problems):
        if unit == "parts":
            parts = _read_parts(text, f"{path}.parts", at, problems)
        else:
            cost = _read_money(entry, text, f"{path}.money", at, problems)
    return Limit(period=period, parts=parts, cost=cost) if len(problems) == before else None


def _units_of(
    node: yaml.MappingNode, path: str, problems: list[Problem]
) -> Iterator[tuple[str, str, int]]:
    for unit, value, line in pairs_of(node, problems, path=f"{path}."):
        if unit in _UNITS:
            yield unit, text_of(value) or "", line
        else:
            hint = near(unit, _UNITS)
            field_name = f"{path}.{unit}"
            problems.append(Problem(text="unknown key", hint=hint, field=field_name, line=line))


def _read_parts(text: str, path: str, line: int, problems: list[Problem]) -> int | None:
    if _PARTS.fullmatch(text):
        return int(text)
    problems.append(
        Problem(
            text=f"{text!r} is not a number of parts", hint="such as 10000", field=path, line=line
        )
    )
    return None


def _read_money(
    entry: BudgetEntry, text: str, path: str, line: int, problems: list[Problem]
) -> Decimal | None:
    found = _MONEY.fullmatch(text)
    if found is None:
        problems.append(
            Problem(
                text=f"{text!r} is not an amount of money", hint="500 EUR", field=path, line=line
            )
        )
        return None
    problem = problem_of_amount(found["amount"], highest=_HIGHEST)
    if problem is not None:
        problems.append(Problem(text=problem[0], hint=problem[1], field=path, line=line))
        return None
    currency = read_currency(found["currency"], line, problems)
    if currency is not None and entry.currency not in {"", currency}:
        text = f"is in {currency}, another limit of {entry.name!r} in {entry.currency}"
        problems.append(Problem(text=text, hint="one currency a budget", field=path, line=line))
    entry.currency = entry.currency or currency or ""
    return Decimal(found["amount"])
