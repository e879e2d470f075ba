"""How a delivery leaves, as the review says it over REST."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LeavingGate(BaseModel):
    """One gateway with its pace."""

    conn_id: str
    parts_per_s: float | None = Field(description="0: no limit; null: not known")
    sender_parts_per_s: float | None = Field(description="The same of each sender")


class LeavingWaves(BaseModel):
    """A few first, then more, then the rest."""

    until: list[int] = Field(description="The last message of each wave but the rest")
    wait_s: int = Field(description="Seconds after each wave")
    ask: bool = Field(description="Whether a person must resume after each")


class LeavingSpread(BaseModel):
    """Over which time it leaves evenly: a duration, or until a time of day."""

    over_s: int | None
    finish_by: str | None
    time_zone: str


class LeavingPause(BaseModel):
    """Shares above which it pauses itself; null: never."""

    failed: float | None
    opted_out: float | None
    after: int = Field(description="Messages that must be settled before it is judged")


class LeavingFailover(BaseModel):
    """What a second gateway is for."""

    gateway: str
    countries: list[str] = Field(description="Those it takes from the start")


class ReviewLeaving(BaseModel):
    """How it leaves once somebody says Send."""

    gateways: list[LeavingGate] = Field(description="The delivery's own, then the second one")
    workers: int | None
    shortest_s: float | None = Field(description="Seconds it takes at least; null: no limit")
    validity_s: int | None = Field(description="What has not left by then expires")
    waves: LeavingWaves | None
    priority: int
    spread: LeavingSpread | None
    pause_when: LeavingPause
    doubt: str
    doubt_after_s: int
    failover: LeavingFailover | None
