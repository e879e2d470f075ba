"""Saved audiences over REST: names, versions and how they were found. No people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.audiences import Action
from smsflow_provider.plugins.api.models.review import FoundAudience

#: The longest description.
LONGEST_DESCRIPTION = 1_000


class Described(BaseModel):
    """What an audience is. People read it; no number and no text of a message in it."""

    model_config = ConfigDict(extra="forbid")

    description: str = Field(max_length=LONGEST_DESCRIPTION, pattern=r"^[^\x00]*$")


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class AudienceColumn(_Answer):
    """One column of an audience."""

    name: str
    kind: str = Field(description="text, integer, decimal, boolean, date or time")


class AudienceVersion(_Answer):
    """One version of a saved audience."""

    name: str
    version: int = Field(description="From 1")
    description: str
    count: int = Field(description="Recipients")
    columns: list[AudienceColumn]
    fingerprint: str
    action: Action = Field(description="How it came to be")
    dag_id: str = Field(description="The workflow that saved it; empty: none did")
    run_id: str
    task_id: str
    actor: str = Field(description="Who saved it outside a run; empty: a run did")
    built_at: str = Field(description="When its people were computed")
    created_at: str = Field(description="When it was saved")


class Audiences(_Answer):
    """The newest version of every saved audience that the caller may see."""

    audiences: list[AudienceVersion]


class AudienceUse(_Answer):
    """A delivery that has not ended and was made from a version: it holds the version."""

    delivery: str
    state: DeliveryState
    version: int


class AudienceDetail(_Answer):
    """One saved audience with its versions."""

    name: str
    versions: list[AudienceVersion] = Field(description="Newest first")
    found: FoundAudience | None = Field(
        description="How the people of the first of `versions` were found; null: not known"
    )
    used_by: list[AudienceUse] = Field(
        description="Up to 20 of deliveries that the caller may see, oldest first"
    )
    may_change: bool = Field(description="Whether the caller may describe it and delete it")


class AudienceDeleted(_Answer):
    """What was deleted."""

    name: str
    deleted: list[int] = Field(description="Versions, in order")
