"""A typology applied to a whole preparation, on a real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.typology import Typology
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from tests.core.preparation.preparing import (
    exclusions_of,
    make_template,
    messages_of,
    person,
    run_prepare,
)


def ruled(*rules: dict[str, Any], exclude: dict[str, Any] | None = None, **fields: Any) -> Any:
    """Give the settings of a delivery that is prepared by *rules*."""
    typology = Typology.model_validate({"rules": rules, **fields})
    own = Population.read(exclude or {}, what="exclude")
    return {"typology": typology, "population": typology.population.merged(own)}


def reasons_of(store: Store, delivery: Delivery) -> list[tuple[str, str, str]]:
    rows = exclusions_of(store, delivery)
    return [(row["recipient_id"], row["reason"], row["detail"]) for row in rows]


def problems_of(store: Store, delivery: Delivery) -> list[tuple[str, str]]:
    return [(row["level"], row["event"]) for row in read_log(store, delivery)]


PEOPLE = [person(n, age=age) for n, age in enumerate([17, 18, 40, 70], start=1)]
WEEKLY = {"kind": "pressure", "name": "weekly", "days": 7, "most": 1, "counts": []}


def test_filters_name_themselves_in_the_exclusions(store: Store) -> None:
    rules = ruled(
        {"kind": "filter", "name": "minors", "exclude_when": "age < 18"},
        exclude={"filters": {"old": "age > 65 AND number_country = 'FR'"}},
    )
    delivery = run_prepare(store, PEOPLE, size=2, **rules)

    assert [("r1", "filtered", "minors"), ("r4", "filtered", "old")] == reasons_of(store, delivery)
    assert ["r2", "r3"] == [row["recipient_id"] for row in messages_of(store, delivery)]


def test_a_text_that_waits_elsewhere_counts_for_the_pressure(store: Store) -> None:
    run_prepare(store, PEOPLE[:2], delivery_id="earlier")
    delivery = run_prepare(store, PEOPLE, delivery_id="later", **ruled(WEEKLY))

    assert [("r1", "pressure", "weekly"), ("r2", "pressure", "weekly")] == (
        reasons_of(store, delivery)
    )


def test_a_greater_weight_goes_first(store: Store) -> None:
    run_prepare(store, PEOPLE[:2], delivery_id="earlier", weight=5)
    delivery = run_prepare(store, PEOPLE, delivery_id="later", weight=6, **ruled(WEEKLY))

    assert 4 == delivery.to_deliver


def test_everybody_may_have_a_threshold_of_their_own(store: Store) -> None:
    by_age = {**WEEKLY, "most_by": "CASE WHEN age > 17 THEN 2 ELSE 0 END"}
    delivery = run_prepare(store, PEOPLE, **ruled(by_age))

    assert [("r1", "pressure", "weekly")] == reasons_of(store, delivery)


def test_an_error_of_a_control_leaves_nothing_that_could_be_approved(store: Store) -> None:
    control = {"kind": "control", "code": "too_many", "message": "Too many", "level": "error"}
    delivery = run_prepare(store, PEOPLE, **ruled({**control, "fails_when": "to_deliver >= 4"}))

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert ("error", "too_many") in problems_of(store, delivery)
    assert [] == messages_of(store, delivery)


@pytest.mark.parametrize(("level", "expected"), [("warning", "warning"), ("note", "info")])
def test_a_softer_control_is_for_the_reviewer(store: Store, level: str, expected: str) -> None:
    control = {"kind": "control", "code": "look", "message": "Look", "level": level}
    delivery = run_prepare(store, PEOPLE, **ruled({**control, "fails_when": "parts = 4"}))

    assert DeliveryState.READY is delivery.state
    assert (expected, "look") in problems_of(store, delivery)


def test_a_rule_changes_the_fingerprint_even_where_it_leaves_nobody_out(store: Store) -> None:
    plain = run_prepare(store, PEOPLE, delivery_id="a")
    rules = ruled({"kind": "filter", "name": "none", "exclude_when": "age > 200"})
    other = run_prepare(store, PEOPLE, delivery_id="b", **rules)

    assert plain.to_deliver == other.to_deliver
    assert plain.fingerprint != other.fingerprint


def test_the_control_group_is_the_same_in_every_delivery_of_a_workflow(store: Store) -> None:
    people = [person(n) for n in range(1, 101)]
    told = {**ruled(exclude={"control_group": {"percent": 20}}), "workflow": "shop.sale"}
    first, second = (run_prepare(store, people, delivery_id=name, **told) for name in "ab")
    other = run_prepare(store, people, delivery_id="c", **{**told, "workflow": "shop.other"})

    assert 20 == len(reasons_of(store, first))
    assert reasons_of(store, first) == reasons_of(store, second)
    assert reasons_of(store, first) != reasons_of(store, other)


def test_a_computed_sender_is_that_of_the_row(store: Store) -> None:
    people = [person(1, shop="ACME Lyon"), person(2, shop=None)]
    template = make_template(sender="ACME", sender_expression="shop")
    delivery = run_prepare(store, people, template=template)

    assert ["ACME Lyon", "ACME"] == [row["sender"] for row in messages_of(store, delivery)]


def test_a_sender_nobody_takes_fails_the_preparation(store: Store) -> None:
    people = [person(1, shop="Crème"), person(2, shop=None)]
    template = make_template(sender="ACME", sender_expression="shop")
    delivery = run_prepare(store, people, template=template)

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert [("error", "sender_invalid")] == problems_of(store, delivery)


def test_a_rule_without_its_column_fails_before_a_row_is_read(store: Store) -> None:
    rules = ruled({"kind": "filter", "name": "minors", "exclude_when": "agee < 18"})
    with pytest.raises(ConfigError):
        run_prepare(store, PEOPLE, **rules)
    (line,) = read_log(store, find_delivery(store, "d1"))

    told = "filter minors: unknown column 'agee' (did you mean 'age'?)"
    assert [told] == line["facts"]["problems"]
    assert f"1 problem in the rules of the delivery: {told}" == line["problem"]


def test_yesterday_is_not_today(store: Store) -> None:
    today = utc_now()
    people = [person(1, seen=today.date()), person(2, seen=today.date() - timedelta(days=3))]
    rules = ruled(exclude={"filters": {"lately": "seen >= CURRENT_DATE - INTERVAL '1 day'"}})
    delivery = run_prepare(store, people, now=lambda: today, **rules)

    assert [("r1", "filtered", "lately")] == reasons_of(store, delivery)
