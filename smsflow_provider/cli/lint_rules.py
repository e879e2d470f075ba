"""What ``smsflow lint`` says of typologies, prices and budgets, and of those who name them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from smsflow_provider.core.content.template import Template
from smsflow_provider.core.document.problem import Problem, near_or_all
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation import budgets, prices
from smsflow_provider.core.preparation.condition_text import check_text
from smsflow_provider.core.preparation.typology_file import (
    is_typology_file,
    look_at_typology,
    typology_files,
)
from smsflow_provider.core.workflow.read import Reading
from smsflow_provider.core.workflow.spec import SmsDelivery

#: Folder of the rules, as it is called unless ``[smsflow] rules`` says otherwise.
FOLDER: Final = "rules"

_TABLES: Final = {
    **dict.fromkeys(prices.FILES, prices.read_prices),
    **dict.fromkeys(budgets.FILES, budgets.read_budgets),
}
_TOLD = re.compile(r"[^:]*?(?::(?P<line>[0-9]+))?: (?P<text>.*)", re.DOTALL)


def is_rules_file(path: Path) -> bool:
    """Whether *path* is a typology, a price table or a file of budgets, by where it lies."""
    return is_typology_file(path) or (path.name in _TABLES and path.parent.name == FOLDER)


def rules_problems(path: Path) -> list[Problem]:
    """Say what is wrong with one file of rules."""
    if is_typology_file(path):
        return look_at_typology(path)[1]
    try:
        _TABLES[path.name](path.parent)
    except ConfigError as error:
        told: Any = error.facts.get("problems", [f"{path.name}: {error.problem}"])
        return [_read_back(line, path) for line in told]
    return []


def _read_back(told: str, path: Path) -> Problem:
    """Make a problem of ``file:line: text``."""
    found = _TOLD.fullmatch(told)
    if found is None:
        return Problem(file=str(path), text=told)
    line = int(found["line"]) if found["line"] else None
    return Problem(file=str(path), line=line, text=found["text"])


def rules_of_workflow(path: Path, reading: Reading) -> Iterator[Problem]:
    """Name the typologies of a workflow that the nearest folder ``rules`` does not hold."""
    if reading.workflow is None:
        return
    for name, activity in reading.workflow.activities.items():
        if isinstance(activity, SmsDelivery) and activity.typology is not None:
            field = f"activities.{name}.typology"
            yield from _lost(activity.typology, path, field, line=reading.lines.get(field))


def rules_of_template(path: Path, template: Template) -> Iterator[Problem]:
    """Say what is wrong with the expression of the sender, or a typology that is not there."""
    settings = template.settings
    for problem in check_text(settings.sender_expression or "TRUE"):
        yield Problem(file=str(path), field="sender_expression", text=problem)
    if settings.typology is not None:
        yield from _lost(settings.typology, path, "typology", line=None)


def _lost(name: str, path: Path, field: str, *, line: int | None) -> Iterator[Problem]:
    folder = next(
        (each / FOLDER for each in path.resolve().parents if (each / FOLDER).is_dir()), None
    )
    if folder is None or "{{" in name:
        return
    try:
        known = typology_files(folder)
    except ConfigError:
        return
    if name not in known:
        yield Problem(
            file=str(path),
            line=line,
            field=field,
            text=f"no such typology {name!r}",
            hint=near_or_all(name, known) or f"the folder {FOLDER} holds none",
        )
