from __future__ import annotations

import pytest
from pydantic_core import ValidationError

from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.problem import (
    Problem,
    error_of,
    in_file,
    near,
    near_or_all,
    refusal,
)
from smsflow_provider.core.workflow.spec import SmsDelivery

FULL = Problem(file="a.yaml", line=12, field="sms.template", text="is odd", hint="mend it")


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (FULL, "a.yaml:12: sms.template: is odd (mend it)"),
        (Problem(text="is odd"), "is odd"),
        (Problem(file="a.yaml", text="is odd"), "a.yaml: is odd"),
        (Problem(field="sms", text="is odd"), "sms: is odd"),
        (Problem(file="a.yaml", line=1, text="is odd"), "a.yaml:1: is odd"),
    ],
)
def test_a_problem_is_written_without_the_parts_it_lacks(problem: Problem, expected: str) -> None:
    assert expected == str(problem)


def test_a_near_name_is_found_in_any_case_and_given_as_it_is_written() -> None:
    assert "did you mean 'Europe/Paris'?" == near("europe/pariss", ["Europe/Paris", "UTC"])


def test_a_far_name_gets_no_guess() -> None:
    assert "" == near("zebra", ["template", "label"])


def test_a_far_name_gets_the_whole_choice_where_it_is_short() -> None:
    assert "known: fail, skip" == near_or_all("zebra", ["fail", "skip"])
    assert "" == near_or_all("zebra", [])


def test_a_word_that_is_no_text_gets_no_guess_and_no_error() -> None:
    assert "" == near(["a", "list"], ["template"])


def test_problems_are_placed_in_a_file_and_keep_their_lines() -> None:
    (placed,) = in_file([Problem(line=3, text="is odd")], "b.yaml")

    assert "b.yaml:3: is odd" == str(placed)


def test_one_error_lists_every_problem_as_text() -> None:
    error = error_of([FULL, Problem(text="is odd")], what="marketing.sale")

    assert isinstance(error, WorkflowError)
    assert "2 problems in marketing.sale" == error.problem
    assert [str(FULL), "is odd"] == error.facts["problems"]


def test_a_single_problem_is_counted_as_one() -> None:
    assert "1 problem in a" == error_of([FULL], what="a").problem


def test_a_refusal_says_its_hint_to_python_users_too() -> None:
    assert "is odd (mend it)" == refusal("is odd", "mend it").message()
    assert "is odd" == refusal("is odd").message()


def test_a_refusal_may_hold_braces() -> None:
    assert "write {{ params.x }}" == refusal("write {{ params.x }}").message()


def test_what_a_user_wrote_is_not_repeated_by_the_error_of_python() -> None:
    """A field may hold anything, a phone number too."""
    with pytest.raises(ValidationError) as caught:
        SmsDelivery(template=["+33612345678"])

    assert "+33612345678" not in str(caught.value)
