"""Rules from plain data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.rule import (
    Comparison,
    Condition,
    Group,
    LinkCount,
    LinkValue,
    Saved,
)
from smsflow_provider.core.audience.rules.tree import (
    MOST_CONDITIONS,
    MOST_DEPTH,
    look_at_rules,
    read_rules,
)
from smsflow_provider.core.audience.rules.values import MOST_VALUES
from smsflow_provider.core.errors import AudienceError

AGE = {"column": "age", "at_least": 18}


def told(data: object) -> list[str]:
    return [str(problem) for problem in look_at_rules(data)[1]]


def test_a_list_means_all() -> None:
    assert read_rules({"all": [AGE, {"filter": "vip"}]}) == read_rules([AGE, {"filter": "vip"}])


def test_a_rule_alone_stands_for_a_list_of_one() -> None:
    assert read_rules({"except": [AGE]}) == read_rules({"except": AGE})


def test_every_form_becomes_the_rule_it_says() -> None:
    rule = read_rules(
        {
            "any": [
                {"column": "store.city", "in": ["Paris", "{{ params.city }}"], "fold": "both"},
                {"link": "orders", "none": True, "within_last": "90 days"},
                {"link": "orders", "last": "status", "equals": "paid", "date": "paid_at"},
                {"filter": "adults"},
            ],
            "except": [{"all": [AGE]}],
        }
    )

    assert isinstance(rule, Group)
    assert [Condition, LinkCount, LinkValue, Saved] == [type(each) for each in rule.any]
    assert (Group(all=(read_rules(AGE),)),) == rule.excepted


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        ({"any": True}, 1, None),
        ({"none": True}, 0, 0),
        ({"at_least": 2}, 2, None),
        ({"at_most": 3}, 0, 3),
        ({"exactly": "4"}, 4, 4),
        ({"at_least": 2, "at_most": 3}, 2, 3),
        ({"at_least": "{{ params.n }}"}, "{{ params.n }}", None),
    ],
)
def test_linked_rows_are_counted_in_few_words(
    given: dict[str, Any], low: object, high: object
) -> None:
    rule = read_rules({"link": "orders"} | given)

    assert isinstance(rule, LinkCount)
    assert (low, high) == (rule.at_least, rule.at_most)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "rules: is not a rule (write {column: …}, {link: …}, {filter: …}, or all:, any:,"),
        ({}, "rules: has no condition (write everyone: true if everyone is meant)"),
        ([], "rules.all: is an empty list (write everyone: true if everyone is meant)"),
        ({"any": []}, "rules.any: is an empty list"),
        ({"all": [AGE], "any": [AGE]}, "rules: has all and any (put one of them into the other)"),
        ({"everyone": False}, "rules.everyone: is true or is left out"),
        ({"al": [AGE]}, "rules.al: unknown field 'al' (did you mean 'all'?)"),
        ({"colum": "age", "above": 1}, "rules: has above and no column (add column: <name>)"),
        ({True: 1}, "rules: has a key that is not a text (YAML reads on as true"),
        ({"column": "age", "link": "orders"}, "rules: has column and link"),
        ({"column": 5, "above": 1}, "rules.column: is not a name"),
        ({"column": "{{ x }}", "above": 1}, "rules.column: is a template"),
        ({"column": "age"}, "rules: has no comparison (add one of equals, not_equals, in,"),
        ({"column": "age", "above": 1, "below": 3}, "rules: has 2 comparisons, above and below"),
        ({"column": "age", "abov": 1}, "rules.abov: unknown field 'abov' (did you mean 'above'?)"),
        ({"column": "a", "equals": None}, "rules.equals: is empty (write is_null: true"),
        ({"column": "a", "equals": [1]}, "rules.equals: takes one value (for several write in:"),
        ({"column": "a", "equals": {}}, "rules.equals: is not a text, a number, true, false or"),
        ({"column": "a", "equals": "a\0b"}, "rules.equals: has a NUL character"),
        ({"column": "a", "equals": "\ud800"}, "rules.equals: has half a character"),
        ({"column": "a", "equals": "a" * 10_001}, "rules.equals: has more than 10,000 characters"),
        ({"column": "a", "above": float("nan")}, "rules.above: is not a number"),
        ({"column": "a", "above": 10**5000}, "rules.above: has more than 38 digits"),
        ({"column": "a", "in": "Paris"}, "rules.in: takes a list (write [a, b])"),
        ({"column": "a", "in": []}, "rules.in: is an empty list"),
        ({"column": "a", "in": ["b", None]}, "rules.in[1]: is empty"),
        ({"column": "a", "in": [1] * (MOST_VALUES + 1)}, "rules.in: has more than 10,000 values"),
        ({"column": "a", "between": [1]}, "rules.between: takes two values, the lowest and the"),
        ({"column": "a", "above": "2026-01-31"}, "rules.above: is not a number (write 18 or 1.5;"),
        ({"column": "a", "above": True}, "rules.above: is not a number"),
        ({"column": "a", "contains": ""}, "rules.contains: is an empty text"),
        ({"column": "a", "starts_with": 33}, "rules.starts_with: is not a text (put it in quotes)"),
        ({"column": "a", "matches": "b\\"}, "rules.matches: ends in a backslash with nothing"),
        ({"column": "a", "is_null": "maybe"}, "rules.is_null: is not true or false"),
        ({"column": "a", "before": "yestreday"}, "rules.before: is not a day or a moment (write"),
        ({"column": "a", "before": 2026}, "rules.before: is not a text (write 2026-01-31,"),
        ({"column": "a", "on": "now"}, "rules.on: has a time of day where a day is needed"),
        ({"column": "a", "within_last": 30}, "rules.within_last: is not a text (write 30 days)"),
        ({"column": "a", "within_last": "30"}, "rules.within_last: is not a length of time"),
        ({"column": "a", "equals": "b", "fold": "bth"}, "rules.fold: is not a way to fold (did"),
        ({"link": "o"}, "rules: does not say how many (add one of any, none, exactly,"),
        ({"link": "o", "any": False}, "rules.any: is true or is left out"),
        ({"link": "o", "any": True, "none": True}, "rules: has any and none (write one of them)"),
        ({"link": "o", "at_least": 0}, "rules.at_least: everyone has at least 0"),
        ({"link": "o", "at_least": -1}, "rules.at_least: is not between 0 and 1,000,000,000"),
        ({"link": "o", "at_least": 1.5}, "rules.at_least: is not a number of rows"),
        ({"link": "o", "at_least": 3, "at_most": 2}, "rules: has at_least above at_most"),
        ({"link": "o", "sum": "a"}, "rules: has no comparison"),
        ({"link": "o", "sum": True, "above": 1}, "rules.sum: needs a column (write sum: <column>)"),
        ({"link": "o", "sum": "a", "least": "b", "above": 1}, "rules: has sum and least"),
        ({"link": "o", "any": True, "where": []}, "rules.where.all: is an empty list"),
        (
            {"link": "o", "any": True, "within_last": "1 day", "within_next": "1 day"},
            "rules: has within_last and within_next",
        ),
        ({"filter": "a", "fold": "case"}, "rules.fold: unknown field 'fold'"),
        ({"city": "Paris"}, "rules.city: unknown field 'city' (write {column: city, equals: …})"),
        ({"not": {"filter": "a"}}, "rules.not: unknown field 'not' (write except:"),
        ({"column": "a", "equals": 1, "or": 2}, "rules.or: unknown field 'or' (write any:"),
        ({"link": "o", "above": 3}, "rules: has above and does not say of what (add one of count,"),
        ({"column": "a", "matches": "*"}, "rules.matches: is the form of every text"),
    ],
)
def test_what_cannot_be_meant_is_told(data: object, problem: str) -> None:
    found = told(data)

    assert 1 == len(found), found
    assert found[0].startswith(problem)


def test_all_problems_are_told_at_once_by_their_paths() -> None:
    rules = {
        "all": [
            {"column": "age", "atleast": 18},
            {"link": "orders", "any": True, "where": {"column": "status", "eqals": "paid"}},
        ],
        "except": [{"any": [{"column": "city", "in": ["Paris", None]}]}],
    }

    with pytest.raises(AudienceError) as caught:
        read_rules(rules)

    assert "3 problems in the rules" == caught.value.problem
    assert [
        "rules.all[0].atleast: unknown field 'atleast' (did you mean 'at_least'?)",
        "rules.all[1].where.eqals: unknown field 'eqals' (did you mean 'equals'?)",
        "rules.except[0].any[0].in[1]: is empty (write is_null: true for an empty value)",
    ] == caught.value.facts["problems"]


def test_problems_never_repeat_a_value() -> None:
    number = "+33612345678"
    rules = [{"column": "a", "above": number + "x"}, {"column": "a", "before": number}]

    assert number not in str(told(rules))
    assert 2 == len(told(rules))


def test_very_many_problems_are_counted_and_not_all_told() -> None:
    with pytest.raises(AudienceError) as caught:
        read_rules([{"column": "a", "in": [None] * 250}])

    assert "250 problems in the rules" == caught.value.problem
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    assert "and 150 more" == problems[-1]


def test_rules_cannot_be_nested_without_end() -> None:
    deep: Any = AGE
    for _ in range(MOST_DEPTH - 1):
        deep = {"all": [deep]}

    assert [] == told(deep)
    assert "is nested more than 20 deep" in told({"all": [deep]})[0]
    bottomless: list[Any] = []
    bottomless.append(bottomless)
    assert "is nested more than 20 deep" in told(bottomless)[0]


def test_there_may_be_so_many_conditions_and_no_more() -> None:
    assert [] == told([AGE] * MOST_CONDITIONS)
    assert 1 == len(told([AGE] * (MOST_CONDITIONS + 200)))
    assert 1 == len(told([{"everyone": True}] * (MOST_CONDITIONS + 200)))


@pytest.mark.parametrize("comparison", Comparison)
def test_a_template_may_stand_for_any_value(comparison: str) -> None:
    assert [] == told({"column": "a", comparison: "{{ params.x }}"})


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00+00:00"),
        (Decimal("12.50"), 12.5),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (18.0, 18.0),
    ],
)
def test_values_are_kept_as_json_has_them(written: object, kept: object) -> None:
    assert {"column": "a", "equals": kept} == read_rules(
        {"column": "a", "equals": written}
    ).as_data()


def test_a_flag_that_templating_made_a_text_is_the_flag() -> None:
    assert read_rules({"column": "a", "is": "True"}) == read_rules({"column": "a", "is": True})


NAMES = st.sampled_from(["age", "city", "store.region"])
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0{%"), max_size=5),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
CONDITIONS = st.one_of(
    st.builds(lambda name, value: {"column": name, "equals": value}, NAMES, SCALARS),
    st.builds(lambda n, v: {"column": n, "in": v}, NAMES, st.lists(SCALARS, min_size=1)),
    st.builds(lambda count: {"link": "orders", "exactly": count}, st.integers(0, 5)),
    st.just({"link": "orders", "sum": "amount", "above": 5, "within_last": "1 year"}),
    st.just({"filter": "adults"}),
    st.just({"everyone": True}),
)
RULES = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(
            lambda kind, some, out: {kind: some} | ({"except": out} if out else {}),
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
            st.lists(inner, max_size=2),
        ),
        st.builds(lambda where: {"link": "orders", "any": True, "where": where}, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(RULES)
def test_rules_written_as_json_are_read_as_the_same_rules(data: dict[str, Any]) -> None:
    rule = read_rules(data)

    assert rule == read_rules(json.loads(json.dumps(rule.as_data())))
    assert rule == read_rules(rule)


ANYTHING = st.recursive(
    st.one_of(st.none(), SCALARS, st.dates(), st.sampled_from(["any", "30 days", "{{ x }}"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [*Comparison, "column", "link", "filter", "all", "any", "except", "where", "sum"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(ANYTHING)
def test_whatever_is_given_becomes_a_rule_or_problems(data: object) -> None:
    rule, problems = look_at_rules(data)

    assert (rule is None) == bool(problems)
