"""What lists of deliveries and the report of one answer over REST."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.delivery.attention import Attention
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState, PauseReason

_BOUNDED = "At most 100, which stands for more than 99"


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Figures(_Answer):
    """Where the messages of a delivery stand; to_deliver = all but delivered and undelivered."""

    targeted: int = Field(description="Recipients of the audience")
    to_deliver: int = Field(description="Messages that were prepared")
    accepted: int = Field(description="Ever taken by a gateway, whatever came of them")
    delivered: int = Field(description="Of those accepted")
    undelivered: int = Field(description="Of those accepted")
    failed: int
    unknown: int = Field(description="Nobody knows whether they left")
    cancelled: int
    expired: int
    waiting: int = Field(description="Not settled yet")


class PreparationSteps(_Answer):
    """How far a preparation says it is."""

    begun_at: str
    told_at: str | None = Field(description="When it was last heard of; null: not yet")
    step: str | None = Field(default=None, description="numbers, exclusions, texts or publishing")
    targeted: int | None = None
    numbers: int | None = Field(default=None, description="Recipients whose number was read")
    texts: int | None = Field(default=None, description="Recipients whose text was written")


class DeliveryRow(Figures):
    """One delivery in a list."""

    delivery: str = Field(description="Its id")
    label: str
    kind: DeliveryKind
    state: DeliveryState
    dag_id: str
    run_id: str
    task_id: str
    dry_run: bool
    created_at: str
    created_by: str
    prepared_at: str | None
    sending_at: str | None = Field(description="When sending began")
    ended_at: str | None
    moved_at: str = Field(description="Since when it is in its state")
    cost: str | None = Field(description="Estimated, decimal text; null: not known")
    currency: str = Field(description="Empty: there is no price table")
    pause_reason: PauseReason | None = Field(description="Null: it is not paused")
    attention: Attention | None = Field(description="Why a person must look at it; null: none must")
    left_s: int | None = Field(
        description="Seconds until it is sent, at its average pace; null: it is not being sent"
    )
    progress: PreparationSteps | None = Field(description="Null: it is not being prepared")


class DeliveryPage(_Answer):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryRow]
    next: str | None = Field(description="Give it as `before` for the next page; null: the last")


class DeliveryGroup(_Answer):
    """The deliveries of one task of a workflow."""

    dag_id: str
    task_id: str
    occurrences: int = Field(description=f"Those among the latest of the workflow. {_BOUNDED}")
    attention: int = Field(description=f"How many need a person. {_BOUNDED}")
    last: DeliveryRow = Field(description="The latest")


class GroupPage(_Answer):
    """A page of workflows by their latest delivery, newest first."""

    groups: list[DeliveryGroup]
    next: str | None = Field(description="Give it as `before` for the next page; null: the last")


class DeliveryCounts(_Answer):
    """How many deliveries there are for each tab of the list."""

    attention: int = Field(description=f"Need a person. {_BOUNDED}")
    sending: int = Field(description=f"Approved, being sent or paused. {_BOUNDED}")
    finished_today: int = Field(description=f"Finished or stopped today. {_BOUNDED}")
    all: int = Field(description=_BOUNDED)


class DeliverySummary(_Answer):
    """What needs a person, and what is being sent."""

    counts: DeliveryCounts
    attention: list[DeliveryRow] = Field(description="The latest `most` that need a person")
    sending: list[DeliveryRow] = Field(
        description="The latest `most` that are approved, being sent or paused"
    )


class Cause(_Answer):
    """What ended messages for now."""

    # Only reports that people look at have the meaning.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    kind: str = Field(description="accepted, failed, unknown, cancelled or expired")
    code: str = Field(description="As the gateway or the store named it")
    messages: int
    meaning: str = Field(
        default="", description="What the gateway's code means; empty: not known, or it is ours"
    )


class Wave(_Answer):
    """The wave that leaves."""

    no: int = Field(description="From 1")
    until: int | None = Field(description="The last position that may leave now; null: all may")


class ProofFacts(_Answer):
    """What a proof shows to whom; the figures come with its messages."""

    of: str = Field(description="The delivery it shows")
    no: int | None = Field(description="Which of its proofs, from 1")
    by: str
    numbers: int | None = None
    messages: int | None = None
    marked: bool | None = None
    parts_unmarked: int | None = Field(default=None, description="Parts it had without the mark")
    opted_out: int | None = Field(default=None, description="How many of the numbers are")
    quarantined: int | None = Field(default=None, description="How many of the numbers are")


class ArchivedAt(_Answer):
    """Where messages went that left the store."""

    at: str
    uri: str = Field(description="Empty: they were dropped without files")


class Report(Figures):
    """
    What happened to a delivery, in numbers that add up.

    targeted = sum of excluded + to_deliver; to_deliver = accepted + failed + unknown + cancelled +
    expired + waiting. Fields that may be absent are so where they do not apply.
    """

    # More may come from the core before it has a name here.
    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    delivery: str = Field(description="Its id")
    label: str
    kind: DeliveryKind
    state: DeliveryState
    dag_id: str
    run_id: str
    dry_run: bool
    created_at: str
    excluded: dict[str, int] = Field(description="Recipients left out, by reason")
    parts: int = Field(description="Parts of all messages to deliver")
    causes: list[Cause] = Field(description="At most 50, most messages first")
    progress: PreparationSteps | None = Field(default=None, description="While it is prepared")
    pause_reason: PauseReason | None = Field(default=None, description="While it is paused")
    wave: Wave | None = Field(default=None, description="With waves")
    proof: ProofFacts | None = Field(default=None, description="Of a proof")
    archived: ArchivedAt | None = Field(
        default=None, description="Once its messages have left the store"
    )
