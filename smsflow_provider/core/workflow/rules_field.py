"""Rules inside a workflow: their shape is checked where they are written, their columns later."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from smsflow_provider.core.document.problem import Problem
from smsflow_provider.core.workflow.problem import refusal

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_ROOT = "rules"


def check_rules(given: object) -> object:
    """
    Accept rules of a sound shape, as data or as an object of ``rules.fluent``.

    Returns:
        Plain data, as it was written.

    Raises:
        ValidationError: Every problem, each at its own place below the field.

    Example:
        >>> check_rules([{"column": "age", "at_least": 18}])
        [{'column': 'age', 'at_least': 18}]
    """
    # Most workflows hold no rules.
    from smsflow_provider.core.audience.rules.tree import look_at_rules  # noqa: PLC0415

    if given is None:
        return None
    data = given.as_data() if hasattr(given, "as_data") else given
    _, problems = look_at_rules(data, path=_ROOT)
    if problems:
        lines = [_line(problem, is_list=not isinstance(data, Mapping)) for problem in problems]
        raise ValidationError.from_exception_data(_ROOT, lines)
    return data


def _line(problem: Problem, *, is_list: bool) -> InitErrorDetails:
    # Problems call a bare list what it means: all.
    place = path_of(problem.field)
    loc = place[1:] if is_list and place[:1] == ("all",) else place
    return InitErrorDetails(type=refusal(problem.text, problem.hint), loc=loc, input=None)


def path_of(place: str) -> tuple[str | int, ...]:
    """
    Split a place below ``rules`` into its steps.

    Example:
        >>> path_of("rules.all[1].any[0].column")
        ('all', 1, 'any', 0, 'column')
    """
    steps = _STEP.findall(place.removeprefix(_ROOT))
    return tuple(int(number) if number else name for name, number in steps)
