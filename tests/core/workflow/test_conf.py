from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.conf import filled, values_of
from smsflow_provider.core.workflow.parameter import Parameter

PARAMS = {
    "city": Parameter(type="string"),
    "points": Parameter(type="integer", default=0, minimum=0),
    "cities": Parameter(type="array", default=[]),
}


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ({"city": "Lyon"}, {"city": "Lyon", "points": 0, "cities": []}),
        ({"city": "75001", "points": "12"}, {"city": "75001", "points": 12, "cities": []}),
        ({"city": "a", "cities": '["b"]'}, {"city": "a", "points": 0, "cities": ["b"]}),
    ],
)
def test_values_get_the_type_their_parameter_declares(
    given_: dict[str, Any], found: dict[str, Any]
) -> None:
    assert found == values_of(PARAMS, given_)


def test_all_that_is_wrong_with_values_is_told_without_them() -> None:
    with pytest.raises(WorkflowError) as caught:
        values_of(PARAMS, {"citty": "Lyon", "points": "+33612345678x"})

    assert [
        "citty: no such parameter (did you mean 'city'?)",
        "city: is missing, and has no default",
        "points: breaks what the parameter declares",
    ] == caught.value.facts["problems"]


VALUES = st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text(), max_size=3))


@given(VALUES)
def test_a_value_is_filled_in_as_it_is(value: Any) -> None:
    """Whatever it holds, also another template: it is not looked at again."""
    rules = {"all": [{"column": "city", "equals": " {{ params.x }} "}]}

    assert {"all": [{"column": "city", "equals": value}]} == filled(rules, {"x": value})


def test_other_templates_wait_for_a_run() -> None:
    text = "{{ ds }} in {{ params.city }} and {{ params.other }}"

    assert "{{ ds }} in Lyon and {{ params.other }}" == filled(text, {"city": "Lyon"})
