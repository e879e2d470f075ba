"""What the pages of a delivery that is being sent, or was, answer over REST."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.plugins.api.models.deliveries import Cause, Wave


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Point(_Answer):
    """Sums at one moment: between two points they grew by their difference."""

    at: str
    settled: int = Field(description="Accepted, failed, unknown, cancelled and expired")
    accepted: int = Field(description="Ever, whatever came of them")
    delivered: int
    undelivered: int
    failed: int
    unknown: int
    cancelled: int
    expired: int


class LiveAnswer(_Answer):
    """How a delivery goes at this moment."""

    delivery: str = Field(description="Its id")
    at: str
    state: DeliveryState
    pause_reason: PauseReason | None = Field(description="Null: it is not paused")
    dry_run: bool
    to_deliver: int
    settled: int
    waiting: int = Field(description="Not settled yet")
    accepted: int = Field(description="Ever, whatever came of them")
    delivered: int
    undelivered: int
    failed: int
    unknown: int
    cancelled: int
    expired: int
    per_s: float | None = Field(
        description="Messages settled a second, over the last minute; null: it is not being sent"
    )
    parts_per_s: float | None = Field(description="The same in parts, by the average")
    limit_per_s: float | None = Field(description="Parts; 0: no limit; null: not known")
    left_s: float | None = Field(description="Null: not known, or nothing moves")
    workers: int = Field(description="Heard of in the last ten seconds")
    wave: Wave | None = Field(description="Null: there are none")
    causes: list[Cause] = Field(description="At most 50, most messages first")
    causes_whole: bool = Field(description="False: of a part of the messages")
    points: list[Point] = Field(description="Of the last 15 minutes")


class ThroughputAnswer(_Answer):
    """Where the messages stood over time."""

    delivery: str
    sending_at: str | None
    ended_at: str | None
    points: list[Point] = Field(description="At most 243, in their order")


class StateCounts(_Answer):
    """Messages and parts, and messages by state."""

    messages: int
    parts: int
    delivered: int
    accepted: int = Field(description="Without a receipt that says more")
    undelivered: int
    failed: int
    unknown: int
    cancelled: int
    expired: int
    waiting: int = Field(description="Not settled yet")


class CountryCounts(StateCounts):
    """What became of the messages to one country."""

    country: str = Field(description="ISO 3166; empty: a network of no country")


class EncodingCounts(StateCounts):
    """What became of the messages in one encoding."""

    encoding: str


class SummaryAnswer(_Answer):
    """What became of the messages, as it was counted last."""

    delivery: str
    counted_at: str | None = Field(description="Null: never")
    age_s: float | None = Field(description="Seconds since; null: never")
    countries: list[CountryCounts]
    encodings: list[EncodingCounts]
    causes: list[Cause] = Field(description="Also undelivered; at most 50, most messages first")
    opted_out: int = Field(description="People who opted out since, and had a message")
    took_ms: int = Field(description="How long counting took")


class CountAgain(BaseModel):
    """Asks for nothing but another count."""

    model_config = ConfigDict(extra="forbid")
