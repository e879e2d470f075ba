"""What a person may do with a delivery now, why not, and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from smsflow_provider.core.delivery.four_eyes import Person, bar_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.deliveries import Delivery


class Action(StrEnum):
    """What can be done with a delivery."""

    SEND = "send"
    REJECT = "reject"
    #: Ask for the decision that was made once more, so that Airflow's task hears of it.
    TELL = "tell"
    PROVE = "prove"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RESEND = "resend"
    UNMASK = "unmask"


class Turn(StrEnum):
    """Whose turn it is."""

    #: The person who looks.
    YOU = "you"
    #: Somebody else who may.
    SOMEBODY = "somebody"
    #: Airflow's and ours: it goes on by itself.
    AIRFLOW = "airflow"
    NOBODY = "nobody"


#: States in which a decision may stand that the task that asked has not heard of.
DECIDED: Final = frozenset({DeliveryState.APPROVED, DeliveryState.REJECTED, DeliveryState.STOPPED})
#: States in which something is prepared that a proof can show.
_PREPARED: Final = frozenset(
    {DeliveryState.READY, DeliveryState.APPROVED, DeliveryState.SENDING, DeliveryState.PAUSED}
)
_WHEN: Final[Mapping[Action, frozenset[DeliveryState]]] = {
    Action.SEND: frozenset({DeliveryState.READY}),
    Action.REJECT: frozenset({DeliveryState.READY}),
    Action.TELL: DECIDED,
    Action.PROVE: _PREPARED | {DeliveryState.FINISHED},
    Action.PAUSE: frozenset({DeliveryState.SENDING}),
    Action.RESUME: frozenset({DeliveryState.PAUSED}),
    Action.STOP: frozenset(
        {
            DeliveryState.PREPARING,
            DeliveryState.APPROVED,
            DeliveryState.SENDING,
            DeliveryState.PAUSED,
        }
    ),
    Action.RESEND: frozenset({DeliveryState.FINISHED}),
    Action.UNMASK: frozenset(DeliveryState)
    - {DeliveryState.DRAFT, DeliveryState.PREPARING, DeliveryState.PREPARATION_FAILED},
}
_DECISIONS: Final = {Action.SEND: Decision.SEND, Action.REJECT: Decision.REJECT}
#: Who has the turn where no action decides it.
_BY_ITSELF: Final = frozenset(
    {
        DeliveryState.DRAFT,
        DeliveryState.PREPARING,
        DeliveryState.APPROVED,
        DeliveryState.SENDING,
    }
)
#: The action that a state waits for.
_AWAITED: Final = {DeliveryState.READY: Action.SEND, DeliveryState.PAUSED: Action.RESUME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who looks, and what Airflow lets them do with the delivery's workflow."""

    person: Person
    #: Start runs of it, and so send proofs.
    may_start: bool
    #: Answer its reviews, and so hold or stop what is sent.
    may_send: bool


def barred(delivery: Delivery, caller: Caller, action: Action) -> str | None:
    """
    Say why *action* is not possible now.

    Returns:
        None: it is. ``state``: not while the delivery is where it is. ``right``: Airflow does not
        let the caller. ``four_eyes`` and ``not_reviewer``: see ``Bar``.
    """
    if delivery.state not in _WHEN[action]:
        return "state"
    if not (caller.may_start if action is Action.PROVE else caller.may_send):
        return "right"
    decision = _DECISIONS.get(action)
    bar = bar_of(delivery, caller.person, decision) if decision else None
    return bar and bar.value


def actions_of(delivery: Delivery, caller: Caller) -> dict[str, str | None]:
    """Say of every action why it is not possible now; None: it is. See ``barred``."""
    return {action.value: barred(delivery, caller, action) for action in Action}


def turn_of(delivery: Delivery, caller: Caller) -> Turn:
    """Say whose turn it is."""
    if delivery.state in _BY_ITSELF:
        return Turn.AIRFLOW
    if delivery.state is DeliveryState.PREPARATION_FAILED:
        return Turn.YOU if caller.may_start else Turn.SOMEBODY
    awaited = _AWAITED.get(delivery.state)
    if awaited is None:
        return Turn.NOBODY
    return Turn.YOU if barred(delivery, caller, awaited) is None else Turn.SOMEBODY


def version_of(delivery: Delivery) -> str:
    """
    Name where *delivery* stands: another text after every move, pause and preparation.

    What is asked of a delivery can name the version it was looked at in.
    """
    facts = (
        delivery.no,
        delivery.preparation,
        delivery.state.value,
        delivery.moved_at.isoformat(),
        delivery.pause_reason or "",
        delivery.wave,
    )
    return sha256(repr(facts).encode()).hexdigest()[:16]
