"""Gateways over REST: how they are, and a test message. No secret of a connection in it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class GatewayDelivery(BaseModel):
    """A delivery that a gateway is sending, and that the caller may see."""

    id: str
    label: str
    dag_id: str
    state: str


class GatewayCircuit(BaseModel):
    """Whether messages are held because the gateway did not answer."""

    is_open: bool = Field(description="Open: nothing is handed over but a message now and then")
    failures: int = Field(description="How often it opened in a row")
    code: str = Field(description="What the gateway did last; empty: nothing is wrong")
    changed_at: datetime | None


class GatewayPace(BaseModel):
    """What was handed over within the last second or so, against the limits."""

    parts_per_s: float
    limit_parts_per_s: float | None = Field(description="0: no limit; null: not known here")
    sender_limit_parts_per_s: float | None = Field(description="The same of each sender")
    factor: float = Field(description="Share of the limit that is used: below 1 after throttling")
    is_throttled: bool = Field(description="The gateway said to wait")


class GatewayHour(BaseModel):
    """Messages of deliveries that are being sent or ended within the last hour."""

    accepted: int
    failed: int
    unknown: int
    receipts: int = Field(description="Of the accepted ones")
    error_rate: float | None = Field(description="Failed and unknown of all settled; null: none")


class GatewaySummary(BaseModel):
    """One gateway connection."""

    conn_id: str
    conn_type: str | None = Field(description="null: the caller may not see the connection")
    kind: str | None = Field(description="What people call this type")
    problem: str = Field(description="Why the connection cannot be used; empty: it can")
    features: list[str]
    circuit: GatewayCircuit
    pace: GatewayPace
    last_hour: GatewayHour
    last_receipt_at: datetime | None = Field(
        description="Of the newest delivery's last messages; null: none came for these"
    )
    deliveries: list[GatewayDelivery]
    more_deliveries: int = Field(description="Others, which the caller may not see")
    may_test: bool = Field(description="Whether the caller may test it and send a test message")


class DailyCap(BaseModel):
    """Parts over all gateways in one day (UTC)."""

    parts: int = Field(description="Set aside today; without a cap nobody counts")
    cap: int = Field(description="0: there is none")


class Gateways(BaseModel):
    """Every gateway that deliveries used lately, or that the caller may see as a connection."""

    gateways: list[GatewaySummary]
    daily: DailyCap


class GatewayTest(BaseModel):
    """An empty JSON object: a form of another site cannot send one."""

    model_config = ConfigDict(extra="forbid")


class GatewayTested(BaseModel):
    """What a test of the connection said. No message was sent."""

    is_ok: bool
    message: str


class OneMessage(BaseModel):
    """One text to one number."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1, max_length=250, repr=False)
    text: str = Field(min_length=1, max_length=1_000, repr=False)
    sender: str = Field(default="", max_length=50, description="Empty: the gateway's own")
    region: str | None = Field(default=None, description="ISO 3166 country of a national number")


class OneMessageSent(BaseModel):
    """What became of it."""

    delivery: str = Field(description="The act it is recorded as; in no campaign's figures")
    result: str = Field(
        description="accepted, failed, unknown, cancelled, expired; or waiting: press again"
    )
    code: str = Field(description="What the gateway said where it was not accepted")
    meaning: str = Field(description="What that means; empty: not known")
    parts: int
