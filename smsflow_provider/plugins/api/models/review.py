"""What the review of a delivery asks and answers over REST."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from smsflow_provider.core.model import Encoding, Exclusion
from smsflow_provider.core.preparation.preview import MOST_SHOWN
from smsflow_provider.core.preparation.unmask import MOST_UNMASKED
from smsflow_provider.core.states import DeliveryState, MessageState
from smsflow_provider.plugins.api.models.review_changes import ReviewChanges
from smsflow_provider.plugins.api.models.review_leaving import ReviewLeaving

#: A place in the preparation, from 1.
Position = Annotated[int, Field(ge=1, le=2**31 - 1)]
#: The id of somebody in the audience; numbers are refused, since addresses are logged.
RecipientId = Annotated[str, Field(pattern="^[^+]", max_length=250)]


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class WaterfallStep(_Answer):
    """One reason of the waterfall."""

    reason: Exclusion
    excluded: int = Field(description="Recipients left out for this reason")
    left: int = Field(description="Recipients who are still in after it")


class ExclusionDetail(_Answer):
    """How many of a reason are left out for which finer cause."""

    reason: str
    detail: str = Field(description="Empty: there is no finer cause")
    recipients: int


class CountryCount(_Answer):
    """What goes to one country."""

    messages: int = 0
    parts: int = 0


class CountryCost(CountryCount):
    """What goes to one country, and what it costs."""

    country: str = Field(description="ISO 3166 code; empty: numbers of no country")
    prices: list[str] = Field(default=[], description="Different prices of a part, lowest first")
    cost: str | None = Field(default=None, description="Of what has a price; null: nothing has")


class Unpriced(CountryCount):
    """What has no price."""

    country: str = ""


class EstimatedCost(_Answer):
    """What it costs; amounts are decimal text."""

    currency: str = Field(default="", description="Empty: there is no price table")
    as_of: str | None = Field(default=None, description="Date of the price table")
    total: str | None = Field(default=None, description="At least this much; null: not known")
    is_complete: bool = Field(default=False, description="Whether every message has a price")
    countries: list[CountryCost] = Field(default=[], description="Most parts first")
    missing: list[Unpriced] = []


class ReviewLine(_Answer):
    """One line of the levelled log."""

    level: Literal["error", "warning", "info"] = Field(description="An error blocks Send")
    event: str
    problem: str


class AudienceCondition(_Answer):
    """One condition of the rules of an audience."""

    words: str
    count: int = Field(description="Recipients who are still in after it")
    removed: int


class FoundAudience(_Answer):
    """How the audience was found."""

    source: str | None = Field(description="rules, sql, table, file, http, python_callable, …")
    label: str | None = Field(description="The connection, or the file")
    dimension: str | None
    everyone: int | None = Field(description="Before the first condition")
    steps: list[AudienceCondition]
    bad_lines: int | None = Field(description="Lines of a file that were left out")
    base: str | None = Field(description="The saved version it was made from")
    count: int
    dag_id: str
    run_id: str
    task_id: str
    built_at: str


class ForeignCharacter(_Answer):
    """A character that GSM 7-bit lacks."""

    at: int = Field(description="Offset in code points")
    character: str


class CheaperText(_Answer):
    """A transliteration with which a text takes fewer parts."""

    transliteration: Literal["punctuation", "full"]
    parts: int


class PreparedMessage(_Answer):
    """One prepared message as it will be handed over."""

    position: int = Field(description="Place in the preparation, from 1")
    recipient_id: str
    to_masked: str
    sender: str = Field(description="Empty: the gateway's default")
    text: str
    encoding: Encoding
    units: int | None = Field(description="Septets of GSM 7-bit, UTF-16 units of UCS-2")
    room: int = Field(description="Units that fit in that many parts")
    parts: int
    part_starts: list[int] = Field(description="Where the others begin, in code points")
    foreign: list[ForeignCharacter] = Field(description="What forces it into UCS-2")
    cheaper: list[CheaperText] = Field(description="What would take fewer parts")
    language: str
    region: str = Field(description="ISO 3166 code of the country of the number")
    cost: str | None = Field(description="Decimal text; null: it has no price")
    currency: str
    picks: list[str] = Field(description="What it stands for, such as longest, ucs2 or 2 parts")


class ArchivedMessages(_Answer):
    """Where messages went that left the store."""

    at: str
    uri: str = Field(description="Empty: they were dropped without files")


class PreparationProgress(_Answer):
    """How far a preparation is."""

    begun_at: str
    told_at: str | None = Field(description="When it was last heard of")
    step: str | None = Field(default=None, description="numbers, exclusions, texts or publishing")
    targeted: int | None = None
    numbers: int | None = Field(default=None, description="Recipients whose number was read")
    texts: int | None = Field(default=None, description="Recipients whose text was written")


class ReviewDocument(_Answer):
    """What a reviewer looks at before saying Send."""

    delivery: str
    label: str
    state: DeliveryState
    fingerprint: str | None = Field(description="Null: there is no complete preparation")
    gateway: str
    dry_run: bool
    prepared_at: str | None
    archived: ArchivedMessages | None = Field(description="Null: the messages are in the store")
    audience: FoundAudience | None = Field(description="Null: nobody knows how it was found")
    targeted: int
    excluded: dict[str, int] = Field(description="Recipients left out, by reason")
    waterfall: list[WaterfallStep]
    to_deliver: int
    parts: int
    encodings: dict[str, int] = Field(description="Messages by encoding")
    by_parts: dict[str, int] = Field(description="Messages by their number of parts")
    senders: dict[str, int] = Field(description="Messages by sender")
    languages: dict[str, int] = Field(description="Messages by language")
    regions: dict[str, CountryCount]
    details: list[ExclusionDetail]
    log: list[ReviewLine] = Field(description="Errors first, then warnings")
    cost: EstimatedCost | None = Field(description="Null: it is not known")
    changes: ReviewChanges | None = Field(description="Since the former run; null: there is none")
    samples: list[PreparedMessage]
    progress: PreparationProgress | None = Field(description="Null: it is not being prepared")
    leaving: ReviewLeaving
    may_unmask: bool = Field(description="Whether the caller may see whole numbers")


class PreparedMessages(_Answer):
    """Prepared messages, in the order asked for."""

    delivery: str
    fingerprint: str | None
    messages: list[PreparedMessage] = Field(max_length=MOST_SHOWN)


class ExcludedPerson(_Answer):
    """Somebody who gets no text."""

    row_number: int = Field(description="Place in the audience, from 1")
    recipient_id: str
    to_masked: str | None = Field(description="Null: there is no number")
    detail: str
    winner_id: str | None = Field(description="Who gets the text of a duplicate")


class ExclusionPage(_Answer):
    """A page of those left out for one reason."""

    delivery: str
    fingerprint: str | None
    reason: Exclusion
    total: int = Field(description="All of this reason, a figure of the preparation")
    people: list[ExcludedPerson]
    next: int | None = Field(description="Null: this is the last page")


class WhyRequest(BaseModel):
    """Whom to look up: by number or by id. In a body: addresses are logged."""

    model_config = ConfigDict(extra="forbid")

    number: str | None = Field(default=None, min_length=1, max_length=50, repr=False)
    region: str | None = Field(
        default=None, pattern="^[A-Z]{2}$", description="ISO region of a national number"
    )
    recipient_id: str | None = Field(default=None, min_length=1, max_length=250, repr=False)

    @model_validator(mode="after")
    def _check_one(self) -> WhyRequest:
        if (self.number is None) == (self.recipient_id is None):
            raise ValueError("give a number or a recipient_id")
        return self


class WhyMessage(_Answer):
    """A message that somebody gets."""

    position: int
    recipient_id: str
    parts: int
    state: MessageState
    code: str | None
    changed_at: str | None


class WhyExcluded(_Answer):
    """Why a row gets no message."""

    row_number: int
    recipient_id: str
    reason: Exclusion
    detail: str
    winner_id: str | None


class WhyAnswer(_Answer):
    """What a delivery does with one person. Neither: nobody like that was targeted."""

    delivery: str
    state: DeliveryState
    messages: list[WhyMessage]
    exclusions: list[WhyExcluded]
    archived: ArchivedMessages | None = None


class UnmaskRequest(BaseModel):
    """Which numbers to show."""

    model_config = ConfigDict(extra="forbid")

    positions: list[Position] = Field(min_length=1, max_length=MOST_UNMASKED)
    fingerprint: str = Field(min_length=1, max_length=250, description="Of the review looked at")


class ShownPhone(_Answer):
    """The number of one message."""

    position: int
    phone: str = Field(description="E.164, with the plus", repr=False)


class ShownPhones(_Answer):
    """Whole numbers; that they were shown is noted."""

    delivery: str
    fingerprint: str
    phones: list[ShownPhone]
