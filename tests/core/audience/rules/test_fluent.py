"""Rules in Python are those of YAML."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from smsflow_provider import col, everyone, link, saved
from smsflow_provider.core.audience.rules.rule import AnyRule, Group
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.errors import AudienceError

adult = col("age").at_least(18)
paid = col("status").equals("paid")
test_person = col("name").matches("Test*")
#: The same in YAML.
ADULT = "{column: age, at_least: 18}"
PAID = "{column: status, equals: paid}"
TEST = "{column: name, matches: Test*}"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (col("city").is_in("Paris", "Lyon"), "{column: city, in: [Paris, Lyon]}"),
        (col("city").not_in("Paris", fold="both"), "{column: city, not_in: [Paris], fold: both}"),
        (col("a").equals("x"), "{column: a, equals: x}"),
        (col("a").not_equals("x", fold="case"), "{column: a, not_equals: x, fold: case}"),
        (col("a").above(1.5), "{column: a, above: 1.5}"),
        (col("a").below("{{ params.n }}"), '{column: a, below: "{{ params.n }}"}'),
        (col("a").at_most(1), "{column: a, at_most: 1}"),
        (col("a").between(18, 25), "{column: a, between: [18, 25]}"),
        (col("a").starts_with("x"), "{column: a, starts_with: x}"),
        (col("a").ends_with("x"), "{column: a, ends_with: x}"),
        (col("a").contains("x"), "{column: a, contains: x}"),
        (col("a").not_contains("x"), "{column: a, not_contains: x}"),
        (col("a").not_matches("x?"), "{column: a, not_matches: 'x?'}"),
        (col("a").is_null(), "{column: a, is_null: true}"),
        (col("a").is_not_null(), "{column: a, is_null: false}"),
        (col("a").is_true(), "{column: a, is: true}"),
        (col("a").is_false(), "{column: a, is: false}"),
        (col("a").before(date(2026, 1, 31)), "{column: a, before: 2026-01-31}"),
        (col("a").after("today"), "{column: a, after: today}"),
        (col("a").on("today"), '{column: a, "on": today}'),
        (col("a").since("start of month"), "{column: a, from: start of month}"),
        (col("a").until("now"), "{column: a, until: now}"),
        (col("a").within_last("30 days"), "{column: a, within_last: 30 days}"),
        (col("a").within_next("1 week"), "{column: a, within_next: 1 week}"),
        (col("a").anniversary("today"), "{column: a, anniversary: today}"),
        (col("a").anniversary("today", "tomorrow"), "{column: a, anniversary: [today, tomorrow]}"),
        (saved("adults"), "{filter: adults}"),
        (everyone(), "{everyone: true}"),
        (link("orders").any(), "{link: orders, any: true}"),
        (
            link("orders").none(date="paid_on", within_last="1 day"),
            "{link: orders, none: true, within_last: 1 day, date: paid_on}",
        ),
        (
            link("orders").at_least(2, where=paid, within_last="90 days"),
            f"{{link: orders, at_least: 2, where: {PAID}, within_last: 90 days}}",
        ),
        (link("orders").at_most(2), "{link: orders, at_most: 2}"),
        (link("orders").exactly(0), "{link: orders, none: true}"),
        (link("orders").between(1, 3), "{link: orders, at_least: 1, at_most: 3}"),
        (link("orders").sum("amount").above(100), "{link: orders, sum: amount, above: 100}"),
        (
            link("orders").count(where=paid).at_least(2),
            f"{{link: orders, count: true, at_least: 2, where: {PAID}}}",
        ),
        (link("orders").count("paid_on").equals(2), "{link: orders, count: paid_on, equals: 2}"),
        (link("orders").average("a").below(2), "{link: orders, average: a, below: 2}"),
        (link("orders").least("a").at_least(2), "{link: orders, least: a, at_least: 2}"),
        (link("orders").greatest("a").is_null(), "{link: orders, greatest: a, is_null: true}"),
        (
            link("orders").last("a").contains("x", fold="accents"),
            "{link: orders, last: a, contains: x, fold: accents}",
        ),
        (
            adult & paid & test_person,
            f"all: [{ADULT}, {PAID}, {TEST}]",
        ),
        (adult | paid, "any: [{column: age, at_least: 18}, {column: status, equals: paid}]"),
        (
            (adult | paid) & test_person,
            f"- any: [{ADULT}, {PAID}]\n- {TEST}",
        ),
        (
            everyone() - adult - paid,
            f"except: [{ADULT}, {PAID}]",
        ),
        (
            (adult & paid) - test_person,
            f"all: [{ADULT}, {PAID}]\nexcept: {TEST}",
        ),
        (
            (adult | paid) - test_person,
            f"any: [{ADULT}, {PAID}]\nexcept: {TEST}",
        ),
        (
            adult - test_person,
            f"all: {ADULT}\nexcept: {TEST}",
        ),
    ],
)
def test_python_and_yaml_give_the_same_rule(rule: AnyRule, text: str) -> None:
    assert read_rules(yaml.safe_load(text)) == rule
    assert read_rules(rule.as_data()) == rule


def test_who_was_taken_out_stays_out_of_what_is_joined_later() -> None:
    adults_but = adult - test_person

    assert Group(all=(adults_but, paid)) == adults_but & paid
    assert Group(any=(paid, adults_but)) == paid | adults_but
    assert Group(all=(everyone(), adult)) == everyone() & adult


def test_a_mistake_is_told_where_it_is_made() -> None:
    seen = col("seen")

    with pytest.raises(AudienceError) as caught:
        seen.within_last("30 dayz")

    assert "rule.within_last: is not a length of time" in str(caught.value.facts["problems"])


def test_a_rule_cannot_be_given_a_name_for_a_value() -> None:
    with pytest.raises(AudienceError):
        col("{{ params.column }}").is_true()


def test_rules_are_not_joined_by_and_or() -> None:
    """Python would keep one of the two and drop the other without a word."""
    with pytest.raises(TypeError, match="join rules by"):
        col("age").at_least(18) and col("city").equals("Paris")  # type: ignore[unused-ignore]
