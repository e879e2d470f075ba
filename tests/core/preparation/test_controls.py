from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

import pytest

from smsflow_provider.core.model import Exclusion, MessageClass
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.controls import check_controls, problems_of_controls
from smsflow_provider.core.preparation.figures import FIGURE_TYPES, Figures
from smsflow_provider.core.preparation.typology import Occasion, Typology

OCCASION = Occasion(
    message_class=MessageClass.MARKETING, workflow="a.b", template="sale", gateway="sms_gateway"
)


def make_typology(**controls: Any) -> Typology:
    """Make a typology of controls: code to condition, or to fields."""
    rules = [
        {
            "kind": "control",
            "code": code,
            "level": "error",
            "message": "look at it",
            **(given if isinstance(given, dict) else {"fails_when": given}),
        }
        for code, given in controls.items()
    ]
    return Typology.model_validate({"rules": rules})


def told(figures: Figures, **controls: Any) -> list[LogLine]:
    return check_controls(make_typology(**controls).controls(OCCASION), figures)


def test_a_control_that_holds_says_nothing() -> None:
    assert [] == told(Figures(to_deliver=5), too_many="to_deliver > 5")


def test_a_control_that_fails_is_a_line_with_the_figures_it_looked_at() -> None:
    (line,) = told(
        Figures(to_deliver=6, targeted=10, duplicate=4),
        too_many="to_deliver > 5 AND duplicate * 100 / targeted > 20",
    )

    assert (Level.ERROR, "too_many", "look at it") == (line.level, line.event, line.problem)
    assert {"duplicate": 4, "targeted": 10, "to_deliver": 6} == line.facts


@pytest.mark.parametrize(
    ("level", "expected"),
    [("error", Level.ERROR), ("warning", Level.WARNING), ("note", Level.INFO)],
)
def test_the_level_decides_what_a_failure_means(level: str, expected: Level) -> None:
    (line,) = told(Figures(), it={"level": level, "fails_when": "to_deliver = 0"})

    assert expected is line.level


def test_what_is_not_known_counts_as_failed() -> None:
    """No price table: a limit on the cost must not pass because nobody knows the cost."""
    (line,) = told(Figures(to_deliver=5), dear="cost > 500")

    assert "look at it (cannot be told: cost is not known)" == line.problem
    assert [] == told(Figures(to_deliver=5), dear="COALESCE(cost, 0) > 500")
    assert [] == told(Figures(to_deliver=5, cost=499.99), dear="cost > 500")


def test_a_share_of_nobody_is_not_known_or_does_not_fail() -> None:
    assert told(Figures(), all_lost="excluded / NULLIF(targeted, 0) > 0.5")


def test_a_control_may_always_fail() -> None:
    (line,) = told(Figures(), ask={"level": "note", "fails_when": "TRUE"})

    assert ("ask", {}) == (line.event, line.facts)


def test_controls_speak_in_their_order() -> None:
    lines = told(
        Figures(),
        b={"fails_when": "parts = 0", "order": 60},
        a={"fails_when": "parts = 0", "order": 10},
    )

    assert ["a", "b"] == [line.event for line in lines]


def test_the_day_of_the_preparation_is_that_of_the_figures() -> None:
    christmas = "day BETWEEN DATE '2026-12-24' AND DATE '2026-12-26' OR weekday = 7"
    (line,) = told(Figures(day=date(2026, 12, 25), weekday=5, hour=9), feast=christmas)

    assert {"day": "2026-12-25", "weekday": 5} == line.facts
    assert [] == told(Figures(day=date(2026, 12, 23), weekday=3), feast=christmas)
    assert told(Figures(day=date(2026, 12, 25)), feast="CURRENT_DATE = DATE '2026-12-25'")


def test_every_reason_to_exclude_is_a_figure() -> None:
    assert {reason.value for reason in Exclusion} <= set(FIGURE_TYPES)


@pytest.mark.parametrize("name", sorted(FIGURE_TYPES))
def test_every_figure_can_be_asked_for(name: str) -> None:
    typology = make_typology(it=f"{name} IS NULL")

    assert [] == list(problems_of_controls(typology))
    assert {each.name for each in fields(Figures)} == set(Figures().as_frame().columns)


def test_controls_that_cannot_be_used_are_found_before_a_delivery() -> None:
    typology = make_typology(fine="parts > 1", wrong="partz > 1", odd="sender > 3")

    assert [
        ("rules.1.fails_when", "unknown column 'partz' (did you mean 'parts'?)"),
        ("rules.2.fails_when", "cannot compare string with numeric type (i32)"),
    ] == list(problems_of_controls(typology))


def test_figures_are_read_from_those_of_a_delivery() -> None:
    figures = Figures.of(
        {
            "excluded": {"duplicate": 3, "opted_out": 1},
            "encodings": {"gsm7": 4, "ucs2": 2},
            "regions": {"FR": {}, "DE": {}},
            "languages": {"fr": 6},
            "senders": {"ACME": 6},
            "longest_parts": 2,
            "cost": {
                "total": "12.50",
                "currency": "EUR",
                "missing": [{"country": "DE", "messages": 2, "parts": 3}],
            },
        },
        occasion=OCCASION,
        targeted=10,
        to_deliver=6,
        parts=8,
    )

    assert (4, 3, 1, 0) == (
        figures.excluded,
        figures.duplicate,
        figures.opted_out,
        figures.quarantined,
    )
    assert (4, 2, 2) == (figures.gsm7, figures.ucs2, figures.longest_parts)
    assert (None, "EUR", 2) == (figures.cost, figures.currency, figures.unpriced)
    assert (2, 1, 1, "ACME") == (
        figures.countries,
        figures.languages,
        figures.senders,
        figures.sender,
    )
    assert ("marketing", "a.b", "sale") == (
        figures.message_class,
        figures.workflow,
        figures.template,
    )


@pytest.mark.parametrize(
    ("senders", "expected"), [({}, None), ({"": 3}, None), ({"A": 1, "B": 2}, None)]
)
def test_several_senders_are_no_sender(senders: dict[str, int], expected: str | None) -> None:
    assert expected == Figures.of({"senders": senders}, occasion=OCCASION).sender


def test_the_cost_is_known_if_every_message_has_a_price() -> None:
    whole = {"total": "12.50", "currency": "EUR", "missing": []}
    figures = Figures.of({"cost": whole}, occasion=OCCASION)

    assert (12.5, 0) == (figures.cost, figures.unpriced)


def test_without_prices_nobody_knows_the_cost() -> None:
    figures = Figures.of({"cost": {"total": None, "currency": ""}}, occasion=OCCASION)

    assert (None, None, None) == (figures.cost, figures.currency, figures.unpriced)
