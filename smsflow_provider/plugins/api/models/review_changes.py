"""What changed since the former run, as the review says it over REST."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from smsflow_provider.core.states import DeliveryState


class ComparedDelivery(BaseModel):
    """One of two deliveries that are compared."""

    delivery: str
    label: str
    state: DeliveryState
    run_id: str
    created_at: str
    fingerprint: str | None


class ComparedFigure(BaseModel):
    """One figure, then and now."""

    before: int
    after: int
    difference: int


class ComparedCurrencies(BaseModel):
    """The currency of each cost; empty: there is none."""

    before: str
    after: str


class ComparedCompleteness(BaseModel):
    """Whether each cost covers every message."""

    before: bool
    after: bool


class ComparedCost(BaseModel):
    """What it costs, then and now: decimal text."""

    before: str | None
    after: str | None
    difference: str | None = Field(description="Null: one is not known, or in another currency")
    currency: ComparedCurrencies
    is_complete: ComparedCompleteness


class ChangedSetting(BaseModel):
    """A setting that differs."""

    path: str
    before: Any
    after: Any


class ChangedText(BaseModel):
    """A part of the template that differs."""

    part: str = Field(description="body, or the name of a variant or a block")
    diff: list[str] = Field(description="A unified diff, line by line")


class ReviewChanges(BaseModel):
    """What differs between a delivery and that of the former run of the same task."""

    is_same: bool = Field(description="The same in every respect: people, texts, settings")
    before: ComparedDelivery
    after: ComparedDelivery
    figures: dict[str, ComparedFigure]
    exclusions: dict[str, ComparedFigure]
    cost: ComparedCost
    settings: list[ChangedSetting]
    template: list[ChangedText]
