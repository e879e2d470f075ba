"""What holding, stopping, sending again and the switch ask and answer over REST."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from smsflow_provider.core.delivery.switch import REASON_LIMIT
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.plugins.api.models.deliveries import Report


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfContent(_Request):
    """An act about the content that was looked at."""

    fingerprint: str | None = Field(
        max_length=200, description="Of the header; null while nothing is prepared yet"
    )


class OfVersion(_Request):
    """An act that follows where the delivery stood when it was looked at."""

    version: str = Field(min_length=1, max_length=200, description="Of the header")


class Again(OfVersion):
    """What is to go again."""

    kinds: set[Literal[OutcomeKind.FAILED, OutcomeKind.EXPIRED]] = Field(min_length=1)


class TurnedOff(_Request):
    """Why everything is switched off. People read it; no number and no text in it."""

    reason: str = Field(default="", max_length=REASON_LIMIT)


class TurnedOn(TurnedOff):
    """Why it is switched on again, by whom who saw how it stood."""

    version: AwareDatetime = Field(description="The `at` of the switch that was looked at")


class Controlled(Report):
    """The report of a delivery, and where it stands now."""

    fingerprint: str | None = Field(description="Of what is prepared; give it to pause or stop")
    version: str = Field(description="Changes with every move; give it to resume or send again")


class Resent(Controlled):
    """The same, of one whose messages are to go again."""

    resent: int = Field(description="Messages that wait to go again")
    do: str = Field(description="What a person has to do for them to leave")


class SwitchAnswer(BaseModel):
    """How the switch for everything stands."""

    is_off: bool = Field(description="Nobody may hand anything over")
    reason: str = Field(description="What who turned it last said; may be empty")
    by: str = Field(description="Who turned it last; empty: nobody ever did")
    at: datetime | None = Field(description="When; also its version, to switch on")


class SwitchedOff(SwitchAnswer):
    """The same, with what it paused."""

    paused: list[str] = Field(description="Ids of the deliveries that this paused")
