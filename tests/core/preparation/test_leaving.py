"""How long messages take to leave, and what is said about it before anybody says Send."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.core.content.sending_settings import Failover
from smsflow_provider.core.preparation.checks import Level
from smsflow_provider.core.preparation.leaving import (
    Leaving,
    Rate,
    check_failover,
    check_validity,
    shortest_of,
    shortest_s,
)
from tests.core.preparation.preparing import make_template
from tests.core.preparation.test_tally import tally_of

FREE = Rate(conn_id="free")
ACCOUNT = Rate(conn_id="account", parts_per_s=10)
SENDER = Rate(conn_id="sender", parts_per_s=100, sender_parts_per_s=5)


@pytest.mark.parametrize(
    ("rates", "takes_s"),
    [([], None), ([FREE], None), ([ACCOUNT], 100.0), ([SENDER], 150.0)],
    ids=["nobody looked", "no limit", "the account", "the busiest sender"],
)
def test_the_tightest_limit_says_how_long_it_takes(rates: list[Rate], takes_s: object) -> None:
    loads = [("FR", "A", 700, 720), ("BE", "B", 240, 240)]

    assert takes_s == shortest_s(loads, rates)


def test_two_gateways_share_the_work_by_country() -> None:
    loads = [("FR", "A", 960, 960), ("BE", "A", 480, 480)]
    failover = Failover(gateway="second", countries=("BE",))
    second = Rate(conn_id="second", parts_per_s=1)

    assert 500.0 == shortest_s(loads, [ACCOUNT, second], failover=failover)
    assert 100.0 == shortest_s(loads, [ACCOUNT, FREE], failover=failover)
    assert 150.0 == shortest_s(loads, [ACCOUNT, second], failover=Failover(gateway="second"))


def test_the_parts_that_were_counted_are_those_that_take_time() -> None:
    tally = tally_of(*[{"parts": 3, "region": "FR"}] * 32)

    assert 10.0 == shortest_of(tally, Leaving(rates=[ACCOUNT]), template=make_template())
    assert 0 == shortest_of(tally_of(), Leaving(rates=[ACCOUNT]), template=make_template())


@pytest.mark.parametrize(
    ("sending", "takes_s", "warned"),
    [
        ({}, None, False),
        ({}, 3600.0, False),
        ({}, 3601.0, True),
        ({"spread": {"over": "61m"}}, None, True),
        ({"spread": {"over": "30m"}}, 1000.0, False),
        ({"spread": {"finish_by": "18:00"}}, 1000.0, False),
        ({"waves": {"shares": ["1%", "10%"], "wait": "20m"}}, 1200.0, False),
        ({"waves": {"shares": ["1%", "10%"], "wait": "20m"}}, 1201.0, True),
    ],
)
def test_what_takes_longer_than_its_validity_is_a_warning(
    *, sending: dict[str, Any], takes_s: float | None, warned: bool
) -> None:
    template = make_template(validity="1h", sending=sending)

    lines = check_validity(template, to_deliver=1000, shortest_s=takes_s)

    assert ([(Level.WARNING, "too_slow")] if warned else []) == [
        (line.level, line.event) for line in lines
    ]
    assert [] == check_validity(template, to_deliver=0, shortest_s=takes_s)


def test_the_warning_names_both_durations() -> None:
    template = make_template(validity="1h")

    (line,) = check_validity(template, to_deliver=9, shortest_s=7200.0)

    assert (
        "the messages take 2.0 h to leave, or longer, and their validity is 60 min:"
        " the last ones expire"
    ) == line.problem


def test_a_second_gateway_that_is_the_first_one_is_an_error() -> None:
    template = make_template(sending={"failover": {"gateway": "sms"}})

    (line,) = check_failover(template, gateway="sms")

    assert (Level.ERROR, "config_refused") == (line.level, line.event)
    assert "sms" in line.problem
    assert [] == check_failover(template, gateway="other")
    assert [] == check_failover(make_template(), gateway="sms")
