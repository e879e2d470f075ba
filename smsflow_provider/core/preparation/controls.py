"""Control rules: what a typology says about the figures of a preparation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.conditions import (
    ValueKind,
    columns_of,
    compile_value,
    evaluate,
)
from smsflow_provider.core.preparation.figures import FIGURE_TYPES, Figures
from smsflow_provider.core.preparation.typology import ControlLevel, ControlRule, Typology

_LEVELS = {
    ControlLevel.ERROR: Level.ERROR,
    ControlLevel.WARNING: Level.WARNING,
    ControlLevel.NOTE: Level.INFO,
}
#: A control of such a name would pass for one of our own findings.
_WORDS_OF_THE_LOG = frozenset(event.value for event in LogEvent)
#: Any day does to check a condition; its own day comes with the figures.
_SOME_DAY = date(2026, 1, 1)


def check_controls(controls: Sequence[ControlRule], figures: Figures) -> list[LogLine]:
    """
    Judge the figures of a preparation.

    A control that gives null is not known to hold: it counts as failed, and says which figure is
    missing. ``COALESCE`` says what is meant instead.

    Args:
        controls: Those that apply, in their order; see ``Typology.controls``.
        figures: With their day.

    Returns:
        A line for each that fails; its event is the control's code, its facts are the figures it
        looked at.

    Raises:
        ConfigError: A condition cannot be used; ``problems_of_controls`` would have said so.
    """
    return [line for control in controls if (line := _judged(control, figures)) is not None]


def _judged(control: ControlRule, figures: Figures) -> LogLine | None:
    condition = _compiled(control, day=figures.day or _SOME_DAY)
    answer = evaluate(figures.as_frame(), {control.code: condition})[control.code][0]
    if answer is False:
        return None
    facts = {name: _written(getattr(figures, name)) for name in sorted(columns_of(condition))}
    unknown = [name for name, value in facts.items() if value is None]
    told = control.message
    if answer is None:
        told = f"{told} (cannot be told: {', '.join(unknown) or 'null'} is not known)"
    return LogLine(level=_LEVELS[control.level], event=control.code, problem=told, facts=facts)


def _compiled(control: ControlRule, *, day: date) -> pl.Expr:
    return compile_value(
        control.fails_when,
        schema=FIGURE_TYPES,
        kind=ValueKind.CONDITION,
        day=day,
        may_be_constant=True,
    )


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def problems_of_controls(typology: Typology) -> Iterator[tuple[str, str]]:
    """
    Say which controls cannot be used, whether they apply or not.

    Yields:
        Path of the field in the typology, and what is wrong.
    """
    for place, rule in enumerate(typology.rules):
        if isinstance(rule, ControlRule):
            if rule.code in _WORDS_OF_THE_LOG:
                yield f"rules.{place}.code", f"{rule.code!r} is a word of the log: choose another"
            try:
                _compiled(rule, day=_SOME_DAY)
            except ConfigError as error:
                problems: Any = error.facts["problems"]
                yield f"rules.{place}.fails_when", "; ".join(problems)
