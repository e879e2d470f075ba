"""What the head of a delivery's page and its decision ask and answer over REST."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.delivery.actions import Turn
from smsflow_provider.core.delivery.approval import COMMENT_LIMIT
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.core.store.approvals import Decision


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Unheard(StrEnum):
    """Why Airflow does not act on a decision that was made."""

    #: Its task still waits for an answer: ask for the same decision again.
    WAITS = "waits"
    #: Its task failed before it heard of it: clear it, and it finds the decision.
    ENDED = "ended"


class Actions(_Answer):
    """
    Why each action is not possible now; null: it is.

    `state`: not while the delivery is where it is. `right`: Airflow does not let you. `four_eyes`:
    you started or prepared it. `not_reviewer`: it names who may, and not you.
    """

    send: str | None
    reject: str | None
    tell: str | None = Field(description="Send, or reject, again as decided: Airflow is told again")
    prove: str | None
    pause: str | None
    resume: str | None
    stop: str | None
    resend: str | None
    unmask: str | None


class RecordedDecision(_Answer):
    """What a person decided about the current preparation."""

    decision: Decision
    by: str = Field(description="Airflow's id of the person")
    name: str = Field(description="What Airflow calls the person; empty: it did not say")
    at: str
    comment: str
    via: str = Field(description="dashboard, airflow, or author: a plain text sent by its author")
    expires_at: str | None = Field(description="After this it approves nothing; null: never")


class OpenQuestion(_Answer):
    """The task of Airflow that asks, or asked last."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    opened_at: str


class DeliveryHeader(_Answer):
    """What a delivery is, how it stands, whose turn it is, and what you may do."""

    delivery: str = Field(description="Its id")
    label: str
    kind: DeliveryKind
    state: DeliveryState
    dag_id: str
    run_id: str
    task_id: str
    gateway: str
    dry_run: bool
    created_at: str
    created_by: str
    authors: list[str] = Field(description="Who started or prepared it; none for a schedule")
    prepared_at: str | None
    sending_at: str | None
    ended_at: str | None
    moved_at: str
    targeted: int
    to_deliver: int
    parts: int
    cost: dict[str, Any] | None = Field(description="As in the review; null: not known")
    senders: list[str] = Field(description="Senders of its texts")
    fingerprint: str | None = Field(description="Of what is prepared: give it with a decision")
    version: str = Field(description="Changes with every move: give it to resume or send again")
    pause_reason: PauseReason | None
    four_eyes: bool
    reviewers: list[str] = Field(description="Who may decide; empty: whoever Airflow lets")
    turn: Turn
    actions: Actions
    decision: RecordedDecision | None
    question: OpenQuestion | None
    unheard: Unheard | None = Field(
        description="Why Airflow does not act on the decision, if it does not for some seconds"
    )
    expires_at: str | None = Field(
        description="When the review ends undecided, in UTC; null: never, or nobody is asked now"
    )


class Decides(BaseModel):
    """A decision about the content that was looked at."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: str = Field(min_length=1, max_length=200, description="Of the review")
    comment: str = Field(default="", max_length=COMMENT_LIMIT)


class Rejects(Decides):
    """A rejection says why."""

    comment: str = Field(min_length=1, max_length=COMMENT_LIMIT, description="The reason")


class DecisionAnswer(_Answer):
    """What holds now."""

    header: DeliveryHeader
    already: bool = Field(description="Somebody had decided the same before; see `decision`")
    told: bool = Field(description="Airflow's waiting task knows it, and goes on")
    do: str = Field(description="What to do where Airflow could not be told; empty: nothing")
