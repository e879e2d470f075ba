from __future__ import annotations

import itertools

import pytest

from smsflow_provider.core.delivery.verdict import Policy, Verdict, verdict_of
from smsflow_provider.core.states import DeliveryState

#: What follows each end when both policies skip, and when both fail.
ENDS = {
    DeliveryState.FINISHED: (Verdict.GO_ON, Verdict.GO_ON),
    DeliveryState.STOPPED: (Verdict.SKIP, Verdict.SKIP),
    DeliveryState.REJECTED: (Verdict.SKIP, Verdict.FAIL),
    DeliveryState.EXPIRED: (Verdict.SKIP, Verdict.FAIL),
}


@pytest.mark.parametrize("state", DeliveryState)
def test_an_end_nobody_wished_fails_the_run(state: DeliveryState) -> None:
    skipping, failing = ENDS.get(state, (Verdict.FAIL, Verdict.FAIL))

    assert skipping is verdict_of(state, on_reject=Policy.SKIP, on_expiry=Policy.SKIP)
    assert failing is verdict_of(state, on_reject=Policy.FAIL, on_expiry=Policy.FAIL)


def test_a_rejection_and_an_expiry_follow_their_own_policy() -> None:
    rejected, expired = (
        verdict_of(state, on_reject=Policy.SKIP, on_expiry=Policy.FAIL)
        for state in (DeliveryState.REJECTED, DeliveryState.EXPIRED)
    )

    assert (Verdict.SKIP, Verdict.FAIL) == (rejected, expired)


@pytest.mark.parametrize("state", DeliveryState)
def test_only_a_ready_delivery_is_left_out_by_a_backfill(state: DeliveryState) -> None:
    """A backfill that was approved all the same, or broke, ends as any other run."""
    usual, left_out = (
        verdict_of(state, on_reject=Policy.SKIP, on_expiry=Policy.SKIP, is_left_out=is_left_out)
        for is_left_out in (False, True)
    )

    assert (Verdict.SKIP if state is DeliveryState.READY else usual) is left_out


def test_what_follows_runs_only_when_the_delivery_was_sent() -> None:
    for state, reject, expiry in itertools.product(DeliveryState, Policy, Policy):
        verdict = verdict_of(state, on_reject=reject, on_expiry=expiry)
        assert (verdict is Verdict.GO_ON) == (state is DeliveryState.FINISHED)
