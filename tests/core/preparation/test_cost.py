"""Estimates: exact to the last decimal, and loud about what has no price."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.preparation.checks import Level
from smsflow_provider.core.preparation.cost import Count, estimate, money
from smsflow_provider.core.preparation.prices import PriceTable

TABLE = PriceTable(
    currency="EUR",
    as_of=date(2026, 11, 1),
    prices={
        ("FR", "*"): Decimal("0.045"),
        ("FR", "acme"): Decimal("0.05"),
        ("US", "*"): Decimal("0.0083"),
    },
)


def test_an_estimate_adds_up_by_country() -> None:
    found = estimate([("FR", "ACME", 10, 12), ("FR", "36111", 5, 5), ("US", "ACME", 2, 2)], TABLE)

    assert (17, 19, Decimal("0.8416")) == (found.messages, found.parts, found.total)
    assert [("FR", 15, 17, Decimal("0.825")), ("US", 2, 2, Decimal("0.0166"))] == [
        (one.country, one.messages, one.parts, one.cost) for one in found.countries
    ]
    assert (Decimal("0.045"), Decimal("0.05")) == found.countries[0].prices
    assert found.is_complete
    assert ["cost"] == [line.event for line in found.lines()]
    assert "19 parts cost 0.84 EUR" == found.lines()[0].problem


def test_a_missing_price_makes_the_cost_a_least_one() -> None:
    found = estimate([("FR", "ACME", 1, 2), ("BR", "ACME", 3, 4), ("", "ACME", 1, 1)], TABLE)
    missing, cost = found.lines()

    assert not found.is_complete
    assert (Level.WARNING, "price_missing") == (missing.level, missing.event)
    assert "4 numbers have no price: BR, no country" == missing.problem
    assert {"numbers": 4, "parts": 5, "countries": {"BR": 3, "": 1}} == missing.facts
    assert (Level.INFO, "7 parts cost at least 0.10 EUR") == (cost.level, cost.problem)
    assert [None, None] == [one.cost for one in found.missing]


def test_one_line_names_at_most_ten_countries() -> None:
    counts: list[Count] = [(f"X{letter}", "", 1, 1) for letter in "ABCDEFGHIJKLM"]

    assert estimate(counts, TABLE).lines()[0].problem.endswith("XJ and 3 more")


def test_without_a_table_there_are_parts_and_no_cost() -> None:
    found = estimate([("FR", "ACME", 1, 2)], None)

    assert (2, None, False, (), []) == (
        found.parts,
        found.total,
        found.is_complete,
        found.missing,
        found.lines(),
    )


def test_nobody_to_text_costs_nothing() -> None:
    found = estimate([], TABLE)

    assert (Decimal(0), True) == (found.total, found.is_complete)


def test_the_figures_are_json_and_keep_every_decimal() -> None:
    found = estimate([("FR", "ACME", 1, 1), ("BR", "", 1, 1)], TABLE).as_dict()

    assert found == json.loads(json.dumps(found))
    assert ("0.050000", "2026-11-01", False) == (
        found["total"],
        found["as_of"],
        found["is_complete"],
    )
    assert [{"country": "FR", "sender": "acme", "price": "0.05"}] == found["rates"]
    assert [{"country": "BR", "messages": 1, "parts": 1}] == found["missing"]


def test_the_rates_name_the_country_they_were_used_for() -> None:
    """A price for any country is kept under each country it was used for."""
    table = PriceTable(currency="EUR", as_of=TABLE.as_of, prices={("*", "number"): Decimal(1)})
    found = estimate([("FR", "1234", 1, 1), ("DE", "5678", 1, 1), ("FR", "999", 1, 1)], table)

    assert [("DE", "number"), ("FR", "number")] == [
        (one.country, one.sender) for one in found.rates
    ]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00 EUR"),
        ("0.005", "0.005 EUR"),
        ("0.014999", "0.01 EUR"),
        ("0.015", "0.02 EUR"),
        ("1234567.5", "1,234,567.50 EUR"),
    ],
)
def test_money_is_written_for_people(amount: str, shown: str) -> None:
    assert shown == money(Decimal(amount), "EUR")


COUNTS = st.lists(
    st.tuples(
        st.sampled_from(["FR", "US", "BR", ""]),
        st.sampled_from(["ACME", "Shop", "36111", ""]),
        st.integers(1, 1_000_000),
        st.integers(1, 5_000_000),
    ),
    max_size=30,
)


@given(counts=COUNTS)
def test_the_total_is_the_sum_of_every_pair(counts: Sequence[Count]) -> None:
    found = estimate(counts, TABLE)
    prices = [(TABLE.price_of(region, sender), parts) for region, sender, _, parts in counts]

    assert sum(price * parts for price, parts in prices if price is not None) == found.total
    assert sum(parts for _, parts in prices) == found.parts
    assert found.is_complete == all(price is not None for price, _ in prices)
    assert sum((one.cost or Decimal(0)) for one in found.countries) == found.total
