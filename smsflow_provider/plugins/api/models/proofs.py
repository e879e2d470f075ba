"""What proofs ask and answer over REST."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.delivery.by_author import MOST_TEXTS
from smsflow_provider.core.store.samples import Pick
from smsflow_provider.plugins.api.models.deliveries import Cause, ProofFacts, Report

Written = Annotated[str, Field(min_length=1, max_length=250)]


class ProofRequest(BaseModel):
    """Which messages to send to which numbers. Without a choice: every pick."""

    model_config = ConfigDict(extra="forbid")

    to: list[Written] = Field(min_length=1, max_length=MOST_TEXTS, repr=False)
    fingerprint: str = Field(description="Of the review that was looked at")
    recipients: list[Written] = Field(default=[], max_length=MOST_TEXTS, repr=False)
    random: int = Field(default=0, ge=0, le=MOST_TEXTS)
    picks: list[Pick] = []
    mark: bool = True
    region: str | None = None


class ProofReport(Report):
    """What happened to a proof, in numbers that add up; in a list without its causes."""

    proof: ProofFacts = Field(description="What it shows to whom")
    causes: list[Cause] = Field(default=[], description="Of one proof that was just asked for")


class ProofPage(BaseModel):
    """The latest proofs of a delivery, newest first."""

    delivery: str = Field(description="The delivery that they show")
    proofs: list[ProofReport]
