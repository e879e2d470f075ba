"""Decisions on a real store: whose turn it is, what an answer does, who was first."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smsflow_provider.core.delivery.approval import (
    COMMENT_LIMIT,
    Answer,
    Turn,
    check_approved,
    decide,
    review_of,
    take_answer,
)
from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.errors import IllegalMoveError, NotApprovedError, NotFoundError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import (
    Approval,
    Decision,
    find_approval,
    open_review,
    review_age_s,
)
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_delivery, read_log
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.delivery.receiving import until_waiting
from tests.core.preparation.preparing import make_draft
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send

TURNS = {
    "ready": Turn.ASK,
    "approved": Turn.APPROVED,
    "sending": Turn.APPROVED,
    "paused": Turn.APPROVED,
    "finished": Turn.APPROVED,
    "rejected": Turn.REJECTED,
    "expired": Turn.EXPIRED,
    "stopped": Turn.STOPPED,
}
NOTHING_TO_REVIEW = ("draft", "preparing", "preparation_failed")


def put(store: Store, state: str) -> None:
    """Put delivery ``d1`` into *state*, past the guard."""
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER USER")
        connection.execute("UPDATE smsflow_deliveries SET state = %s", (state,))
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER USER")


def answer(decision: Decision | None = Decision.SEND, **changed: Any) -> Answer:
    return Answer(**{"decision": decision, "answered_by": "manager", **changed})


def make_ready(store: Store) -> tuple[Delivery, str]:
    delivery = make_prepared(store, count=2)
    assert delivery.fingerprint is not None
    return delivery, delivery.fingerprint


def say(store: Store, fingerprint: str, decision: Decision, **changed: Any) -> Approval:
    return decide(
        store,
        "d1",
        fingerprint=fingerprint,
        decision=decision,
        **{"decided_by": "manager", "via": "cli", **changed},
    )


def test_every_state_is_somebodys_turn_or_has_nothing_to_review() -> None:
    assert set(DeliveryState) == {*TURNS, *NOTHING_TO_REVIEW}


def test_a_state_says_whose_turn_it_is(store: Store) -> None:
    make_ready(store)

    assert TURNS == {state: _turn_in(store, state) for state in TURNS}


def _turn_in(store: Store, state: str, **told: bool) -> Turn:
    put(store, state)
    return review_of(store, "d1", **told).turn


@pytest.mark.parametrize("state", NOTHING_TO_REVIEW)
def test_without_a_complete_preparation_there_is_nothing_to_review(
    store: Store, state: str
) -> None:
    make_ready(store)
    put(store, state)

    with pytest.raises(NotApprovedError, match="prepare the delivery first") as caught:
        review_of(store, "d1")
    assert {"delivery": "d1", "state": state} == caught.value.facts


def test_a_backfill_asks_nobody_unless_it_may_send(store: Store) -> None:
    make_ready(store)

    assert {**TURNS, "ready": Turn.NOT_ASKED} == {
        state: _turn_in(store, state, is_backfill=True) for state in TURNS
    }
    assert TURNS == {
        state: _turn_in(store, state, is_backfill=True, send_in_backfill=True) for state in TURNS
    }


@pytest.mark.parametrize(
    ("decision", "turn"), [(Decision.SEND, Turn.APPROVED), (Decision.REJECT, Turn.REJECTED)]
)
def test_an_answer_becomes_a_row_with_who_what_and_why(
    store: Store, decision: Decision, turn: Turn
) -> None:
    delivery, fingerprint = make_ready(store)

    review = take_answer(
        store, "d1", fingerprint=fingerprint, answer=answer(decision, comment="fine by me")
    )

    assert turn is review.turn
    assert review.approval is not None
    assert (
        delivery.preparation,
        fingerprint,
        decision,
        "manager",
        "fine by me",
        "airflow",
        None,
        False,
    ) == (
        review.approval.preparation,
        review.approval.fingerprint,
        review.approval.decision,
        review.approval.decided_by,
        review.approval.comment,
        review.approval.via,
        review.approval.expires_at,
        review.approval.expired,
    )
    last = read_log(store, delivery)[-1]
    assert (f"delivery_{turn.value}", {"by": "manager"}) == (last["event"], last["facts"])


@pytest.mark.parametrize(
    "useless",
    [
        answer(None),
        answer(comment="x" * (COMMENT_LIMIT + 1)),
        answer(comment={"text": "yes"}),
        answer(comment=["yes"]),
        answer(comment=7),
        answer(answered_by=" "),
    ],
    ids=["two options or none", "too long", "an object", "a list", "a number", "a blank name"],
)
def test_an_answer_that_cannot_be_read_asks_again(store: Store, useless: Answer) -> None:
    _, fingerprint = make_ready(store)

    review = take_answer(store, "d1", fingerprint=fingerprint, answer=useless)

    assert (Turn.ASK, None) == (review.turn, review.approval)
    assert Turn.APPROVED is take_answer(store, "d1", fingerprint=fingerprint, answer=answer()).turn


@pytest.mark.parametrize("any_answer", [answer(), answer(timed_out=True), answer(answered_by=None)])
def test_an_answer_about_other_content_asks_again(store: Store, any_answer: Answer) -> None:
    """Also a timeout: the question about the new content has not been asked yet."""
    make_ready(store)

    for given in ("0" * 64, "", "None"):
        assert Turn.ASK is take_answer(store, "d1", fingerprint=given, answer=any_answer).turn
    assert DeliveryState.READY is find_delivery(store, "d1").state


@pytest.mark.parametrize(
    "nobody",
    [
        answer(None, timed_out=True),
        answer(Decision.SEND, timed_out=True),
        answer(Decision.SEND, answered_by=None),
        answer(Decision.SEND, answered_by=""),
    ],
)
def test_what_nobody_answered_expires_and_is_never_sent(store: Store, nobody: Answer) -> None:
    _, fingerprint = make_ready(store)

    review = take_answer(store, "d1", fingerprint=fingerprint, answer=nobody)

    assert (Turn.EXPIRED, None) == (review.turn, review.approval)
    gateway = RecordingGateway()
    with pytest.raises(NotApprovedError):
        run_send(store, gateway)
    assert [] == gateway.messages
    with pytest.raises(IllegalMoveError):
        say(store, fingerprint, Decision.SEND)


@pytest.mark.parametrize("comment", [None, "", "x" * COMMENT_LIMIT, "nul\0 and \ud83d half"])
def test_any_text_may_be_a_comment(store: Store, comment: str | None) -> None:
    _, fingerprint = make_ready(store)

    review = take_answer(store, "d1", fingerprint=fingerprint, answer=answer(comment=comment))

    assert review.approval is not None
    kept = (comment or "").replace("\0", "").replace("\ud83d", "")
    assert kept == review.approval.comment


def test_an_answer_after_somebody_else_decided_changes_nothing(store: Store) -> None:
    _, fingerprint = make_ready(store)
    say(store, fingerprint, Decision.REJECT, decided_by="boss")

    review = take_answer(store, "d1", fingerprint=fingerprint, answer=answer())

    assert Turn.REJECTED is review.turn
    assert review.approval is not None
    assert "boss" == review.approval.decided_by


def test_a_long_comment_is_cut_where_it_is_recorded(store: Store) -> None:
    _, fingerprint = make_ready(store)

    assert COMMENT_LIMIT == len(
        say(store, fingerprint, Decision.SEND, comment="x" * 10_000).comment
    )


@pytest.mark.parametrize("name", ["", "  "])
def test_nobody_cannot_decide(store: Store, name: str) -> None:
    _, fingerprint = make_ready(store)

    with pytest.raises(NotApprovedError, match="somebody"):
        say(store, fingerprint, Decision.SEND, decided_by=name)
    assert DeliveryState.READY is find_delivery(store, "d1").state


def test_the_same_decision_again_changes_nothing(store: Store) -> None:
    delivery, fingerprint = make_ready(store)
    first = say(store, fingerprint, Decision.SEND, comment="yes")

    second = say(store, fingerprint, Decision.SEND, decided_by="boss", comment="also yes")

    assert first == second
    assert 1 == len(read_log(store, delivery))


@pytest.mark.parametrize("first", list(Decision))
def test_of_two_different_decisions_the_first_holds(store: Store, first: Decision) -> None:
    _, fingerprint = make_ready(store)
    say(store, fingerprint, first, decided_by="boss")
    (other,) = set(Decision) - {first}

    with pytest.raises(NotApprovedError, match="decided already") as caught:
        say(store, fingerprint, other)
    assert ("boss", first.value) == (
        caught.value.facts["decided_by"],
        caught.value.facts["decision"],
    )


def test_a_decision_about_other_content_is_refused(store: Store) -> None:
    _, old = make_ready(store)
    make_prepared(store, count=3)

    with pytest.raises(NotApprovedError, match="review it again"):
        say(store, old, Decision.SEND)
    assert DeliveryState.READY is find_delivery(store, "d1").state


def test_the_same_content_prepared_again_needs_a_new_decision(store: Store) -> None:
    """The fingerprint is the same; the preparation is not."""
    _, fingerprint = make_ready(store)
    approve(store)
    again, same = make_ready(store)

    assert fingerprint == same
    assert find_approval(store, again) is None
    assert Turn.ASK is review_of(store, "d1").turn


@pytest.mark.parametrize("fingerprint", ["", "0" * 64, "None"])
def test_a_delivery_never_prepared_cannot_be_approved(store: Store, fingerprint: str) -> None:
    make_draft(store)

    with pytest.raises(NotApprovedError, match="review it again") as caught:
        say(store, fingerprint, Decision.SEND)
    assert "draft" == caught.value.facts["state"]


def test_a_decision_on_no_delivery_names_near_ones(store: Store) -> None:
    make_draft(store, "spring_sale-sms-abc")

    with pytest.raises(NotFoundError) as caught:
        decide(
            store,
            "spring_sale-sms-abd",
            fingerprint="",
            decision=Decision.SEND,
            decided_by="me",
            via="cli",
        )
    assert ["spring_sale-sms-abc"] == caught.value.facts["near"]


def test_of_two_people_at_once_one_wins_and_the_other_is_told(store: Store) -> None:
    _, fingerprint = make_ready(store)
    barrier = threading.Barrier(2)
    told: dict[str, Approval | NotApprovedError] = {}

    def work(name: str, decision: Decision) -> None:
        barrier.wait(10)
        try:
            told[name] = say(store, fingerprint, decision, decided_by=name)
        except NotApprovedError as error:
            told[name] = error

    threads = [
        threading.Thread(target=work, args=each)
        for each in (("ann", Decision.SEND), ("bob", Decision.REJECT))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    (winner,) = (one for one in told.values() if isinstance(one, Approval))
    (loser,) = (one for one in told.values() if isinstance(one, NotApprovedError))
    assert winner.decided_by == loser.facts["decided_by"]
    state = "approved" if winner.decision is Decision.SEND else "rejected"
    assert state == find_delivery(store, "d1").state.value


@pytest.mark.parametrize(
    "any_answer", [answer(), answer(timed_out=True)], ids=["a decision", "a timeout"]
)
def test_content_that_changes_while_an_answer_is_taken_is_asked_about(
    store: Store, any_answer: Answer
) -> None:
    _, fingerprint = make_ready(store)
    turns: list[Turn] = []

    def work() -> None:
        turns.append(take_answer(store, "d1", fingerprint=fingerprint, answer=any_answer).turn)

    thread = threading.Thread(target=work)
    with store.transaction() as other:
        read_delivery(other, "d1", lock=True)
        thread.start()
        until_waiting(store)
        other.execute("UPDATE smsflow_deliveries SET fingerprint = %s", ("1" * 64,))
    thread.join(30)

    assert [Turn.ASK] == turns
    assert DeliveryState.READY is find_delivery(store, "d1").state


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM smsflow_approvals", "nobody approved"),
        ("UPDATE smsflow_approvals SET decision = 'reject'", "nobody approved"),
        ("UPDATE smsflow_approvals SET fingerprint = 'x'", "other content"),
        ("UPDATE smsflow_deliveries SET fingerprint = NULL", "other content"),
        ("UPDATE smsflow_approvals SET expires_at = now() - interval '1 s'", "run out"),
    ],
)
def test_an_approval_holds_for_this_very_content_only(
    store: Store, change: str, words: str
) -> None:
    make_ready(store)
    approve(store)
    with store.transaction() as connection:
        assert check_approved(connection, find_delivery(store, "d1")).decision is Decision.SEND
        connection.execute(change.encode())
        delivery = read_delivery(connection, "d1")
        with pytest.raises(NotApprovedError, match=words):
            check_approved(connection, delivery)


def test_an_approval_may_run_out_before_the_start_but_not_under_way(store: Store) -> None:
    _, fingerprint = make_ready(store)
    approval = say(store, fingerprint, Decision.SEND, valid_s=3600)
    assert approval.expires_at is not None
    assert 3600 == (approval.expires_at - approval.decided_at).total_seconds()
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_approvals SET expires_at = now() - interval '1 s'")
    put(store, "sending")

    with store.transaction() as connection:
        assert check_approved(connection, find_delivery(store, "d1")).expired


@pytest.mark.parametrize("act", [pause, resume, stop])
def test_what_is_not_under_way_cannot_be_held_or_stopped(store: Store, act: Any) -> None:
    make_ready(store)

    for state in ("ready", "rejected", "expired", "finished", "draft"):
        put(store, state)
        with pytest.raises(IllegalMoveError) as caught:
            act(store, "d1", actor="boss")
        assert state in caught.value.facts.values()


def test_holding_what_is_held_already_changes_nothing(store: Store) -> None:
    delivery, _ = make_ready(store)

    for act, state in ((pause, "paused"), (resume, "sending"), (stop, "stopped")):
        put(store, state)
        assert state == act(store, "d1", actor="boss").state.value
    assert [] == read_log(store, delivery)


def test_who_paused_and_resumed_is_in_the_log(store: Store) -> None:
    delivery, _ = make_ready(store)
    put(store, "sending")
    pause(store, "d1", actor="ann")
    resume(store, "d1", actor="bob")

    assert [("delivery_paused", {"by": "ann"}), ("delivery_sending", {"by": "bob"})] == [
        (row["event"], row["facts"]) for row in read_log(store, delivery)
    ]


TASK = Origin(dag_id="shop.sale", run_id="r1", task_id="review")


def test_the_age_of_a_question_is_counted_from_when_it_was_asked_last(store: Store) -> None:
    delivery, fingerprint = make_ready(store)
    assert review_age_s(store, TASK) is None

    open_review(store, delivery, asked_by=TASK, fingerprint=fingerprint)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_reviews SET opened_at = now() - interval '90 s'")
    old_s = review_age_s(store, TASK)
    open_review(store, delivery, asked_by=TASK, fingerprint=fingerprint)
    new_s = review_age_s(store, TASK)

    assert old_s is not None
    assert new_s is not None
    assert 0 <= new_s < 60 < old_s


def test_a_task_that_asks_about_another_delivery_asks_about_that_one_only(store: Store) -> None:
    first = make_prepared(store, count=1, delivery_id="d1")
    second = make_prepared(store, count=1, delivery_id="d2")

    for delivery in (first, second):
        open_review(store, delivery, asked_by=TASK, fingerprint=str(delivery.fingerprint))

    with store.transaction() as connection:
        rows = connection.execute("SELECT delivery_no FROM smsflow_reviews").fetchall()
    assert [second.no] == [row["delivery_no"] for row in rows]
