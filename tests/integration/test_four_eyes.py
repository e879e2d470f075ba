"""Who may decide about a delivery, on a real store: four eyes, reviewers, two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from smsflow_provider.core.delivery.approval import (
    Answer,
    Decided,
    Turn,
    decide_once,
    take_answer,
)
from smsflow_provider.core.delivery.four_eyes import Person
from smsflow_provider.core.errors import NotAllowedError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_log
from tests.prepared_delivery import make_prepared

ANN = Person(id="3", name="Ann")
BOB = Person(id="4", name="bob")


def make_ready(store: Store, settings: str, authors: str = '["ANN"]') -> str:
    """Prepare ``d1`` with rules of its own about who may decide; returns its fingerprint."""
    delivery = make_prepared(store, count=2)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET settings = settings || %s::jsonb, authors = %s::jsonb",
            (settings, authors),
        )
    assert delivery.fingerprint is not None
    return delivery.fingerprint


def decide(store: Store, fingerprint: str, person: Person, decision: Decision) -> Decided:
    return decide_once(
        store, "d1", fingerprint=fingerprint, decision=decision, person=person, via="dashboard"
    )


def test_who_made_a_delivery_is_known_by_name_whatever_its_case(store: Store) -> None:
    fingerprint = make_ready(store, '{"four_eyes": true}')

    with pytest.raises(NotAllowedError, match="somebody else must approve it") as caught:
        decide(store, fingerprint, ANN, Decision.SEND)
    assert "four_eyes" == caught.value.facts["rule"]
    assert DeliveryState.READY is find_delivery(store, "d1").state


def test_who_made_a_delivery_may_reject_it(store: Store) -> None:
    fingerprint = make_ready(store, '{"four_eyes": true}')

    assert decide(store, fingerprint, ANN, Decision.REJECT).is_new


def test_only_a_reviewer_by_id_decides_also_by_rejecting(store: Store) -> None:
    fingerprint = make_ready(store, '{"reviewers": ["4"]}')

    with pytest.raises(NotAllowedError, match="not among the reviewers"):
        decide(store, fingerprint, ANN, Decision.REJECT)
    assert decide(store, fingerprint, BOB, Decision.SEND).is_new


def test_an_answer_on_airflows_page_cannot_go_round_it_and_is_asked_again(store: Store) -> None:
    fingerprint = make_ready(store, '{"four_eyes": true}')

    answer = Answer(decision=Decision.SEND, answered_by="3", name="ann")
    review = take_answer(store, "d1", fingerprint=fingerprint, answer=answer)

    assert Turn.ASK is review.turn
    refused = [each for each in read_log(store, review.delivery) if "not count" in each["problem"]]
    assert [{"by": "3", "rule": "four_eyes"}] == [each["facts"] for each in refused]


def test_of_two_who_press_send_at_once_one_decides_and_the_other_hears_of_it(store: Store) -> None:
    fingerprint = make_ready(store, "{}")

    with ThreadPoolExecutor(2) as pool:
        made = list(
            pool.map(lambda who: decide(store, fingerprint, who, Decision.SEND), [ANN, BOB])
        )

    assert [False, True] == sorted(each.is_new for each in made)
    assert 1 == len({each.approval.decided_by for each in made})
