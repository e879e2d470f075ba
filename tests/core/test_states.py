from __future__ import annotations

import itertools

import pytest

from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.states import BEGUN, MOVES, DeliveryState, check_move

#: No way leads out of these but preparing anew, or none at all.
FINAL = {DeliveryState.STOPPED}
UNSENT = set(DeliveryState) - BEGUN


def reachable(start: DeliveryState) -> set[DeliveryState]:
    """Follow the moves from *start*; *start* itself only if a way leads back."""
    found: set[DeliveryState] = set()
    ahead = set(MOVES[start])
    while ahead:
        state = ahead.pop()
        found.add(state)
        ahead |= MOVES[state] - found
    return found


def test_every_state_has_its_moves() -> None:
    assert set(DeliveryState) == set(MOVES)


@pytest.mark.parametrize(
    ("current", "target"), list(itertools.product(DeliveryState, DeliveryState))
)
def test_only_the_moves_of_the_table_are_allowed(
    current: DeliveryState, target: DeliveryState
) -> None:
    if target in MOVES[current]:
        check_move(current, target)
        return
    with pytest.raises(IllegalMoveError) as caught:
        check_move(current, target)
    facts = {
        "current": current.value,
        "target": target.value,
        "possible": sorted(MOVES[current]),
    }
    assert facts == {name: caught.value.facts[name] for name in facts}


@pytest.mark.parametrize("target", [DeliveryState.PAUSED, DeliveryState.STOPPED])
def test_who_stops_what_waits_for_a_review_is_told_to_reject_it(target: DeliveryState) -> None:
    with pytest.raises(IllegalMoveError) as caught:
        check_move(DeliveryState.READY, target)

    assert "reject its review: nothing of it has left" == caught.value.facts["do"]


def test_every_state_can_be_reached_from_a_draft() -> None:
    assert set(DeliveryState) == reachable(DeliveryState.DRAFT)


def test_sending_begins_from_an_approval_only() -> None:
    """The other two ways into it are a pause that ends and an explicit resend."""
    before = {state for state, targets in MOVES.items() if DeliveryState.SENDING in targets}

    assert {DeliveryState.APPROVED, DeliveryState.PAUSED, DeliveryState.FINISHED} == before


def test_an_approval_comes_from_a_review_only() -> None:
    before = {state for state, targets in MOVES.items() if DeliveryState.APPROVED in targets}

    assert {DeliveryState.READY} == before


@pytest.mark.parametrize("state", sorted(BEGUN))
def test_what_has_begun_is_never_prepared_again(state: DeliveryState) -> None:
    assert reachable(state) <= BEGUN


def test_a_stop_is_final() -> None:
    assert FINAL == {state for state, targets in MOVES.items() if not targets}


@pytest.mark.parametrize("state", sorted(UNSENT - {DeliveryState.DRAFT}))
def test_what_has_not_begun_can_be_prepared_again(state: DeliveryState) -> None:
    assert DeliveryState.PREPARING in MOVES[state]
