"""Prepared messages as people look at them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.preparation.preview import preview
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.samples import Pick
from tests.prepared_delivery import make_prepared

COST = {
    "currency": "EUR",
    "as_of": "2026-11-01",
    "total": "1.350000",
    "rates": [{"country": "FR", "sender": "alphanumeric", "price": "0.045"}],
}
SAMPLES = {
    "first": [1, 2],
    "longest": 3,
    "shortest": 1,
    "encodings": {"gsm7": 1, "ucs2": 4},
    "languages": {"fr": 1},
    "parts": {"1": 1, "2": 3},
}


def keep(store: Store, **figures: object) -> None:
    """Write figures as a preparation does."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET figures = figures || %s::jsonb", (json.dumps(figures),)
        )


def write_text(store: Store, position: int, text: str, *, parts: int) -> None:
    values = (text, measure(text).encoding.value, parts, position)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_messages SET body = %s, encoding = %s, parts = %s WHERE position = %s",
            values,
        )


def shown(store: Store, **wanted: Any) -> list[dict[str, Any]]:
    return list(preview(store, "d1", **wanted)["messages"])


def places(store: Store, **wanted: Any) -> list[int]:
    return [one["position"] for one in shown(store, **wanted)]


def test_a_message_is_shown_as_it_will_be_handed_over(store: Store) -> None:
    delivery = make_prepared(store, count=3)

    assert {
        "delivery": "d1",
        "fingerprint": delivery.fingerprint,
        "messages": [
            {
                "position": 2,
                "recipient_id": "r2",
                "to_masked": "+33·······02",
                "sender": "ACME",
                "text": "Hello 2",
                "encoding": "gsm7",
                "units": 7,
                "room": 160,
                "parts": 1,
                "part_starts": [],
                "foreign": [],
                "cheaper": [],
                "language": "",
                "region": "FR",
                "cost": None,
                "currency": "",
                "picks": [],
            }
        ],
    } == preview(store, "d1", recipients=["r2"])


def test_messages_come_in_the_order_asked_for_each_once(store: Store) -> None:
    make_prepared(store, count=5)
    keep(store, samples=SAMPLES)

    assert [4, 1, 5, 3] == places(
        store, positions=[4, 1, 4, 99, 0, -1], recipients=["r5", "x1", "r1"], picks=[Pick.LONGEST]
    )


def test_without_a_choice_every_sample_is_shown_with_what_it_stands_for(store: Store) -> None:
    make_prepared(store, count=5)
    keep(store, samples=SAMPLES)

    assert [
        (1, ["shortest", "gsm7", "fr", "1 part"]),
        (2, []),
        (3, ["longest", "2 parts"]),
        (4, ["ucs2"]),
    ] == [(one["position"], one["picks"]) for one in shown(store)]


@pytest.mark.parametrize(
    ("pick", "found"),
    [
        (Pick.LONGEST, [3]),
        (Pick.SHORTEST, [1]),
        (Pick.DEAREST, []),
        (Pick.EACH_ENCODING, [1, 4]),
        (Pick.EACH_LANGUAGE, [1]),
        (Pick.EACH_PARTS, [1, 3]),
    ],
)
def test_each_pick_finds_its_messages(store: Store, pick: Pick, found: list[int]) -> None:
    make_prepared(store, count=5)
    keep(store, samples=SAMPLES)

    assert found == places(store, picks=[pick])


def test_samples_of_an_earlier_version_are_shown_without_names(store: Store) -> None:
    make_prepared(store, count=5)
    keep(store, samples=[1, 2, 5])

    assert [1, 2, 5] == places(store) == places(store, picks=[Pick.LONGEST])
    assert [[], [], []] == [one["picks"] for one in shown(store)]


def test_the_boundaries_are_those_of_the_parts_that_were_counted(store: Store) -> None:
    """By code point this text has three parts; a gateway that cuts through pairs makes two."""
    make_prepared(store, count=3)
    text = "a" * 66 + "\N{GRINNING FACE}" + "b" * 66
    write_text(store, 1, text, parts=3)
    write_text(store, 2, text, parts=2)
    write_text(store, 3, "x" * 200, parts=2)
    by_code_point, by_unit, plain = shown(store, positions=[1, 2, 3])

    assert [66, 132] == by_code_point["part_starts"]
    assert [66] == by_unit["part_starts"]
    assert ([153], 200) == (plain["part_starts"], plain["units"])


def test_what_forces_a_text_into_ucs2_is_pointed_at_with_what_would_be_cheaper(
    store: Store,
) -> None:
    make_prepared(store, count=2)
    text = "F\N{LATIN SMALL LETTER E WITH CIRCUMFLEX}te\N{HORIZONTAL ELLIPSIS}"
    write_text(store, 1, text, parts=1)
    write_text(store, 2, "x" * 150 + "\N{HORIZONTAL ELLIPSIS}", parts=3)
    accented, dotted = shown(store, positions=[1, 2])

    assert [(1, "\N{LATIN SMALL LETTER E WITH CIRCUMFLEX}"), (4, "\N{HORIZONTAL ELLIPSIS}")] == [
        (one["at"], one["character"]) for one in accented["foreign"]
    ]
    assert ([], 70) == (accented["cheaper"], accented["room"])
    assert [{"transliteration": "punctuation", "parts": 1}] == dotted["cheaper"]
    assert 3 * 67 == dotted["room"]


def test_a_text_that_grows_beyond_all_parts_when_spelled_out_is_shown(store: Store) -> None:
    make_prepared(store, count=1)
    write_text(store, 1, "\N{CJK UNIFIED IDEOGRAPH-88DD}" * 67 * 255, parts=255)

    assert [[]] == [one["cheaper"] for one in shown(store, positions=[1])]


def test_the_cost_is_that_of_the_parts_at_the_price_of_the_preparation(store: Store) -> None:
    make_prepared(store, count=2)
    write_text(store, 2, "x" * 200, parts=2)
    keep(store, cost=COST)

    assert [("0.045", "EUR"), ("0.090", "EUR")] == [
        (one["cost"], one["currency"]) for one in shown(store, positions=[1, 2])
    ]


@pytest.mark.parametrize(
    "cost", [None, {}, {"total": None}, {**COST, "rates": []}, {**COST, "as_of": None}]
)
def test_without_a_price_a_message_has_no_cost(store: Store, cost: object) -> None:
    make_prepared(store, count=1)
    keep(store, cost=cost)

    assert [None] == [one["cost"] for one in shown(store, positions=[1])]


def test_not_more_than_a_hundred_are_shown_at_once(store: Store) -> None:
    make_prepared(store, count=150)

    assert list(range(1, 101)) == places(store, positions=range(1, 151))


def test_without_a_preparation_there_is_nothing_to_show(store: Store) -> None:
    with pytest.raises(NotFoundError):
        preview(store, "d1")
    make_prepared(store, count=0)

    assert [] == shown(store, positions=[1], recipients=["r1"])


def test_a_review_shows_samples_cost_and_no_whole_number(store: Store) -> None:
    make_prepared(store, count=5)
    keep(store, samples=SAMPLES, cost=COST)
    document = review(store, "d1")

    assert COST == document["cost"]
    assert [1, 2, 3, 4] == [one["position"] for one in document["samples"]]
    assert "33600000" not in json.dumps(document)
