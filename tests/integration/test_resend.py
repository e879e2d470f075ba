"""What failed or expired goes again when a person says so, and nothing else does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.delivery.switch import switch_off
from smsflow_provider.core.errors import IllegalMoveError, NotApprovedError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_figures
from tests.governed import lines_of, look, make_going, mark, move, settle

FAILED, EXPIRED = OutcomeKind.FAILED, OutcomeKind.EXPIRED


def make_ended(store: Store, *, total: int = 1006, **more: Any) -> Delivery:
    """Make a finished delivery: 1 and 1001 failed, 2 is in doubt, 3 and 1002 expired."""
    delivery = make_going(store, count=total, **more)
    mark(store, delivery, *(n for n in range(1, total + 1) if n not in {3, 1002}))
    settle(store, delivery, "failed", 1, 1001)
    settle(store, delivery, "unknown", 2)
    settle(store, delivery, "expired", 3, 1002)
    others = [n for n in range(4, total + 1) if n not in {1001, 1002}]
    settle(store, delivery, "accepted", *others)
    move(store, delivery, "finished")
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET ended_at = now()")
    return find_delivery(store, "d1")


def chunks_of(store: Store) -> list[Row]:
    with store.transaction() as connection:
        return connection.execute(
            "SELECT failed, expired, unknown, waiting FROM smsflow_chunks ORDER BY chunk"
        ).fetchall()


def last_outcomes(store: Store) -> dict[int, tuple[str, str, int]]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (position) position, kind, code, attempt FROM smsflow_outcomes"
            " ORDER BY position, attempt DESC"
        ).fetchall()
    return {row["position"]: (row["kind"], row["code"], row["attempt"]) for row in rows}


def test_what_failed_waits_to_go_again_and_the_rest_stays_as_it_is(store: Store) -> None:
    delivery = make_ended(store)

    assert 2 == resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")

    found = find_delivery(store, "d1")
    assert ("sending", None, "ann") == (found.state.value, found.ended_at, found.moved_by)
    assert delivery.expires_at is not None
    assert found.expires_at is not None
    assert found.expires_at > delivery.expires_at
    outcomes = last_outcomes(store)
    assert {1, 1001} == {n for n, last in outcomes.items() if last == ("not_sent", "resend", 1)}
    assert ("unknown", "", 0) == outcomes[2]
    assert ("expired", "", 0) == outcomes[3]
    assert [
        {"failed": 0, "expired": 1, "unknown": 1, "waiting": 1},
        {"failed": 0, "expired": 1, "unknown": 0, "waiting": 1},
    ] == chunks_of(store)
    assert [{"by": "ann", "failed": 2}] == lines_of(store, delivery, "resent")


def test_both_kinds_go_again_together(store: Store) -> None:
    make_ended(store)

    assert 4 == resend(store, "d1", kinds=frozenset({FAILED, EXPIRED}), actor="ann")

    assert [
        {"failed": 0, "expired": 0, "unknown": 1, "waiting": 2},
        {"failed": 0, "expired": 0, "unknown": 0, "waiting": 2},
    ] == chunks_of(store)
    figures = read_figures(store, find_delivery(store, "d1"))
    assert (1001, 1) == (figures["accepted"], figures["unknown"])


def test_the_causes_tell_what_ended_a_message_for_now(store: Store) -> None:
    """What goes again has not ended, whatever ended its first try."""
    delivery = make_going(store, count=4)
    settle(store, delivery, "failed", 1, 2)
    settle(store, delivery, "accepted", 3, 4)
    move(store, delivery, "finished")
    assert [2] == [cause["messages"] for cause in report(store, "d1")["causes"]]

    resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")

    assert [] == report(store, "d1")["causes"]


def test_of_two_people_at_once_one_does_it(store: Store) -> None:
    make_ended(store)

    def act(name: str) -> int | str:
        try:
            return resend(store, "d1", kinds=frozenset({FAILED}), actor=name)
        except IllegalMoveError as error:
            return error.problem

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(act, ("ann", "bob")), key=str)

    assert [2, "only a finished delivery can be sent again"] == done
    assert [1, 1] == [row["waiting"] for row in chunks_of(store)]


@pytest.mark.parametrize("state", ["sending", "paused", "stopped"])
def test_only_a_finished_delivery_is_sent_again(store: Store, state: str) -> None:
    delivery = make_going(store, count=3)
    settle(store, delivery, "failed", 1, 2, 3)
    if state != "sending":
        move(store, delivery, state)

    with pytest.raises(IllegalMoveError, match="only a finished delivery") as refused:
        resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")

    assert state == refused.value.facts["state"]


def test_with_nothing_to_send_again_nothing_changes(store: Store) -> None:
    delivery = make_going(store, count=3)
    settle(store, delivery, "accepted", 1, 2, 3)
    move(store, delivery, "finished")

    with pytest.raises(IllegalMoveError, match="nothing to send again"):
        resend(store, "d1", kinds=frozenset({FAILED, EXPIRED}), actor="ann")

    assert "finished" == find_delivery(store, "d1").state.value
    assert [] == lines_of(store, delivery, "resent")


@pytest.mark.parametrize("kind", [OutcomeKind.UNKNOWN, OutcomeKind.CANCELLED, OutcomeKind.ACCEPTED])
def test_what_may_have_left_or_was_cancelled_is_never_sent_again(
    store: Store, kind: OutcomeKind
) -> None:
    make_ended(store)

    with pytest.raises(IllegalMoveError, match="only messages that failed or expired"):
        resend(store, "d1", kinds=frozenset({FAILED, kind}), actor="ann")

    assert "finished" == find_delivery(store, "d1").state.value


def test_a_message_with_a_receipt_has_left_and_is_not_sent_again(store: Store) -> None:
    delivery = make_ended(store)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_receipts (preparation, position, kind, received_at)"
            " VALUES (%s, 1, 'delivered', now())",
            (delivery.preparation,),
        )

    assert 1 == resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")
    assert "failed" == last_outcomes(store)[1][0]


def test_a_message_that_failed_again_can_go_again(store: Store) -> None:
    delivery = make_ended(store)
    resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind)"
            " SELECT preparation, position, 2, 'failed' FROM smsflow_outcomes WHERE attempt = 1"
        )
        connection.execute("UPDATE smsflow_chunks SET waiting = 0, failed = 1")
    move(store, delivery, "finished")

    assert 2 == resend(store, "d1", kinds=frozenset({FAILED}), actor="bob")
    assert ("not_sent", "resend", 3) == last_outcomes(store)[1]


def test_failures_of_before_are_not_counted_again(store: Store) -> None:
    rule = {"pause_when": {"failed": "25%", "after": 1}}
    delivery = make_going(store, count=10, sending=rule)
    settle(store, delivery, "failed", *range(1, 10))
    settle(store, delivery, "expired", 10)
    move(store, delivery, "finished")

    resend(store, "d1", kinds=frozenset({EXPIRED}), actor="ann")

    assert "sending" == look(store, delivery).state.value


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE smsflow_preparations SET archived_at = now()",
        b"UPDATE smsflow_preparations SET dropped_at = now()",
    ],
    ids=["archived", "dropped"],
)
def test_messages_that_are_archived_are_not_sent_again(store: Store, change: bytes) -> None:
    make_ended(store)
    with store.transaction() as connection:
        connection.execute(change)

    with pytest.raises(IllegalMoveError, match="archived"):
        resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")


def test_while_everything_is_off_nothing_is_sent_again(store: Store) -> None:
    make_ended(store)
    switch_off(store, actor="ann")

    with pytest.raises(IllegalMoveError, match="switched off"):
        resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")

    assert "finished" == find_delivery(store, "d1").state.value


def test_without_an_approval_of_that_very_content_nothing_is_sent_again(store: Store) -> None:
    make_ended(store)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_approvals SET fingerprint = 'other'")

    with pytest.raises(NotApprovedError, match="other content"):
        resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")


def test_an_approval_that_has_run_out_since_does_not_matter(store: Store) -> None:
    make_ended(store)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_approvals SET expires_at = now() - interval '1 s'")

    assert 2 == resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")


def test_a_proof_is_not_sent_again(store: Store) -> None:
    make_ended(store)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET kind = 'proof'")

    with pytest.raises(IllegalMoveError, match="send another"):
        resend(store, "d1", kinds=frozenset({FAILED}), actor="ann")


def test_a_delivery_that_expired_in_its_first_wave_begins_with_that_wave_again(
    store: Store,
) -> None:
    sending = {"waves": {"shares": ["10%"], "wait": "0s"}, "pause_when": {"failed": None}}
    delivery = make_going(store, count=100, sending=sending)
    settle(store, delivery, "accepted", *range(1, 6))
    settle(store, delivery, "expired", *range(6, 101))
    move(store, delivery, "finished")

    resend(store, "d1", kinds=frozenset({EXPIRED}), actor="ann")

    assert 10 == look(store, delivery).wave_until
    assert [] == lines_of(store, delivery, "wave_ended")
