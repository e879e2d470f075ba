"""Texts had and planned, counted on a real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.lists import load_lists
from smsflow_provider.core.preparation.exclusions.pressure import Pressure
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.contacts import contacts_of
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.quarantine import add_quarantined
from smsflow_provider.core.store.statements import statements
from tests.core.preparation.exclusions.people import Person, make_candidates
from tests.prepared_delivery import make_prepared

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
WEEK_AGO = NOW - timedelta(days=7)
LATELY, LONG_AGO = NOW - timedelta(days=2), NOW - timedelta(days=8)
#: The first message of ``make_prepared`` goes to this number, the next one to the next.
FIRST = 33600000001

_PATH = {
    "ready": [],
    "rejected": ["rejected"],
    "approved": ["approved"],
    "sending": ["approved", "sending"],
    "paused": ["approved", "sending", "paused"],
    "finished": ["approved", "sending", "finished"],
    "stopped": ["approved", "sending", "stopped"],
}
_PLANNED = ("ready", "approved", "sending", "paused")
_names = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to one message: an attempt a pair of mark and outcome."""

    #: When each attempt was marked, and what became of it; None: nothing yet.
    attempts: tuple[tuple[datetime, str | None], ...] = ()
    #: Settled without having been handed over again.
    cancelled: bool = False
    receipt: bool = False


UNTOUCHED = History()


def handed_over(kind: str | None = "accepted", *, at: datetime = LATELY, **more: Any) -> History:
    return History(attempts=((at, kind),), **more)


def make_delivery(
    store: Store, histories: Sequence[History], *, state: str = "finished", **facts: Any
) -> Delivery:
    """Make a delivery with a message for each history, the untouched ones behind."""
    delivery = make_prepared(store, count=len(histories), delivery_id=f"d{next(_names)}")
    template = {"settings": {"class": facts.get("message_class", "marketing")}}
    settled = {"weight": facts.get("weight", 5)}
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET kind = %s, dry_run = %s, template = %s, settings = %s"
            " WHERE no = %s",
            (
                facts.get("kind", "campaign"),
                facts.get("dry_run", False),
                Jsonb(template),
                Jsonb(settled),
                delivery.no,
            ),
        )
        for target in _PATH[state]:
            connection.execute(
                "UPDATE smsflow_deliveries SET state = %s, ended_at = %s WHERE no = %s",
                (target, facts.get("ended_at", LATELY), delivery.no),
            )
        for position, history in enumerate(histories, start=1):
            _write(connection, delivery.preparation, position, history)
        taken = sum(history != UNTOUCHED for history in histories)
        connection.execute(
            "UPDATE smsflow_chunks SET next_position = %s WHERE preparation = %s",
            (taken + 1, delivery.preparation),
        )
    return find_delivery(store, delivery.id)


def _write(connection: Any, preparation: int, position: int, history: History) -> None:
    key = (preparation, position)
    outcome = (
        "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind) VALUES (%s,%s,%s,%s)"
    )
    for attempt, (marked_at, kind) in enumerate(history.attempts):
        connection.execute(
            "INSERT INTO smsflow_marks (preparation, position, attempt, epoch, marked_at)"
            " VALUES (%s, %s, %s, 1, %s)",
            (*key, attempt, marked_at),
        )
        if kind is not None:
            connection.execute(outcome, (*key, attempt, kind))
    if history.cancelled:
        connection.execute(outcome, (*key, len(history.attempts), "cancelled"))
    if history.receipt:
        connection.execute(
            "INSERT INTO smsflow_receipts (preparation, position, kind, received_at)"
            " VALUES (%s, %s, 'delivered', %s)",
            (*key, NOW),
        )


def counts_of(
    store: Store, *, weight: int = 5, delivery_no: int = 0, **more: Any
) -> dict[int, int]:
    """Count texts by place of the number: 1 is the first message's."""
    found = contacts_of(
        store, since=WEEK_AGO, weight=weight, delivery_no=delivery_no, **more
    ).rows()
    return {phone - FIRST + 1: texts for phone, texts in found}


HAD = [
    (handed_over("accepted"), 1),
    (handed_over("unknown"), 1),
    (handed_over(None), 1),
    (handed_over("failed"), 0),
    (handed_over("not_sent"), 0),
    (handed_over("failed", receipt=True), 1),
    (handed_over("accepted", at=LONG_AGO), 0),
    (handed_over("accepted", at=WEEK_AGO), 1),
    (handed_over("accepted", at=LONG_AGO, receipt=True), 0),
    (History(attempts=((LATELY, "not_sent"), (LATELY, "accepted"))), 1),
    (History(attempts=((LATELY, "not_sent"), (LATELY, "accepted")), receipt=True), 1),
    (History(attempts=((LATELY, "unknown"), (LATELY, "accepted"))), 2),
    (handed_over("not_sent", cancelled=True), 0),
    (History(cancelled=True), 0),
]


def test_had_is_what_left_in_the_window(store: Store) -> None:
    make_delivery(store, [history for history, _ in HAD])

    expected = {place: texts for place, (_, texts) in enumerate(HAD, start=1) if texts}
    assert expected == counts_of(store)


def test_planned_is_what_waits_in_a_delivery_that_goes_before_ours(store: Store) -> None:
    for state in _PATH:
        make_delivery(store, [UNTOUCHED], state=state, weight=5)

    assert {1: len(_PLANNED)} == counts_of(store, weight=4)
    assert {1: len(_PLANNED)} == counts_of(store, weight=5)
    assert {} == counts_of(store, weight=6)


def test_a_delivery_that_says_no_weight_has_the_weight_of_most(store: Store) -> None:
    delivery = make_delivery(store, [UNTOUCHED], state="ready")
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET settings = '{}' WHERE no = %s", (delivery.no,)
        )

    assert [{1: 1}, {}] == [counts_of(store, weight=weight) for weight in (5, 6)]


def test_a_text_that_goes_again_is_planned_until_it_has_left(store: Store) -> None:
    again = handed_over("not_sent")
    make_delivery(
        store,
        [again, handed_over("not_sent", receipt=True), handed_over(None), UNTOUCHED],
        state="sending",
    )

    # The second left, a receipt says so; the third is on its way: both were had, once.
    assert {1: 1, 2: 1, 3: 1, 4: 1} == counts_of(store)
    assert {2: 1, 3: 1} == counts_of(store, weight=6)


def test_what_is_no_campaign_of_the_class_in_the_window_never_counts(store: Store) -> None:
    others: list[dict[str, Any]] = [
        {"kind": "direct"},
        {"kind": "proof"},
        {"dry_run": True},
        {"message_class": "transactional"},
        {"ended_at": LONG_AGO - timedelta(minutes=2)},
    ]
    for facts in others:
        make_delivery(store, [handed_over()], **facts)

    assert {} == counts_of(store, classes=[MessageClass.MARKETING])


def test_all_classes_count_when_none_is_named(store: Store) -> None:
    make_delivery(store, [handed_over()], message_class="transactional")

    assert {1: 1} == counts_of(store)
    assert {1: 1} == counts_of(store, classes=list(MessageClass))


def test_classes_and_weights_are_read_where_a_delivery_keeps_them(store: Store) -> None:
    """The snapshots of template and settings, as preparations write them."""
    delivery = make_delivery(store, [UNTOUCHED], state="ready")
    template = read_template("---\nclass: transactional\n---\nHello", name="hello")
    kept = PreparationSettings(label="Hello", gateway="sms_gateway", weight=8)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET template = %s, settings = %s WHERE no = %s",
            (Jsonb(template.as_dict()), Jsonb(kept.as_dict()), delivery.no),
        )

    assert {} == counts_of(store, weight=8, classes=[MessageClass.MARKETING])
    assert {1: 1} == counts_of(store, weight=8, classes=[MessageClass.TRANSACTIONAL])
    assert {} == counts_of(store, weight=9)


def test_a_delivery_does_not_stand_in_its_own_way(store: Store) -> None:
    own = make_delivery(store, [UNTOUCHED], state="ready")
    make_delivery(store, [UNTOUCHED, UNTOUCHED], state="ready")

    assert {1: 1, 2: 1} == counts_of(store, delivery_no=own.no)


def test_numbers_with_few_texts_need_not_be_read(store: Store) -> None:
    make_delivery(store, [handed_over(), handed_over()])
    make_delivery(store, [handed_over()])

    assert {1: 2, 2: 1} == counts_of(store)
    assert {1: 2} == counts_of(store, least=2)


def test_nothing_was_ever_sent(store: Store) -> None:
    found = contacts_of(store, since=WEEK_AGO, weight=5, delivery_no=1)

    assert {"phone": pl.UInt64, "count": pl.Int32} == dict(found.schema)
    assert 0 == len(found)


attempts = st.sampled_from([LATELY, LONG_AGO])
last_outcomes = st.sampled_from([None, "accepted", "unknown", "failed", "not_sent"])


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history as a sender can leave it."""
    if not draw(st.booleans()):
        return UNTOUCHED
    former = draw(st.lists(attempts, max_size=2))
    last = (draw(attempts), draw(last_outcomes))
    return History(
        attempts=(*((marked_at, "not_sent") for marked_at in former), last),
        cancelled=last[1] == "not_sent" and draw(st.booleans()),
        receipt=draw(st.booleans()),
    )


@st.composite
def facts_of_deliveries(draw: st.DrawFn) -> tuple[list[History], dict[str, Any]]:
    state = draw(st.sampled_from(list(_PATH)))
    told = draw(st.lists(histories(), min_size=1, max_size=5))
    told.sort(key=lambda history: history == UNTOUCHED)
    if state in {"ready", "rejected", "approved"}:
        told = [UNTOUCHED] * len(told)
    if state in {"finished", "stopped"}:
        told = [History(cancelled=True) if one == UNTOUCHED else one for one in told]
    facts = {
        "state": state,
        "weight": draw(st.integers(4, 6)),
        "message_class": draw(st.sampled_from(["marketing", "marketing", "transactional"])),
        "dry_run": draw(st.sampled_from([False, False, False, True])),
        "kind": draw(st.sampled_from(["campaign", "campaign", "campaign", "proof"])),
    }
    return told, facts


def _outcomes(history: History) -> list[str | None]:
    return [kind for _, kind in history.attempts]


def slowly_counted(histories: Sequence[History], facts: dict[str, Any]) -> Counter[int]:
    """Count one message after the other."""
    found: Counter[int] = Counter()
    if facts["dry_run"] or facts["kind"] != "campaign" or facts["message_class"] != "marketing":
        return found
    for place, history in enumerate(histories, start=1):
        for number, (marked_at, kind) in enumerate(history.attempts, start=1):
            is_proven = history.receipt and number == len(history.attempts)
            has_left = kind not in {"failed", "not_sent"} or is_proven
            found[place] += int(marked_at >= WEEK_AGO and has_left)
        waits = not history.cancelled and not history.receipt
        is_open = history == UNTOUCHED or _outcomes(history)[-1:] == ["not_sent"]
        goes_first = facts["state"] in _PLANNED and facts["weight"] >= 5
        found[place] += int(bool(waits and is_open and goes_first))
    return found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deliveries=st.lists(facts_of_deliveries(), min_size=1, max_size=3))
def test_the_store_counts_as_a_person_would(
    store: Store, deliveries: list[tuple[list[History], dict[str, Any]]]
) -> None:
    expected: Counter[int] = Counter()
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET dry_run = true")
    for histories_of_one, facts in deliveries:
        make_delivery(store, histories_of_one, **facts)
        expected += slowly_counted(histories_of_one, facts)

    assert dict(expected) == counts_of(store, classes=[MessageClass.MARKETING])


def test_preparations_out_of_the_window_are_not_looked_at(store: Store) -> None:
    """Their partitions are not in the plan: years of texts cost nothing."""
    old = make_delivery(store, [handed_over(at=LONG_AGO)], ended_at=LONG_AGO)
    new = make_delivery(store, [handed_over()])
    values = {
        "since": WEEK_AGO,
        "least": 1,
        "begun": [new.preparation],
        "waiting": [],
        "going": [],
        "size": 1000,
    }
    with store.transaction() as connection:
        rows = connection.execute(
            b"EXPLAIN " + statements("contacts")["packed_contacts"].encode(), values
        ).fetchall()
    plan = "\n".join(row["QUERY PLAN"] for row in rows)

    assert f"smsflow_messages_p{new.preparation}" in plan
    assert f"_p{old.preparation}" not in plan


def test_rules_and_lists_of_the_store_work_together(store: Store) -> None:
    """Loaded from the store, each list leaves out its own."""
    make_delivery(store, [UNTOUCHED] * 6, state="approved")
    add_opt_outs(store, [FIRST], scope="")
    add_opt_outs(store, [FIRST + 1, FIRST + 2], scope="sender:ACME")
    add_quarantined(store, [FIRST + 3])
    people = [
        Person(phone=FIRST),
        Person(phone=FIRST + 1, sender="Acme"),
        Person(phone=FIRST + 2, sender="Other"),
        Person(phone=FIRST + 3),
        Person(phone=FIRST + 4, most=2),
        Person(phone=FIRST + 5, most=1),
        Person(phone=FIRST + 99),
    ]
    candidates = make_candidates(people)
    rules = ExclusionRules(
        pressures=(
            Pressure(name="none", days=7, most=9),
            Pressure(name="weekly", days=7, most=1, most_column="most"),
        )
    )

    exclude(candidates, rules, load_lists(store, candidates, rules, delivery_no=0, now=NOW))

    assert [
        ("opted_out", ""),
        ("opted_out", "sender:ACME"),
        ("pressure", "weekly"),
        ("quarantined", ""),
        (None, ""),
        ("pressure", "weekly"),
        (None, ""),
    ] == candidates.slice(0, 9).select("reason", "detail").rows()
