from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsflow_provider.core.content.settings import TemplateSettings
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.typology import (
    TYPOLOGY_DEFAULT,
    Occasion,
    Typology,
    occasion_of,
)

MARKETING = Occasion(
    message_class=MessageClass.MARKETING,
    workflow="marketing.spring_sale",
    template="shop/sale",
    gateway="sms_gateway",
    senders=frozenset({"ACME"}),
)


def a_filter(name: str, **changed: Any) -> dict[str, Any]:
    return {"kind": "filter", "name": name, "exclude_when": "age < 18", **changed}


def a_control(code: str, **changed: Any) -> dict[str, Any]:
    fixed = {"level": "error", "fails_when": "to_deliver > 9", "message": "too many"}
    return {"kind": "control", "code": code, **fixed, **changed}


def a_pressure(name: str, **changed: Any) -> dict[str, Any]:
    return {"kind": "pressure", "name": name, "days": 7, "most": 2, **changed}


def make_typology(*rules: dict[str, Any], **changed: Any) -> Typology:
    return Typology.model_validate({"rules": rules, **changed})


def test_rules_are_tried_lowest_first_and_then_as_they_stand() -> None:
    typology = make_typology(
        a_filter("b"), a_filter("last", order=90), a_filter("a"), a_filter("first", order=1)
    )

    assert ["first", "b", "a", "last"] == list(typology.filters(MARKETING, Population()))


def test_filters_of_a_delivery_come_behind_rules_of_the_default_order() -> None:
    typology = make_typology(a_filter("late", order=51), a_filter("usual"))
    own = Population(filters={"own": "age > 99"})

    assert ["usual", "own", "late"] == list(typology.filters(MARKETING, own))


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=8))
def test_rules_that_are_switched_off_are_not_there(rules: list[tuple[int, bool]]) -> None:
    typology = make_typology(
        *[
            a_control(f"c{place}", order=order, enabled=enabled)
            for place, (order, enabled) in enumerate(rules)
        ]
    )
    expected = sorted((order, place) for place, (order, enabled) in enumerate(rules) if enabled)

    assert [f"c{place}" for _, place in expected] == [
        rule.code for rule in typology.controls(MARKETING)
    ]


@pytest.mark.parametrize(
    ("applies", "expected"),
    [
        ({}, True),
        ({"classes": ["marketing"]}, True),
        ({"classes": ["transactional"]}, False),
        ({"workflows": ["marketing.*"]}, True),
        ({"workflows": ["crm.*", "*.spring_sale"]}, True),
        ({"workflows": ["Marketing.*"]}, False),
        ({"templates": ["shop/*"]}, True),
        ({"templates": ["sale"]}, False),
        ({"senders": ["ACME", "OTHER"]}, True),
        ({"senders": ["OTHER"]}, False),
        ({"gateways": ["sms_gateway"]}, True),
        ({"gateways": ["other"]}, False),
        ({"classes": ["marketing"], "gateways": ["other"]}, False),
    ],
)
def test_a_rule_applies_where_all_that_is_said_holds(
    applies: dict[str, Any], *, expected: bool
) -> None:
    typology = make_typology(
        a_filter("it", applies_when=applies), a_pressure("it", applies_when=applies)
    )

    assert expected == bool(typology.filters(MARKETING, Population()))
    assert expected == bool(typology.pressures(MARKETING))


def test_a_rule_for_a_sender_applies_where_nobody_knows_the_sender() -> None:
    """It protects somebody: in doubt it is asked."""
    settings = TemplateSettings(sender="ACME", sender_expression="shop")
    occasion = occasion_of(settings, template="sale", gateway="sms_gateway")
    typology = make_typology(a_filter("it", applies_when={"senders": ["OTHER"]}))

    assert ["it"] == list(typology.filters(occasion, Population()))


def test_every_sender_by_country_counts() -> None:
    settings = TemplateSettings(sender="ACME", senders={"FR": "36111"})
    occasion = occasion_of(settings, template="sale", gateway="sms_gateway", workflow="a.b")

    assert frozenset({"ACME", "36111"}) == occasion.senders
    assert "a.b" == occasion.workflow


def problem_of(*rules: dict[str, Any], **changed: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        make_typology(*rules, **changed)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([a_filter("a"), a_filter("a")], "there is more than one filter 'a'"),
        ([a_control("a"), a_control("a")], "there is more than one control 'a'"),
        ([a_pressure("a"), a_pressure("a", enabled=False)], "more than one pressure rule 'a'"),
        ([a_filter("a", order=-1)], "greater than or equal to 0"),
        ([a_filter("a", exclude_when="sum(age) > 1")], "unknown function 'sum'"),
        ([a_pressure("a", days=0)], "greater than or equal to 1"),
        ([a_pressure("a", most=-1)], "greater than or equal to 0"),
        ([a_control("a", level="fatal")], "'error', 'warning' or 'note'"),
        ([a_control("A B")], "cannot name a rule"),
        ([{"kind": "capacity"}], "capacity"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(rules: list[dict[str, Any]], expected: str) -> None:
    assert expected in problem_of(*rules)


def test_a_rule_and_the_population_cannot_share_the_name_of_a_filter() -> None:
    found = problem_of(a_filter("a"), population={"filters": {"a": "age > 1"}})

    assert "there is more than one filter 'a'" in found


def test_a_delivery_cannot_take_the_name_of_a_rule() -> None:
    typology = make_typology(a_filter("minors", enabled=False))

    with pytest.raises(ConfigError) as caught:
        typology.filters(MARKETING, Population(filters={"minors": "age < 8"}))

    assert ["minors"] == caught.value.facts["filters"]


def test_rules_of_different_kinds_may_share_a_name() -> None:
    assert 3 == len(make_typology(a_filter("a"), a_control("a"), a_pressure("a")).rules)


def test_a_typology_survives_its_snapshot() -> None:
    typology = make_typology(
        a_filter("a", applies_when={"classes": ["marketing"], "senders": ["B", "A"]}),
        a_pressure("b", most_by="tier * 2", counts=[]),
        a_control("c", level="note"),
        label="France",
        time_zone="Europe/Paris",
        population={"numbers": {"countries": ["FR", "BE"]}},
        opt_out_mentions={"fr": "STOP 36111"},
    )
    written = json.loads(json.dumps(typology.as_dict()))

    assert typology == Typology.from_dict(written)
    assert ["A", "B"] == written["rules"][0]["applies_when"]["senders"]
    assert {"FR": "STOP 36111"} == written["opt_out_mentions"]


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a snapshot"):
        Typology.from_dict({"rules": [{"kind": "filter"}]})


def test_without_a_typology_nothing_is_ruled() -> None:
    assert () == TYPOLOGY_DEFAULT.rules
    assert Population() == TYPOLOGY_DEFAULT.population


@pytest.mark.parametrize(
    ("said", "general", "in_france"),
    [
        ({}, "STOP", "STOP 36111"),
        ({"opt_out_mention": "Reply STOP"}, "Reply STOP", "Reply STOP"),
        ({"opt_out_mentions": {"FR": "STOP 9"}}, "STOP", "STOP 9"),
        ({"opt_out_mentions": {"DE": "STOP 9"}}, "STOP", "STOP 36111"),
    ],
)
def test_a_typology_gives_the_mention_a_template_lacks(
    said: dict[str, Any], general: str, in_france: str
) -> None:
    typology = make_typology(opt_out_mention="STOP", opt_out_mentions={"FR": "STOP 36111"})
    found, by_country = typology.mentions(TemplateSettings(**said))

    assert (general, in_france) == (found, by_country.get("FR", found))


@pytest.mark.parametrize(
    "changed",
    [
        {"time_zone": "Europe/Pariss"},
        {"opt_out_mentions": {"UK": "STOP"}},
        {"opt_out_mention": ""},
        {"rule": []},
    ],
)
def test_wrong_fields_are_refused(changed: dict[str, Any]) -> None:
    assert problem_of(**changed)
