"""What a delivery's end means for the run it belongs to: go on, skip what follows, or fail."""

from __future__ import annotations

from enum import StrEnum

from smsflow_provider.core.states import DeliveryState


class Verdict(StrEnum):
    """What the run does after a delivery."""

    #: It was sent: what follows runs.
    GO_ON = "go_on"
    #: It was not sent, as somebody wished or allowed: what follows is skipped.
    SKIP = "skip"
    #: It was not sent and should have been: the run fails.
    FAIL = "fail"


class Policy(StrEnum):
    """What a rejected or expired review means for the run."""

    SKIP = "skip"
    FAIL = "fail"


def verdict_of(
    state: DeliveryState, *, on_reject: Policy, on_expiry: Policy, is_left_out: bool = False
) -> Verdict:
    """
    Say what the run does.

    Args:
        is_left_out: The run is a backfill that does not send.

    Example:
        >>> verdict_of(DeliveryState.REJECTED, on_reject=Policy.SKIP, on_expiry=Policy.FAIL)
        <Verdict.SKIP: 'skip'>
    """
    if state is DeliveryState.FINISHED:
        return Verdict.GO_ON
    if state is DeliveryState.REJECTED:
        return Verdict(on_reject.value)
    if state is DeliveryState.EXPIRED:
        return Verdict(on_expiry.value)
    if state is DeliveryState.STOPPED:
        return Verdict.SKIP
    if state is DeliveryState.READY and is_left_out:
        return Verdict.SKIP
    return Verdict.FAIL
