"""Doubts end by asking the gateway: once each, and "not taken" only when that is certain."""

from __future__ import annotations

import asyncio
import random
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.questions import Turns
from smsflow_provider.core.delivery.reconcile import (
    again_is_safe,
    can_be_asked,
    reconcile,
    reconcile_delivery,
)
from smsflow_provider.core.delivery.reconciled import Patience, Reconciled
from smsflow_provider.core.delivery.unknown import list_unknown
from smsflow_provider.core.errors import ConfigError, MaybeSentError, RefusedError
from smsflow_provider.core.gateways.base import Asked, Found, Gateway, HttpResponse
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import QueryDialect
from smsflow_provider.core.store.again import again_by_policy
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.doubts import Ended, Ending, end_doubts
from smsflow_provider.core.store.receipts import apply_all_receipts, apply_receipts
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.delivery.doubting import (
    KnowingGateway,
    check_figures,
    id_of,
    make_doubtful,
    outcomes_of,
    waiting_of,
)
from tests.core.delivery.receiving import (
    append,
    check_counters,
    figures_of,
    received,
    slip_past,
    strays_of,
    take,
    take_over,
)

UNKNOWN = ("unknown", "timeout")
BY_LOOKUP = ("accepted", "by_lookup")
NOT_TAKEN = ("not_sent", "not_taken")


class Pauses:
    """Notes how long it was told to sleep, and calls what the test wants done meanwhile."""

    def __init__(self, meanwhile: Any = None) -> None:
        self.s: list[float] = []
        self._meanwhile = meanwhile

    async def __call__(self, seconds: float) -> None:
        self.s.append(seconds)
        if self._meanwhile is not None:
            self._meanwhile()


def ask(store: Store, delivery: Delivery, gateway: Gateway, **given: Any) -> Reconciled:
    given.setdefault("sleep", Pauses())
    return asyncio.run(reconcile_delivery(store, delivery, gateway, **given))


def knowing(delivery: Delivery, statuses: dict[int, str], **given: Any) -> KnowingGateway:
    known = {id_of(delivery, position): status for position, status in statuses.items()}
    return KnowingGateway(known, **given)


def test_what_the_gateway_took_is_accepted_with_its_reference(store: Store) -> None:
    delivery = make_doubtful(store, count=5, doubts=[2, 4])
    found = ask(store, delivery, knowing(delivery, {2: "accepted"}))

    assert Reconciled(asked=2, taken=1, unsure=1) == found
    assert {2: BY_LOOKUP, 4: UNKNOWN} == {
        position: outcome
        for position, outcome in outcomes_of(store, delivery).items()
        if position in {2, 4}
    }
    assert {"accepted": 4, "unknown": 1} == figures_of(store)
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT gateway_ref FROM smsflow_message_states WHERE position = 2"
        ).fetchone()
    assert row == {"gateway_ref": f"ref-{id_of(delivery, 2)}"}


@pytest.mark.parametrize("state", ["sending", "paused"])
@pytest.mark.parametrize("status", ["not_found", "refused"])
def test_what_was_not_taken_waits_for_another_attempt(
    store: Store, state: str, status: str
) -> None:
    delivery = make_doubtful(store, count=3, doubts=[3], state=state)
    pauses = Pauses()
    found = ask(store, delivery, knowing(delivery, {3: status}), sleep=pauses)

    assert Reconciled(asked=1, not_taken=1) == found
    assert NOT_TAKEN == outcomes_of(store, delivery)[3]
    assert 1 == waiting_of(store, delivery)
    assert [Patience().confirm_s] == pauses.s
    check_figures(store, delivery)


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_in_a_delivery_that_has_ended_it_failed(store: Store, state: str) -> None:
    delivery = make_doubtful(store, count=3, doubts=[1, 3], state=state)
    ask(store, delivery, knowing(delivery, {1: "not_found", 3: "accepted"}))

    found = outcomes_of(store, delivery)
    assert [("failed", "not_taken"), BY_LOOKUP] == [found[1], found[3]]
    assert {"accepted": 2, "failed": 1} == figures_of(store)
    assert 0 == waiting_of(store, delivery)


def test_not_taken_is_not_believed_too_early(store: Store) -> None:
    """The dialect says two seconds; the message is at most one second old."""
    delivery = make_doubtful(store, count=2, age_s=0.5)
    found = ask(store, delivery, knowing(delivery, {1: "not_found", 2: "accepted"}))

    assert (1, 0, 1) == (found.taken, found.not_taken, found.unsure)
    assert found.again_in_s is not None
    assert 0 < found.again_in_s <= 1.5
    assert UNKNOWN == outcomes_of(store, delivery)[1]


def test_a_gateway_that_does_not_know_what_it_took_is_not_believed(store: Store) -> None:
    """A look-up at the wrong account finds nothing at all."""
    delivery = make_doubtful(store, count=3, doubts=[2, 3])
    gateway = knowing(delivery, {1: "not_found", 2: "not_found", 3: "accepted"})
    found = ask(store, delivery, gateway)

    assert (1, 0, 1) == (found.taken, found.not_taken, found.unsure)
    assert UNKNOWN == outcomes_of(store, delivery)[2]
    gateway.known[id_of(delivery, 1)] = "accepted"
    assert 1 == ask(store, delivery, gateway).not_taken


def test_what_is_said_without_the_question_about_a_message_it_took_is_not_believed(
    store: Store,
) -> None:
    delivery = make_doubtful(store, count=2, doubts=[2])
    gateway = knowing(delivery, {1: "accepted", 2: "not_found"})

    def fail() -> None:
        gateway.errors = [MaybeSentError("no answer")]

    found = ask(store, delivery, gateway, sleep=Pauses(fail))

    assert (0, Patience().confirm_s) == (found.not_taken, found.again_in_s)


def test_a_message_goes_again_twice_at_the_most(store: Store) -> None:
    """A gateway that loses every answer and finds nothing must not text somebody for ever."""
    delivery = make_doubtful(store, count=1)
    gateway = knowing(delivery, {1: "not_found"})
    told = []
    for attempt in (1, 2, 3):
        told.append(ask(store, delivery, gateway).not_taken)
        with store.transaction() as connection:
            values = (delivery.preparation, attempt)
            connection.execute(
                "INSERT INTO smsflow_marks (preparation, position, attempt, epoch, marked_at)"
                " VALUES (%s, 1, %s, 1, now() - interval '1 hour')",
                values,
            )
            connection.execute(
                "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, settled_at)"
                " VALUES (%s, 1, %s, 'unknown', now() - interval '1 hour')",
                values,
            )
            connection.execute("UPDATE smsflow_chunks SET unknown = 1, waiting = 0")

    assert [1, 1, 0] == told


class BrokenDialect(QueryDialect):
    """Breaks its word: its reading raises what no reading may."""

    def read_lookup(self, asked: Sequence[Asked], response: HttpResponse) -> list[Found]:
        raise KeyError(len(asked), response.status)


def test_a_dialect_that_breaks_its_word_ends_no_doubt_and_no_send(store: Store) -> None:
    delivery = make_doubtful(store, count=1)
    gateway = knowing(delivery, {1: "accepted"})
    gateway.use(BrokenDialect)

    assert Reconciled(asked=1, unsure=1) == ask(store, delivery, gateway)


def test_the_time_counts_from_when_it_was_given_up(store: Store) -> None:
    """A request may have been on its way, or in a queue of the gateway, until its timeout."""
    delivery = make_doubtful(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_outcomes SET settled_at = now()")

    assert 0 == ask(store, delivery, knowing(delivery, {1: "not_found"})).not_taken


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_worker_whose_clock_is_wrong_believes_nothing_earlier(
    store: Store, ahead_s: float
) -> None:
    delivery = make_doubtful(store, count=1, age_s=0)
    now = utc_now() + timedelta(seconds=ahead_s)

    assert 0 == ask(store, delivery, knowing(delivery, {1: "not_found"}), now=now).not_taken


def test_what_a_lost_sender_left_needs_more_patience(store: Store) -> None:
    """That sender may be frozen, wake up, and hand over what it has marked."""
    delivery = make_doubtful(store, count=1, code="sender_lost", age_s=5)
    gateway = knowing(delivery, {1: "not_found"})

    assert 0 == ask(store, delivery, gateway).not_taken
    assert 1 == ask(store, delivery, gateway, patience=Patience(lost_sender_s=0)).not_taken


def test_a_message_that_shows_between_the_two_answers_was_taken(store: Store) -> None:
    """A gateway that had been frozen answers first and reads the waiting request then."""
    delivery = make_doubtful(store, count=2)
    gateway = knowing(delivery, {1: "not_found", 2: "not_found"})

    def appear() -> None:
        gateway.known[id_of(delivery, 1)] = "accepted"

    found = ask(store, delivery, gateway, sleep=Pauses(appear))

    assert Reconciled(asked=2, taken=1, not_taken=1) == found
    assert [BY_LOOKUP, NOT_TAKEN] == [outcomes_of(store, delivery)[n] for n in (1, 2)]


@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "in the inbox"])
def test_a_receipt_is_believed_more_than_not_taken(store: Store, *, is_applied: bool) -> None:
    delivery = make_doubtful(store, count=1)
    if is_applied:
        slip_past(store, delivery, 1)
    else:
        append(store, received(delivery, 1))

    assert 0 == ask(store, delivery, knowing(delivery, {1: "not_found"})).not_taken
    assert UNKNOWN == outcomes_of(store, delivery)[1]


def test_a_report_that_the_look_up_brought_is_a_receipt(store: Store) -> None:
    delivery = make_doubtful(store, count=2)
    gateway = knowing(delivery, {1: "accepted", 2: "accepted"})
    gateway.reports = {id_of(delivery, 1): "delivered", id_of(delivery, 2): "undelivered"}
    ask(store, delivery, gateway)
    apply_all_receipts(store)

    assert {"accepted": 2, "delivered": 1, "undelivered": 1} == figures_of(store)
    assert [] == strays_of(store)


@pytest.mark.parametrize("status", ["accepted", "not_found"])
def test_a_receipt_that_ends_the_doubt_meanwhile_is_not_counted_twice(
    store: Store, status: str
) -> None:
    delivery = make_doubtful(store, count=1)

    def report(_ids: Sequence[str]) -> None:
        append(store, received(delivery, 1))
        apply_all_receipts(store)

    found = ask(store, delivery, knowing(delivery, {1: status}, before=report))

    assert (0, 0) == (found.taken, found.not_taken)
    assert {"accepted": 1, "delivered": 1} == figures_of(store)
    assert 0 == waiting_of(store, delivery)


@pytest.mark.parametrize("status", ["accepted", "not_found"])
def test_what_was_handed_over_again_meanwhile_is_left_alone(store: Store, status: str) -> None:
    delivery = make_doubtful(store, count=1)

    def mark(_ids: Sequence[str]) -> None:
        with store.transaction() as connection:
            connection.execute(
                "INSERT INTO smsflow_marks (preparation, position, attempt, epoch)"
                " VALUES (%s, 1, 1, 1) ON CONFLICT DO NOTHING",
                (delivery.preparation,),
            )

    found = ask(store, delivery, knowing(delivery, {1: status}, before=mark))

    assert (0, 0) == (found.taken, found.not_taken)
    assert UNKNOWN == outcomes_of(store, delivery)[1]
    assert Reconciled() == ask(store, delivery, knowing(delivery, {1: status}))


def test_a_delivery_that_was_prepared_again_is_left_alone(store: Store) -> None:
    delivery = make_doubtful(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET preparation = preparation + 1")
    ending = Ending(position=1, attempt=0, is_taken=False)

    assert Ended() == end_doubts(store, delivery, [ending])


def test_the_same_doubt_ends_once(store: Store) -> None:
    delivery = make_doubtful(store, count=1)
    taken = Ending(position=1, attempt=0, is_taken=True)
    not_taken = Ending(position=1, attempt=0, is_taken=False)

    assert Ended(taken=1) == end_doubts(store, delivery, [taken])
    assert Ended() == end_doubts(store, delivery, [taken])
    assert Ended() == end_doubts(store, delivery, [not_taken])
    assert {"accepted": 1} == figures_of(store)


def test_the_ids_of_a_gateway_that_names_nothing_else_are_noted(store: Store) -> None:
    """Or the receipts of what it took would fit no message."""
    delivery = make_doubtful(store, count=2)
    taken = Ending(position=1, attempt=0, is_taken=True, gateway_ref="sim-1")
    left = Ending(position=2, attempt=0, is_taken=False)
    end_doubts(store, delivery, [taken, left], named_by="sms_gateway")

    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT gateway, gateway_ref, preparation, position FROM smsflow_references"
        ).fetchall()
    assert [("sms_gateway", "sim-1", delivery.preparation, 1)] == [(*row.values(),) for row in rows]


def test_a_thousand_doubts_are_asked_about_a_hundred_at_a_time(store: Store) -> None:
    delivery = make_doubtful(store, count=1250, doubts=range(2, 1251, 2))
    statuses = {n: "accepted" if n % 4 else "not_found" for n in range(2, 1251, 2)}
    gateway = knowing(delivery, statuses)
    found = ask(store, delivery, gateway)

    assert Reconciled(asked=625, taken=313, not_taken=312) == found
    # The one alone is about a message that it took for certain.
    assert [100] * 6 + [25, 1] + [100] * 3 + [12] == [len(ids) for ids in gateway.questions]
    check_figures(store, delivery)


def test_no_more_are_asked_about_than_the_limit(store: Store) -> None:
    delivery = make_doubtful(store, count=150)
    gateway = knowing(delivery, dict.fromkeys(range(1, 151), "accepted"))

    assert Reconciled(asked=120, taken=120) == ask(store, delivery, gateway, limit=120)
    assert [100, 20] == [len(ids) for ids in gateway.questions]


def test_a_question_without_an_answer_changes_nothing_and_the_next_is_asked(store: Store) -> None:
    delivery = make_doubtful(store, count=150)
    gateway = knowing(delivery, dict.fromkeys(range(1, 151), "accepted"))
    gateway.errors = [MaybeSentError("no answer")]
    found = ask(store, delivery, gateway)

    assert (150, 50, 100) == (found.asked, found.taken, found.unsure)
    assert found.again_in_s is not None


def test_a_gateway_that_answers_nothing_is_left_alone(store: Store) -> None:
    delivery = make_doubtful(store, count=1000)
    gateway = knowing(delivery, {})
    gateway.errors = [RefusedError("no")] * 10
    found = ask(store, delivery, gateway)

    assert (3, 0) == (len(gateway.questions), found.taken + found.not_taken)
    assert found.again_in_s is None


def test_only_the_messages_of_its_route_are_asked_about(store: Store) -> None:
    delivery = make_doubtful(store, count=2, route=1)
    gateway = knowing(delivery, {1: "accepted", 2: "accepted"})

    assert Reconciled() == ask(store, delivery, gateway, route=0)
    assert Reconciled(asked=2, taken=2) == ask(store, delivery, gateway, route=1)


def test_a_gateway_that_forgets_is_not_asked_about_what_is_too_old(store: Store) -> None:
    """Not found means forgotten then, and the message would leave twice."""
    delivery = make_doubtful(store, count=1, age_s=49 * 3600)

    assert Reconciled() == ask(store, delivery, knowing(delivery, {}, family="own_ids"))
    assert 1 == ask(store, delivery, knowing(delivery, {1: "not_found"})).not_taken


def test_a_gateway_that_cannot_be_asked_is_not(store: Store) -> None:
    delivery = make_doubtful(store, count=1)

    assert Reconciled() == ask(store, delivery, RecordingGateway())
    assert UNKNOWN == outcomes_of(store, delivery)[1]


def test_which_gateways_can_be_asked_or_sent_to_again() -> None:
    kannel = KannelDialect(KannelSettings(base_url="http://kannel"))
    query, own_ids = (KnowingGateway(family=one).dialect for one in ("query", "own_ids"))

    assert [False, True, True] == [can_be_asked(one) for one in (kannel, query, own_ids)]
    assert [False, False, True] == [again_is_safe(one) for one in (kannel, query, own_ids)]


def test_maintenance_asks_about_all_deliveries_whatever_one_gateway_says(store: Store) -> None:
    first = make_doubtful(store, count=2, delivery_id="d1", state="finished")
    second = make_doubtful(store, count=3, delivery_id="d2")
    gateway = knowing(first, {1: "accepted"})
    gateway.known |= knowing(second, {3: "not_found"}).known
    opened: list[str] = []

    @asynccontextmanager
    async def gateway_of(connection_id: str) -> AsyncIterator[Gateway]:
        opened.append(connection_id)
        if len(opened) == 3:
            raise ConfigError("no such connection")
        yield gateway

    def run(limit: int | None = None) -> Reconciled:
        return asyncio.run(reconcile(store, gateway_of=gateway_of, limit=limit, sleep=Pauses()))

    assert Reconciled(asked=5, taken=1, not_taken=1, unsure=3) == run()
    assert ("sms_gateway: no such connection",) == run().problems
    assert Reconciled(asked=1, unsure=1) == run(limit=1)
    assert {"accepted": 1, "unknown": 1} == figures_of(store, "d1")


def test_doubts_are_listed_with_reason_and_time_and_without_phone_or_text(store: Store) -> None:
    delivery = make_doubtful(store, count=2500, doubts=[7, 1200, 2400], age_s=60)
    first = list_unknown(store, delivery, limit=2)
    rest = list_unknown(store, delivery, after=first[-1].position, limit=2)

    assert [7, 1200, 2400] == [one.position for one in (*first, *rest)]
    shown = first[0].as_dict()
    assert ("r7", "timeout", "sms_gateway") == (
        shown["recipient_id"],
        shown["reason"],
        shown["gateway"],
    )
    assert "33600000007" not in repr(first)
    assert first[0].marked_at < utc_now() - timedelta(seconds=50)
    assert [] == list_unknown(store, delivery, after=2400)


@pytest.mark.parametrize("seed", range(3))
def test_look_ups_and_receipts_at_once_count_each_message_once(store: Store, seed: int) -> None:
    count = 1500
    delivery = make_doubtful(store, count=count)
    chance = random.Random(seed)
    statuses = {n: chance.choice(["accepted", "not_found", "?"]) for n in range(1, count + 1)}
    known = {n: status for n, status in statuses.items() if status != "?"}
    reported = chance.sample(range(1, count + 1), k=700)
    receipts = [received(delivery, position) for position in reported]
    append(store, *receipts[:350])
    errors: list[BaseException] = []

    def guarded(act: Any) -> threading.Thread:
        def run() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001  told by the test
                errors.append(error)

        return threading.Thread(target=run)

    def apply() -> None:
        for start in range(350, 700, 50):
            append(store, *receipts[start : start + 50])
            apply_receipts(store, limit=70)

    threads = [
        guarded(lambda: ask(store, delivery, knowing(delivery, known))),
        guarded(lambda: ask(store, delivery, knowing(delivery, known))),
        guarded(apply),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    apply_all_receipts(store)

    assert [] == errors
    check_figures(store, delivery)
    kinds = outcomes_of(store, delivery)
    early = set(reported[:350])
    assert not [n for n in early if kinds[n][0] == "not_sent"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    statuses=st.lists(st.sampled_from(["accepted", "refused", "not_found", "?"]), max_size=8),
    state=st.sampled_from(["sending", "paused", "finished", "stopped"]),
)
def test_whatever_the_answers_the_figures_add_up(
    store: Store, statuses: list[str], state: str
) -> None:
    name = f"d{uuid.uuid4()}"
    delivery = make_doubtful(store, count=len(statuses) + 1, delivery_id=name, state=state)
    known = {n: status for n, status in enumerate(statuses, start=1) if status != "?"}
    found = ask(store, delivery, knowing(delivery, known))

    assert found.asked == found.taken + found.not_taken + found.unsure
    assert statuses.count("accepted") == found.taken
    assert statuses.count("refused") + statuses.count("not_found") == found.not_taken
    check_figures(store, delivery)


def has_ref(store: Store, delivery: Delivery, position: int, ref: str, *, table: str) -> None:
    """Let a message have an id of the gateway already, by its outcome or by its receipt."""
    write = {
        "outcomes": "UPDATE smsflow_outcomes SET gateway_ref = %s"
        " WHERE preparation = %s AND position = %s",
        "receipts": "INSERT INTO smsflow_receipts (gateway_ref, preparation, position, kind,"
        " received_at) VALUES (%s, %s, %s, 'delivered', now())",
    }[table]
    with store.transaction() as connection:
        connection.execute(write.encode(), (ref, delivery.preparation, position))


@pytest.mark.parametrize("table", ["outcomes", "receipts"])
def test_an_id_that_another_message_has_already_proves_nothing(store: Store, table: str) -> None:
    """Two texts alike to one number in one minute, and one of them in the gateway's list."""
    other = make_doubtful(store, count=3, doubts=[], delivery_id="other")
    delivery = make_doubtful(store, count=5, doubts=[2, 4])
    has_ref(store, other, 1, f"ref-{id_of(delivery, 2)}", table=table)
    gateway = knowing(delivery, {2: "accepted", 4: "accepted"})
    gateway.find_by_likeness()
    found = ask(store, delivery, gateway)

    assert Reconciled(asked=2, taken=1, unsure=1) == found
    outcomes = outcomes_of(store, delivery)
    assert (UNKNOWN, BY_LOOKUP) == (outcomes[2], outcomes[4])
    check_figures(store, delivery)


def test_one_id_is_never_given_to_two_messages_at_once(store: Store) -> None:
    delivery = make_doubtful(store, count=2)
    endings = [
        Ending(position=position, attempt=0, is_taken=True, gateway_ref="SM1")
        for position in (1, 2)
    ]
    assert Ended() == end_doubts(store, delivery, endings, is_by_likeness=True)
    assert Ended(taken=1) == end_doubts(store, delivery, endings[:1], is_by_likeness=True)
    assert Ended() == end_doubts(store, delivery, endings[1:], is_by_likeness=True)


def test_a_message_may_have_its_own_id_already(store: Store) -> None:
    delivery = make_doubtful(store, count=2, doubts=[1])
    has_ref(store, delivery, 1, "SM1", table="outcomes")
    ending = Ending(position=1, attempt=0, is_taken=True, gateway_ref="SM1")

    assert Ended(taken=1) == end_doubts(store, delivery, [ending], is_by_likeness=True)


@pytest.mark.parametrize("is_asked", [True, False], ids=["by look-up", "by policy"])
def test_a_receipt_keeps_from_going_again_what_nobody_was_sure_of(
    store: Store, *, is_asked: bool
) -> None:
    """The gateway was wrong when it was asked, or answers late: the receipt is believed."""
    delivery = make_doubtful(store, count=2, doubts=[1])
    if is_asked:
        denial = Ending(position=1, attempt=0, is_taken=False)
        assert Ended(not_taken=1) == end_doubts(store, delivery, [denial])
    else:
        again_by_policy(store, delivery, older_than_s=0)
    append(store, received(delivery, 1))
    apply_all_receipts(store)

    ledger = take_over(store, delivery.id)
    assert [] == take(ledger, 5)
    ledger.release()

    assert [] == strays_of(store)
    assert ("accepted", "by_receipt") == outcomes_of(store, delivery)[1]
    check_counters(store, delivery)


def test_a_receipt_corrects_what_failed_because_it_was_not_taken(store: Store) -> None:
    delivery = make_doubtful(store, count=2, doubts=[1], state="finished")
    end_doubts(store, delivery, [Ending(position=1, attempt=0, is_taken=False)])
    append(store, received(delivery, 1))
    apply_all_receipts(store)

    assert {"accepted": 2, "delivered": 1} == figures_of(store)
    check_counters(store, delivery)


def test_a_gateway_is_asked_no_more_often_than_it_wants_whoever_asks(store: Store) -> None:
    """Two askers, each as fast as it can: every question has a turn of its own."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def play() -> None:
        turns = [Turns(store, "sms_gateway", per_s=0.5, sleep=sleep) for _ in range(2)]
        for _ in range(3):
            await asyncio.gather(*(one.wait() for one in turns))
        await Turns(store, "other", per_s=0.5, sleep=sleep).wait()
        await Turns(store, "sms_gateway", per_s=0, sleep=sleep).wait()
        for one in turns:
            one.close()

    asyncio.run(play())

    assert 5 == len(waited)
    assert [2, 4, 6, 8, 10] == [round(wait_s + 0.5) for wait_s in sorted(waited)]


def test_each_question_waits_for_its_turn(store: Store) -> None:
    delivery = make_doubtful(store, count=3)
    gateway = knowing(delivery, dict.fromkeys((1, 2, 3), "accepted"))
    gateway.lookups_per_s = 0.1
    one_by_one: Any = gateway.dialect
    one_by_one.lookup_batch = 1
    pauses = Pauses()

    found = ask(store, delivery, gateway, sleep=pauses)

    assert (3, 3) == (found.taken, len(gateway.questions))
    assert [10, 20] == [round(wait_s) for wait_s in pauses.s]
