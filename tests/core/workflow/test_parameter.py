from __future__ import annotations

from typing import Any

import pytest
from jsonschema import validate  # type: ignore[import-untyped]
from pydantic import ValidationError

from smsflow_provider.core.workflow.parameter import Parameter, schema_of


def test_the_schema_is_what_was_written_without_the_default() -> None:
    written = {"type": "integer", "default": 10, "minimum": 1, "exclusiveMaximum": 50}

    assert {"type": "integer", "minimum": 1, "exclusiveMaximum": 50} == schema_of(
        Parameter.model_validate(written)
    )


def test_python_may_write_the_names_of_python() -> None:
    assert {"type": "string", "minLength": 2} == schema_of(Parameter(type="string", min_length=2))


def test_a_default_of_nothing_is_a_default() -> None:
    assert Parameter(type=["string", "null"], default=None).has_default
    assert not Parameter(type="string").has_default


def test_a_bare_null_of_yaml_is_the_type_of_that_name() -> None:
    assert ["string", "null"] == Parameter(type=["string", None]).type


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"type": "integr"}, "did you mean 'integer'"),
        ({"type": []}, "names no type"),
        ({"type": 3}, "unknown type 3"),
        ({"default": 3}, "type"),
        ({"type": "integer", "minimm": 3}, "minimm"),
        ({"type": "integer", "default": "x"}, "breaks the schema"),
        ({"type": "integer", "default": 0, "minimum": 1}, "less than the minimum"),
        ({"type": "string", "default": "Rome", "enum": ["Lyon", "Paris"]}, "is not one of"),
        ({"type": "string", "default": "soon", "format": "date"}, "is not a 'date'"),
        ({"type": "string", "pattern": "["}, "is not a JSON Schema"),
        ({"type": "string", "enum": []}, "enum"),
        ({"type": "array", "items": {"type": "wat"}}, "is not a JSON Schema"),
        ({"type": "string", "minLength": -1}, "is not a JSON Schema"),
    ],
)
def test_a_schema_that_would_not_hold_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Parameter.model_validate(written)


@pytest.mark.parametrize(
    "written",
    [
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "number", "multipleOf": 0.5, "maximum": 9},
        {"type": "string", "enum": ["a"], "values_display": {"a": "A"}, "description_md": "*a*"},
    ],
)
def test_every_written_word_reaches_the_schema(written: dict[str, Any]) -> None:
    assert written == schema_of(Parameter.model_validate(written))


def test_a_default_that_passes_here_passes_with_the_same_schema_in_airflow() -> None:
    parameter = Parameter(type="integer", default=10, minimum=1)

    validate(parameter.default, schema_of(parameter))
