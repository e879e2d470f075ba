"""What happened to a delivery, over REST."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ActivityEntry(_Answer):
    """One thing that somebody, or the system, did."""

    id: str
    at: str
    event: str = Field(description="A code, such as `delivery_paused` or `unmasked`")
    actor: str = Field(description="Empty: the system")
    level: str = Field(description="info, warning or error")
    comment: str = Field(description="Of a decision; empty: none")
    via: str = Field(description="Where a decision was made; empty: it is none")
    facts: dict[str, Any] = Field(description="Counts and codes; no number and no text")


class ActivityPage(_Answer):
    """A page of what happened, newest first."""

    delivery: str
    entries: list[ActivityEntry]
    next: str | None = Field(description="Give it as `before` for the next page; null: the last")
