"""How messages leave, as a template says: pace, waves, doubt, a second gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from smsflow_provider.core.content.durations import read_duration_s, refusal
from smsflow_provider.core.content.senders import hint_for_country

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CONNECTION_ID = re.compile(r"[\w.:/-]{1,250}")
_MOST_WAVES: Final = 10


class DoubtPolicy(StrEnum):
    """What becomes of a message of which nobody can find out whether it left."""

    #: It stays ``unknown`` and is listed: better once too few than twice.
    AT_MOST_ONCE = "at_most_once"
    #: It is sent again after ``doubt_after``: better twice than not at all.
    AT_LEAST_ONCE = "at_least_once"


def _read_share(given: object) -> object:
    """Read ``5%`` as 0.05; leave the rest to pydantic."""
    found = _SHARE.fullmatch(given.strip()) if isinstance(given, str) else None
    return float(found[1]) / 100 if found else given


def _check_clock(value: str) -> str:
    if _CLOCK.fullmatch(value) is None:
        raise refusal("is not a time of day", "write 18:00")
    return value


def _check_zone(value: str) -> str:
    if value not in available_timezones():
        raise refusal("is not an IANA time zone", "for example Europe/Paris")
    return value


def check_country(value: str) -> str:
    """Give *value* back in capitals; refuse what is no country, with the near one."""
    hint = hint_for_country(value.upper())
    if hint is not None:
        raise refusal("is not an ISO 3166 country code", hint)
    return value.upper()


def _check_failover_country(value: str, info: ValidationInfo) -> str:
    """Check a country that somebody writes; one of a delivery that was prepared stays as it is."""
    return value if (info.context or {}).get("is_kept") else check_country(value)


def check_connection(value: str) -> str:
    """Give *value* back; refuse what is no id of an Airflow connection."""
    if _CONNECTION_ID.fullmatch(value) is None:
        raise refusal("is not the id of a connection", "letters, digits, _ - . : /")
    return value


Share = Annotated[float, BeforeValidator(_read_share), Field(gt=0, lt=1)]
Seconds = Annotated[int, BeforeValidator(read_duration_s)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        str_strip_whitespace=True,
    )


class Spread(_Part):
    """Over which time the messages leave evenly: a duration, or until a time of day."""

    #: Seconds from the beginning of the send, 60 to 604,800; in the file ``over: 4h``.
    over_s: Seconds | None = Field(default=None, alias="over", ge=60, le=604_800)
    #: Time of day by which the last one has left, such as ``18:00``; the next one that comes.
    finish_by: Annotated[str, AfterValidator(_check_clock)] | None = None
    #: IANA zone of ``finish_by``.
    time_zone: Annotated[str, AfterValidator(_check_zone)] = "UTC"

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.over_s is None) == (self.finish_by is None):
            raise refusal("say either over or finish_by", "over: 4h, or finish_by: '18:00'")
        return self


class Waves(_Part):
    """A few first, then more, then the rest, with a look in between."""

    #: Share of the messages that have left by the end of each wave, growing; the rest follows.
    shares: tuple[Share, ...] = Field(min_length=1, max_length=_MOST_WAVES)
    #: Seconds to wait after a wave for receipts and opt-outs, 0 to 86,400; in the file ``wait``.
    wait_s: Seconds = Field(default=900, alias="wait", ge=0, le=86_400)
    #: Pause after each wave until a person resumes.
    ask: bool = False

    @model_validator(mode="after")
    def _check_growing(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.shares)):
            raise refusal("shares must grow", "shares: [1%, 10%]")
        return self


class PauseWhen(_Part):
    """When a delivery pauses by itself. Looked at every second and between waves."""

    #: Share of the settled messages that failed, were not delivered or are in doubt. None: never.
    failed: Share | None = 0.25
    #: Share of the accepted messages whose recipients opted out since. None: never.
    opted_out: Share | None = None
    #: Settled messages before a share means anything, 1 to 1,000,000.
    after: int = Field(default=500, ge=1, le=1_000_000)


class Failover(_Part):
    """A second gateway, for what the first certainly did not take."""

    #: Airflow connection of the second gateway.
    gateway: Annotated[str, AfterValidator(check_connection)]
    #: Countries (ISO 3166) whose messages go through the second one from the start. Others go
    #: there only while the first one's circuit is open.
    countries: tuple[Annotated[str, AfterValidator(_check_failover_country)], ...] = ()


class SendingSettings(_Part):
    """How the messages of a delivery leave. All have a default."""

    #: Share of a shared pace among deliveries, 1 to 10: one of 2 gets twice that of one of 1.
    priority: int = Field(default=1, ge=1, le=10)
    #: Over which time they leave evenly: ``{over: 4h}``, or ``{finish_by: "18:00", time_zone: …}``.
    spread: Spread | None = None
    #: A few first, then more, then the rest.
    waves: Waves | None = None
    #: Shares of failures and opt-outs above which the delivery pauses itself.
    pause_when: PauseWhen = PauseWhen()
    #: What becomes of a message of which nobody can find out whether it left: ``at_most_once``,
    #: ``at_least_once``.
    doubt: DoubtPolicy = DoubtPolicy.AT_MOST_ONCE
    #: Seconds after which a message in doubt is sent again with ``at_least_once``, 60 to 86,400.
    doubt_after_s: Seconds = Field(default=900, alias="doubt_after", ge=60, le=86_400)
    #: A second gateway, for what the first certainly did not take.
    failover: Failover | None = None

    @classmethod
    def kept(cls, given: Mapping[str, Any]) -> Self:
        """
        Read what a prepared delivery keeps.

        Countries are not checked again: an older version took any two letters, and what was
        approved is sent as it was.
        """
        return cls.model_validate(given, context={"is_kept": True})
