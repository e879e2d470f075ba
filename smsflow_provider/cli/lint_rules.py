"""What ``smsflow lint`` says of the files of rules, and of those who name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from smsflow_provider.cli.lint_audience import problems_of_audience
from smsflow_provider.core.audience.rules.dimension import (
    dimension_files,
    is_dimension_file,
    look_at_dimension,
)
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.delivery import keywords, qualify
from smsflow_provider.core.delivery.published import look_at_keywords, look_at_qualification
from smsflow_provider.core.document.problem import Problem, in_file, near_or_all
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation import budgets, prices
from smsflow_provider.core.preparation.typology_file import (
    is_typology_file,
    look_at_typology,
    typology_files,
)
from smsflow_provider.core.workflow.read import Reading
from smsflow_provider.core.workflow.spec import Activity, BuildAudience, SmsDelivery

#: Folder of the rules, as it is called unless ``[smsflow] rules`` says otherwise.
FOLDER: Final = "rules"

_TABLES: Final = {
    **dict.fromkeys(prices.FILES, prices.read_prices),
    **dict.fromkeys(budgets.FILES, budgets.read_budgets),
}
#: Files whose readers tell all problems.
_PUBLISHED: Final[Mapping[str, Callable[[Path], list[Problem]]]] = {
    qualify.FILE: lambda path: look_at_qualification(path)[1],
    keywords.FILE: lambda path: look_at_keywords(path)[1],
}
_TOLD = re.compile(r"[^:]*?(?::(?P<line>[0-9]+))?: (?P<text>.*)", re.DOTALL)


def is_rules_file(path: Path) -> bool:
    """Whether *path* is one of the files of rules, by its name and by where it lies."""
    is_named = path.name in _TABLES or path.name in _PUBLISHED
    if is_typology_file(path) or is_dimension_file(path):
        return True
    return is_named and path.parent.name == FOLDER


def rules_problems(path: Path) -> list[Problem]:
    """Say what is wrong with one file of rules."""
    if is_typology_file(path):
        return look_at_typology(path)[1]
    if is_dimension_file(path):
        return _of_dimension(path)
    if path.name in _PUBLISHED:
        return _PUBLISHED[path.name](path)
    try:
        _TABLES[path.name](path.parent)
    except ConfigError as error:
        told: Any = error.facts.get("problems", [f"{path.name}: {error.problem}"])
        return [_read_back(line, path) for line in told]
    return []


def _of_dimension(path: Path) -> list[Problem]:
    dimension, problems = look_at_dimension(path)
    if dimension is None:
        return problems
    # Most folders hold no dimension.
    from smsflow_provider.core.audience.rules.bind import problems_of_filters  # noqa: PLC0415

    return in_file(problems_of_filters(dimension), str(path))


def _read_back(told: str, path: Path) -> Problem:
    """Make a problem of ``file:line: text``."""
    found = _TOLD.fullmatch(told)
    if found is None:
        return Problem(file=str(path), text=told)
    line = int(found["line"]) if found["line"] else None
    return Problem(file=str(path), line=line, text=found["text"])


def rules_of_workflow(path: Path, reading: Reading) -> Iterator[Problem]:
    """
    Say which filters of a workflow are no SQL, and name the typologies, budgets and dimensions
    that the nearest folder ``rules`` does not hold.
    """
    if reading.workflow is None:
        return
    for name, activity in reading.workflow.activities.items():
        for problem in _of_activity(activity, path):
            field = f"activities.{name}.{problem.field}"
            yield replace(problem, field=field, line=_line_of(field, reading))


def _line_of(field: str, reading: Reading) -> int | None:
    """Find the line of a field, or of the nearest thing around it."""
    while field not in reading.lines and "." in field:
        field = field.rpartition(".")[0]
    return reading.lines.get(field)


def _of_activity(activity: Activity, path: Path) -> Iterator[Problem]:
    if isinstance(activity, SmsDelivery):
        yield from _of_delivery(activity, path)
    elif isinstance(activity, BuildAudience):
        yield from _lost_rules(path, dimension=activity.dimension)
        if folder := _folder_near(path):
            found = problems_of_audience(activity, folder)
            yield from (replace(each, file=str(path)) for each in found)


def _of_delivery(delivery: SmsDelivery, path: Path) -> Iterator[Problem]:
    filters = delivery.exclude.filters if delivery.exclude else {}
    for name, text in filters.items():
        for problem in _syntax(text):
            yield Problem(file=str(path), field=f"exclude.filters.{name}", text=problem)
    yield from _lost_rules(path, typology=delivery.typology, budget=delivery.budget)


def rules_of_template(path: Path, template: Template) -> Iterator[Problem]:
    """Say what is wrong with the sender's expression, and which rules are not there."""
    settings = template.settings
    expression = settings.sender_expression
    for problem in _syntax(expression) if expression else ():
        yield Problem(file=str(path), field="sender_expression", text=problem)
    yield from _lost_rules(path, typology=settings.typology, budget=settings.budget)


def _syntax(text: str) -> list[str]:
    # Loads the column library; most templates and workflows hold no expression.
    from smsflow_provider.core.preparation.conditions import problems_of_syntax  # noqa: PLC0415

    return problems_of_syntax(text)


def _folder_near(path: Path) -> Path | None:
    """Find the nearest folder of rules."""
    parents = path.resolve().parents
    return next((each / FOLDER for each in parents if (each / FOLDER).is_dir()), None)


def _lost_rules(path: Path, **named: str | None) -> Iterator[Problem]:
    """Name the rules by their kind that the nearest folder of rules does not hold."""
    folder = _folder_near(path)
    if folder is None:
        return
    for field, name in named.items():
        if name is not None and "{{" not in name:
            known_in = _KNOWN[field]
            yield from _lost(name, field=field, known_in=known_in, folder=folder, path=path)


def _lost(
    name: str, *, field: str, known_in: Callable[[Path], Iterable[str]], folder: Path, path: Path
) -> Iterator[Problem]:
    try:
        known = list(known_in(folder))
    except ConfigError:
        return  # told of that file
    if name not in known:
        hint = near_or_all(name, known) or f"the folder {FOLDER} holds none"
        yield Problem(file=str(path), field=field, text=f"no such {field} {name!r}", hint=hint)


def _budget_names(folder: Path) -> list[str]:
    found = budgets.read_budgets(folder)
    return list(found.by_name) if found else []


_KNOWN: Final[Mapping[str, Callable[[Path], Iterable[str]]]] = {
    "typology": typology_files,
    "budget": _budget_names,
    "dimension": dimension_files,
}
