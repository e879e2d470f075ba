"""Preparing on a real store: who gets which text, who does not and why, and what is left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.gateways.base import Feature
from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.preparation.review import counts_of, review
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_log
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.preparation.preparing import (
    KANNEL,
    SIMULATOR,
    FrameRows,
    exclusions_of,
    make_draft,
    make_preparation,
    make_template,
    messages_of,
    partitions_of,
    person,
    rows_of,
    run_prepare,
)
from tests.prepared_delivery import approve
from tests.sending import run_send

ALLOWED = frozenset({33600000001, 33600000002})
OPTED_OUT = frozenset({33600000009, 33600000008})
LONG = "x" * 400

#: Recipients for whom several reasons hold, and the first of them in the order of the law.
PRECEDENCE: list[tuple[str, dict[str, Any], str]] = [
    ("no number, no name", {"phone": None, "name": None}, "no_address"),
    ("blank number, long name", {"phone": "  ", "name": LONG}, "no_address"),
    ("bad number, no name", {"phone": "12", "name": None}, "invalid_number"),
    ("opted out, not allowed", {"phone": "+33600000009"}, "opted_out"),
    ("opted out, twice", {"phone": "06 00 00 00 08"}, "opted_out"),
    ("twice, no name", {"phone": "+33600000001", "name": None}, "duplicate"),
    ("twice, long name", {"phone": "0600000001", "name": LONG}, "duplicate"),
    ("not allowed, no name", {"phone": "+33600000077", "name": None}, "filtered"),
    ("not allowed, long name", {"phone": "+33600000078", "name": LONG}, "filtered"),
]


def _reasons(store: Store, delivery: Delivery) -> dict[str, str]:
    return {row["recipient_id"]: row["reason"] for row in exclusions_of(store, delivery)}


def _log_of(store: Store, delivery: Delivery) -> list[tuple[str, str]]:
    return [(row["level"], row["event"]) for row in read_log(store, delivery)]


def _problems_of(store: Store, delivery: Delivery, level: str = "error") -> list[str]:
    return [row["problem"] for row in read_log(store, delivery) if row["level"] == level]


@pytest.mark.parametrize(("changed", "reason"), [(c, r) for _, c, r in PRECEDENCE])
def test_of_several_reasons_the_first_of_the_order_counts(
    store: Store, changed: dict[str, Any], reason: str
) -> None:
    people = [person(1), person(8, phone="+33600000008"), person(50, **changed)]

    delivery = run_prepare(
        store,
        people,
        template=make_template(missing="exclude", max_parts=2),
        opted_out=OPTED_OUT,
        allowed=ALLOWED,
    )

    assert reason == _reasons(store, delivery)["r50"]
    assert DeliveryState.READY is delivery.state


def test_whoever_is_left_out_is_kept_with_row_number_and_detail(store: Store) -> None:
    people = [
        person(1),
        person(2, phone="12"),
        person(3, phone="+33600000001"),
        person(4, phone=None),
        person(5, name=" "),
        person(6, name=LONG),
        person(7, phone="+33600000009"),
        person(8, phone="+33600000020"),
    ]

    delivery = run_prepare(
        store,
        people,
        template=make_template(missing="exclude", max_parts=2),
        opted_out=OPTED_OUT,
        allowed=frozenset({33600000001, 33600000005, 33600000006}),
    )

    found = [
        (row["row_number"], row["recipient_id"], row["phone"], row["reason"], row["detail"])
        for row in exclusions_of(store, delivery)
    ]
    assert [
        (2, "r2", None, "invalid_number", "too_short"),
        (3, "r3", 33600000001, "duplicate", "same number as row 1"),
        (4, "r4", None, "no_address", ""),
        (5, "r5", 33600000005, "missing_field", "name"),
        (6, "r6", 33600000006, "too_long", "3 parts"),
        (7, "r7", 33600000009, "opted_out", ""),
        (8, "r8", 33600000020, "filtered", "not on the allow-list of this environment"),
    ] == found
    assert {
        "no_address": 1,
        "invalid_number": 1,
        "opted_out": 1,
        "duplicate": 1,
        "filtered": 1,
        "missing_field": 1,
        "too_long": 1,
    } == delivery.figures["excluded"]
    assert (8, 7, 1) == (delivery.targeted, delivery.excluded, delivery.to_deliver)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_of_one_number_the_first_row_wins_also_over_batches(store: Store, size: int) -> None:
    people = [
        person(1),
        person(2, phone="0033 6 00 00 00 01"),
        person(3),
        person(4, phone="0600000003"),
        person(5, phone="+33 6 00 00 00 01"),
    ]

    delivery = run_prepare(store, people, size=size)

    assert ["r1", "r3"] == [row["recipient_id"] for row in messages_of(store, delivery)]
    details = {row["recipient_id"]: row["detail"] for row in exclusions_of(store, delivery)}
    assert {
        "r2": "same number as row 1",
        "r4": "same number as row 3",
        "r5": "same number as row 1",
    } == details


def test_an_allow_list_of_nobody_filters_everybody(store: Store) -> None:
    delivery = run_prepare(store, [person(1), person(2)], allowed=frozenset())

    assert {"filtered": 2} == delivery.figures["excluded"]
    assert ("warning", "nobody_left") in _log_of(store, delivery)


def test_a_missing_field_fails_the_preparation_unless_the_template_says_otherwise(
    store: Store,
) -> None:
    delivery = run_prepare(store, [person(1), person(2, name=None), person(3, name="")])

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert ["'name' is missing for 2 recipients (66.7 %)"] == _problems_of(store, delivery)


def test_a_default_stands_in_for_a_missing_field(store: Store) -> None:
    template = make_template(missing="default", defaults={"name": "friend"})

    delivery = run_prepare(store, [person(1, name=None), person(2)], template=template)

    assert ["Hi friend", "Hi Name2"] == [row["body"] for row in messages_of(store, delivery)]


def test_a_field_without_a_default_fails_among_those_with_one(store: Store) -> None:
    template = make_template(
        "Hi {{ name }} of {{ city }}", missing="default", defaults={"name": "friend"}
    )

    delivery = run_prepare(store, [person(1, name=None, city=None)], template=template)

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert ["'city' is missing for 1 recipient (100.0 %)"] == _problems_of(store, delivery)


@pytest.mark.parametrize(
    ("dialect", "parts"), [(SIMULATOR, 3), (KANNEL, 2)], ids=["by code point", "by unit"]
)
def test_parts_are_those_of_the_gateway_that_will_cut_the_text(
    store: Store, dialect: Any, parts: int
) -> None:
    """66 letters, an emoji and 66 letters: 134 units, and an emoji on the border of a part."""
    name = "a" * 66 + "\N{GRINNING FACE}" + "b" * 66

    delivery = run_prepare(
        store, [person(1, name=name)], template=make_template("{{ name }}"), dialect=dialect
    )

    (message,) = messages_of(store, delivery)
    assert ("ucs2", parts) == (message["encoding"], message["parts"])
    assert parts == delivery.parts
    is_warned = ("warning", "cut_characters") in _log_of(store, delivery)
    assert is_warned == (dialect is KANNEL)


@pytest.mark.parametrize(
    ("level", "body", "encoding"),
    [
        ("none", "Hi ê \u201cyou\u201d", "ucs2"),
        ("punctuation", 'Hi ê "you"', "ucs2"),
        ("full", 'Hi e "you"', "gsm7"),
    ],
)
def test_a_text_is_transliterated_as_far_as_the_template_says(
    store: Store, level: str, body: str, encoding: str
) -> None:
    delivery = run_prepare(
        store,
        [person(1, name="ê \u201cyou\u201d")],
        template=make_template(transliteration=level),
    )

    (message,) = messages_of(store, delivery)
    assert (body, encoding) == (message["body"], message["encoding"])
    assert {encoding: 1} == delivery.figures["encodings"]


def test_a_text_that_grows_beyond_all_parts_is_told_not_raised(store: Store) -> None:
    """One Arabic ligature of 18 words is one character, and 30 letters in ASCII."""
    delivery = run_prepare(
        store,
        [person(1, name="\ufdfa" * 3900)],
        template=make_template("{{ name }}", transliteration="full"),
    )

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert ["the text of 1 recipient cannot be made: more than 255 parts"] == _problems_of(
        store, delivery
    )


PHONES = st.one_of(
    st.none(),
    st.sampled_from(["", "12", "hello", "+33600000009", "06 00 00 00 08", "+14155550100"]),
    st.integers(0, 7).map(lambda n: f"+3361234567{n}"),
)
NAMES = st.sampled_from([None, "", "Zoé", "Ana", "\N{PARTY POPPER}", "é" * 170, LONG])


@given(
    rows=st.lists(st.tuples(PHONES, NAMES), max_size=30),
    size=st.integers(1, 9),
    missing=st.sampled_from(
        [{"missing": "exclude"}, {"missing": "default", "defaults": {"name": "x"}}]
    ),
    is_limited=st.booleans(),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_figures_add_up_whoever_the_audience_is(
    store: Store,
    rows: list[tuple[str | None, str | None]],
    size: int,
    missing: dict[str, Any],
    is_limited: bool,  # noqa: FBT001  drawn by hypothesis
) -> None:
    people = [person(n, phone=phone, name=name) for n, (phone, name) in enumerate(rows, start=1)]
    allowed = frozenset(33612345670 + n for n in range(4)) if is_limited else None

    delivery = run_prepare(
        store,
        people,
        size=size,
        template=make_template(max_parts=2, **missing),
        opted_out=OPTED_OUT,
        allowed=allowed,
    )

    messages, excluded = messages_of(store, delivery), exclusions_of(store, delivery)
    assert DeliveryState.READY is delivery.state
    assert len(people) == delivery.targeted == delivery.excluded + delivery.to_deliver
    assert (len(messages), len(excluded)) == (delivery.to_deliver, delivery.excluded)
    assert list(range(1, len(messages) + 1)) == [row["position"] for row in messages]
    ids = [row["recipient_id"] for row in [*messages, *excluded]]
    assert sorted(one["recipient_id"] for one in people) == sorted(ids)
    _check_figures(delivery, messages, excluded)


def _check_figures(
    delivery: Delivery, messages: list[dict[str, Any]], excluded: list[dict[str, Any]]
) -> None:
    figures = delivery.figures
    count = len(messages)
    assert len(excluded) == sum(figures["excluded"].values())
    assert count == sum(figures["encodings"].values()) == sum(figures["by_parts"].values())
    assert count == sum(region["messages"] for region in figures["regions"].values())
    parts = sum(row["parts"] for row in messages)
    assert parts == delivery.parts == sum(r["parts"] for r in figures["regions"].values())
    assert parts == sum(int(size) * n for size, n in figures["by_parts"].items())
    assert len({row["phone"] for row in messages}) == count
    samples = figures["samples"]
    chosen = {n for each in samples.values() for n in _positions_in(each)}
    assert chosen <= {row["position"] for row in messages}
    assert bool(chosen) == bool(messages)


def _positions_in(sample: Any) -> list[int]:
    if isinstance(sample, dict):
        return list(sample.values())
    return sample if isinstance(sample, list) else [sample]


def test_a_fingerprint_does_not_depend_on_the_size_of_batches(store: Store) -> None:
    people = [person(n % 40, recipient_id=f"r{n}", name=f"Zoé{n}") for n in range(1, 90)]

    found = {run_prepare(store, people, size=size).fingerprint for size in (1, 7, 1000)}

    assert 1 == len(found)


def test_all_errors_are_told_at_once_and_nothing_is_published(store: Store) -> None:
    people = [
        person(1),
        person(2, name=None),
        person(3, city=None),
        person(4, name="a\tb"),
        person(5, name="1"),
    ]
    for one in people:
        one.setdefault("city", "Lyon")
    body = "{{ name }} {{ city }}{% if name == '1' %}{{ 1 // 0 }}{% endif %}"

    delivery = run_prepare(store, people, template=make_template(body))

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert [
        "'city' is missing for 1 recipient (20.0 %)",
        "'name' is missing for 1 recipient (20.0 %)",
        "the text of 1 recipient cannot be made: holds U+0009, which cannot be sent",
        "the text of 1 recipient cannot be made: line 4: the values do not fit (ZeroDivisionError)",
    ] == sorted(_problems_of(store, delivery))
    assert [] == partitions_of(store)
    assert (None, 0, {}) == (
        delivery.fingerprint,
        delivery.to_deliver,
        review(store, "d1")["excluded"],
    )


def test_what_the_gateway_cannot_do_is_an_error_before_anything_is_sent(store: Store) -> None:
    class Narrow(type(SIMULATOR)):  # type: ignore[misc]
        name = "narrow"
        features: frozenset[Feature] = frozenset()

    people = [person(1, name="\N{PARTY POPPER}"), person(2, name=LONG)]

    delivery = run_prepare(
        store,
        people,
        dialect=Narrow(SIMULATOR._settings),
        template=make_template(sender="ACME"),
    )

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    (line,) = [row for row in read_log(store, delivery) if row["level"] == "error"]
    assert {"alphanumeric_sender", "multipart", "ucs2"} == set(line["facts"]["missing"])


def test_a_field_no_column_can_fill_is_told_once_with_the_near_name(store: Store) -> None:
    """Before the audience is read: a typing error should not cost a pass over a million rows."""

    class Unread(FrameRows):
        def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
            raise AssertionError(f"read {columns}")

    make_draft(store)
    rows = Unread(rows_of([person(1, city="Lyon")])._frame)
    template = make_template("{{ nmae }} of {{ citty }}, {{ name }}", missing="exclude")
    delivery = prepare(store, "d1", make_preparation(rows, template=template), actor="tester")

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert [
        "the audience has no column 'citty': did you mean 'city'?",
        "the audience has no column 'nmae': did you mean 'name'?",
    ] == sorted(_problems_of(store, delivery))
    assert [] == partitions_of(store)


def test_a_field_with_a_default_needs_no_column(store: Store) -> None:
    template = make_template("{{ nick }}", missing="default", defaults={"nick": "you"})

    delivery = run_prepare(store, [person(1)], template=template)

    assert ["you"] == [row["body"] for row in messages_of(store, delivery)]


def test_an_audience_of_nobody_is_ready_with_nobody_and_warns(store: Store) -> None:
    delivery = run_prepare(store, [])

    assert (DeliveryState.READY, 0, 0) == (delivery.state, delivery.targeted, delivery.to_deliver)
    assert [("warning", "nobody_left"), ("info", "prepared")] == _log_of(store, delivery)
    approve(store)
    assert "finished" == run_send(store, RecordingGateway())["state"]


def test_a_batch_in_which_nobody_is_left_does_not_shift_positions(store: Store) -> None:
    people = [person(1), person(2, phone=None), person(3, phone="12"), person(4)]

    delivery = run_prepare(store, people, size=1)

    assert [(1, "r1"), (2, "r4")] == [
        (row["position"], row["recipient_id"]) for row in messages_of(store, delivery)
    ]
    assert [2, 3] == [row["row_number"] for row in exclusions_of(store, delivery)]


@pytest.mark.parametrize("missing", ["exclude", "fail"])
def test_no_digits_of_a_phone_are_in_the_log_or_the_figures(store: Store, missing: str) -> None:
    people = [
        person(1),
        person(2, phone="+33600000009"),
        person(3, phone="0033 600 000 001"),
        person(4, phone="+336000000041234567"),
        person(5, name=None),
        person(6, name="\t"),
        person(7, name=LONG),
        person(8, phone="0612"),
    ]
    delivery = run_prepare(
        store,
        people[:4] + people[6:],
        template=make_template(missing=missing, max_parts=2),
        opted_out=OPTED_OUT,
        allowed=frozenset({33600000001, 33600000007}),
    )
    run_prepare(store, people, template=make_template(missing=missing), delivery_id="d2")

    with store.transaction() as connection:
        log = connection.execute("SELECT problem, facts FROM smsflow_log").fetchall()
        rows = connection.execute(
            "SELECT figures, settings, audience, template FROM smsflow_deliveries"
        ).fetchall()
    text = json.dumps([log, rows, counts_of(delivery)])
    for digits in ("60000000", "06000", "0612", "336", "Name", LONG[:20]):
        assert digits not in text


def test_warnings_say_what_a_reviewer_should_know(store: Store) -> None:
    people = [person(1, name="\N{PARTY POPPER}"), person(2)]

    delivery = run_prepare(
        store, people, has_public_url=False, dry_run=True, allowed=frozenset({33600000001})
    )

    assert [
        ("warning", "no_receipts"),
        ("warning", "ucs2_texts"),
        ("info", "dry_run"),
        ("info", "allow_list"),
        ("info", "prepared"),
    ] == _log_of(store, delivery)


def test_a_review_shows_texts_and_masks_phones(store: Store) -> None:
    people = [person(n) for n in range(1, 6)] + [person(6, name="\N{PARTY POPPER} é" * 30)]
    run_prepare(store, people, template=make_template("Hi {{ name }}", sender="ACME"))

    shown = review(store, "d1")

    assert [1, 2, 3, 6] == [sample["position"] for sample in shown["samples"]]
    first = shown["samples"][0]
    assert {
        "position": 1,
        "to_masked": "+33·······01",
        "sender": "ACME",
        "text": "Hi Name1",
        "encoding": "gsm7",
        "parts": 1,
    }.items() <= first.items()
    assert shown["targeted"] == sum(shown["excluded"].values()) + shown["to_deliver"]
    assert [
        {"level": "warning", "event": "ucs2_texts"},
        {"level": "info", "event": "prepared"},
    ] == [{"level": line["level"], "event": line["event"]} for line in shown["log"]]


def test_progress_is_told_after_each_batch_in_counts(store: Store) -> None:
    make_draft(store)
    told: list[dict[str, Any]] = []
    people = [person(1), person(2, phone=None)]
    preparation = replace(make_preparation(rows_of(people, size=1)), on_progress=told.append)

    prepare(store, "d1", preparation, actor="tester")

    assert [
        {"targeted": 2, "step": "numbers", "numbers": 1},
        {"targeted": 2, "step": "numbers", "numbers": 2},
        {"targeted": 2, "step": "exclusions", "numbers": 2},
        {"targeted": 2, "step": "texts", "numbers": 2, "texts": 1},
        {"targeted": 2, "step": "publishing", "numbers": 2, "texts": 1},
    ] == told
