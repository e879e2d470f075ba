"""The parameters a run would be started with, tried before any run: checked, and filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.parameter import Parameter, schema_of
from smsflow_provider.core.workflow.problem import near_or_all

_PARAMETER = re.compile(r"\{\{\s*params\.(\w+)\s*\}\}")


def values_of(params: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Check what a run is started with, as Airflow does, and add the defaults.

    Args:
        params: What the workflow declares.
        given: Values by name. A text that is not of the parameter's type is read as JSON, so that
            ``10`` from a command line is a number where one is wanted.

    Raises:
        WorkflowError: ``facts["problems"]`` lists names nobody knows, with the near one, values
            that break their schema, and what is missing. None repeats a value.

    Example:
        >>> points = Parameter(type="integer", default=0)
        >>> values_of({"points": points}, {"points": "10"})
        {'points': 10}
    """
    problems = [
        f"{name}: no such parameter ({near_or_all(name, params) or 'there are none'})"
        for name in given
        if name not in params
    ]
    found = {}
    for name, parameter in params.items():
        if name in given:
            fitting = [each for each in _readings(given[name]) if _fits(each, parameter)]
            found[name] = fitting[0] if fitting else None
            problems += [] if fitting else [f"{name}: breaks what the parameter declares"]
        elif parameter.has_default:
            found[name] = parameter.default
        else:
            problems.append(f"{name}: is missing, and has no default")
    if problems:
        raise WorkflowError("the parameters of the run cannot be used", problems=problems)
    return found


def filled(data: Any, values: Mapping[str, Any]) -> Any:
    """
    Fill ``{{ params.x }}`` in everywhere; alone in a text, it keeps the type of the value.

    Other templates stay as they are: they need a run.

    Example:
        >>> filled({"in": ["{{ params.city }}", "{{ params.n }}"]}, {"city": "Lyon", "n": 3})
        {'in': ['Lyon', 3]}
    """
    if isinstance(data, Mapping):
        return {name: filled(each, values) for name, each in data.items()}
    if isinstance(data, list | tuple):
        return [filled(each, values) for each in data]
    if not isinstance(data, str):
        return data
    whole = _PARAMETER.fullmatch(data.strip())
    if whole and whole[1] in values:
        return values[whole[1]]
    return _PARAMETER.sub(lambda hit: str(values.get(hit[1], hit[0])), data)


def _readings(value: Any) -> list[Any]:
    if not isinstance(value, str):
        return [value]
    try:
        return [value, json.loads(value)]
    except ValueError:
        return [value]


def _fits(value: Any, parameter: Parameter) -> bool:
    from jsonschema import (  # type: ignore[import-untyped]  # noqa: PLC0415  rare
        Draft202012Validator,
        FormatChecker,
    )

    checker = Draft202012Validator(schema_of(parameter), format_checker=FormatChecker())
    return bool(checker.is_valid(value))
