"""What a delivery template says about its messages, apart from their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from smsflow_provider.core.content.durations import read_duration_s, refusal
from smsflow_provider.core.content.encoding import refused_characters
from smsflow_provider.core.content.languages import canonical_code
from smsflow_provider.core.content.senders import problem_of_sender
from smsflow_provider.core.content.sending_settings import (
    SendingSettings,
    check_connection,
    check_country,
)
from smsflow_provider.core.content.transliteration import Transliteration
from smsflow_provider.core.model import MessageClass

_RULE_NAME = re.compile(r"[a-z0-9_-]{1,50}")
# As budgets.yaml takes them.
_BUDGET_NAME = re.compile(r"[A-Za-z][\w.-]{0,62}")
_SHORTEST_S: Final = 60
_LONGEST_S: Final = 7 * 86_400


class MissingPolicy(StrEnum):
    """What becomes of a recipient whose row lacks a field the text needs."""

    #: The preparation fails: nothing is sent to anybody.
    FAIL = "fail"
    #: The recipient is left out, with the reason ``missing_field``.
    EXCLUDE = "exclude"
    #: The text of ``defaults`` stands in; a field without one fails.
    DEFAULT = "default"


class OptOutPolicy(StrEnum):
    """What becomes of a marketing text that does not say how to opt out."""

    #: The mention of the country, or the general one, is added. Without one: as ``require``.
    ADD = "add"
    #: Nothing is added; the review warns of how many texts lack a mention.
    REQUIRE = "require"
    #: Nothing is looked at.
    NONE = "none"


class Finding(NamedTuple):
    """Two settings that do not go together."""

    field: str
    text: str
    hint: str
    #: The other setting.
    other: str


def _check_sender(value: str) -> str:
    problem = problem_of_sender(value)
    if problem:
        raise refusal(problem)
    return value


def _check_mention(value: str) -> str:
    if not value:
        raise refusal("is empty")
    refused = refused_characters(value)
    if refused:
        raise refusal(f"the character {refused[0][1]} cannot be sent")
    return value


def _check_rule_name(value: str) -> str:
    if _RULE_NAME.fullmatch(value) is None:
        raise refusal("is not a name", "1 to 50 of a-z, 0-9, _ and -")
    return value


def _check_budget_name(value: str) -> str:
    if _BUDGET_NAME.fullmatch(value) is None:
        raise refusal("is not the name of a budget", "a letter, then letters, digits, . _ -")
    return value


def _check_keys(given: object) -> object:
    """Refuse one country written twice, which would silently lose one of the two."""
    if isinstance(given, Mapping):
        keys = [str(key).strip().upper() for key in given]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise refusal(f"{', '.join(twice)} is written twice")
    return given


Country = Annotated[str, AfterValidator(check_country)]
Sender = Annotated[str, AfterValidator(_check_sender)]
Mention = Annotated[str, StringConstraints(max_length=100), AfterValidator(_check_mention)]
RuleName = Annotated[str, AfterValidator(_check_rule_name)]
BudgetName = Annotated[str, AfterValidator(_check_budget_name)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TemplateSettings(BaseModel):
    """What a template says about its messages, apart from their text. All have a default."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        str_strip_whitespace=True,
    )

    #: What people call it. Empty: its name.
    label: str = Field(default="", max_length=200)
    #: Up to 11 letters, digits and spaces with at least one letter, or a number of 3 to 15
    #: digits. Empty: the gateway's own.
    sender: str = ""
    #: Sender by country of the recipient's number (ISO 3166 code to sender). Elsewhere:
    #: ``sender``.
    senders: Annotated[dict[Country, Sender], BeforeValidator(_check_keys)] = Field(
        default_factory=dict
    )
    #: SQL expression over the audience's columns that gives the sender of each recipient. Comes
    #: before ``senders`` and ``sender``, which serve where it gives nothing.
    sender_expression: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = (
        None
    )
    #: Marketing unless said otherwise: a marketing text taken for a transactional one would
    #: leave without its opt-out mention and outside the rules that protect people.
    message_class: MessageClass = Field(default=MessageClass.MARKETING, alias="class")
    #: Airflow connection of the gateway. None: the delivery says it.
    gateway: str | None = None
    transliteration: Transliteration = Transliteration.NONE
    #: Most parts one text may have, 1 to 10; a longer one is excluded as ``too_long``.
    max_parts: int = Field(default=5, ge=1, le=10)
    #: Seconds after which a message that has not arrived is worthless: 60 to 604,800. In the
    #: file: ``validity``, also as ``90m``, ``24h``, ``2d``.
    validity_s: Annotated[int, BeforeValidator(read_duration_s)] = Field(
        default=86_400, alias="validity"
    )
    missing: MissingPolicy = MissingPolicy.FAIL
    #: Field to the text that stands in; with ``missing: default`` only.
    defaults: dict[str, str] = Field(default_factory=dict)
    #: ISO 3166 code of the country of numbers written the national way. None: they are
    #: invalid.
    region: Country | None = None
    #: Column that says the recipient's language. None: one text for everybody.
    language: Column | None = None
    #: Language of the text before the first ``--- fr`` line; it serves whoever has another or
    #: none. Needed with ``language``.
    default_language: str | None = None
    #: What a marketing text without an opt-out mention gets at its end, such as ``STOP 36111``.
    #: At most 100 characters.
    opt_out_mention: Mention | None = None
    #: The same by country of the recipient's number. Elsewhere: ``opt_out_mention``.
    opt_out_mentions: Annotated[dict[Country, Mention], BeforeValidator(_check_keys)] = Field(
        default_factory=dict
    )
    opt_out_policy: OptOutPolicy = OptOutPolicy.ADD
    #: Rules the delivery is prepared by. None: the delivery says it, or ``default``.
    typology: RuleName | None = None
    #: Who opted out of this programme gets no text either: 1 to 50 of a-z, 0-9, _ and -.
    programme: RuleName | None = None
    #: Weight where pressure rules choose between deliveries, 0 to 100; the higher goes first.
    weight: int = Field(default=5, ge=0, le=100)
    #: Budget the delivery is paid from. None: ``default``, if there is one.
    budget: BudgetName | None = None
    #: How the messages leave: priority, spread, waves, pause_when, doubt, failover.
    sending: SendingSettings = SendingSettings()

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        return _check_sender(value) if value else value

    @field_validator("gateway")
    @classmethod
    def _check_gateway(cls, value: str | None) -> str | None:
        return value if value is None else check_connection(value)

    @field_validator("validity_s")
    @classmethod
    def _check_validity(cls, value: int) -> int:
        if not _SHORTEST_S <= value <= _LONGEST_S:
            raise refusal("must be 1 minute to 7 days", "write 90m, 24h, 2d")
        return value

    @field_validator("default_language")
    @classmethod
    def _check_language(cls, value: str | None) -> str | None:
        code = None if value is None else canonical_code(value)
        if value is not None and code is None:
            raise refusal("is not a language code", "for example fr or pt-BR")
        return code

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        found = list(self._findings())
        if found:
            text = "; ".join(f"{one.field}: {one.text}" for one in found)
            raise PydanticCustomError("smsflow", "{text}", {"text": text, "findings": found})
        return self

    def _findings(self) -> Iterator[Finding]:
        if self.missing is MissingPolicy.DEFAULT and not self.defaults:
            hint = "defaults: {field: text}"
            yield Finding("defaults", "missing: default needs defaults", hint, "missing")
        if self.defaults and self.missing is not MissingPolicy.DEFAULT:
            yield Finding("defaults", "defaults have no effect", "add missing: default", "missing")
        if self.language is not None and self.default_language is None:
            hint = "default_language: en"
            yield Finding("language", "needs default_language", hint, "default_language")
        for name in ("opt_out_mention", "opt_out_mentions"):
            if getattr(self, name) and self.message_class is not MessageClass.MARKETING:
                hint = "only marketing texts get one"
                yield Finding(name, "has no effect", hint, "class")
            elif getattr(self, name) and self.opt_out_policy is not OptOutPolicy.ADD:
                yield Finding(name, "has no effect", "opt_out_policy: add", "opt_out_policy")

    def sender_for(self, country: str | None) -> str:
        """Give the sender for numbers of *country*, apart from the expression; empty: none."""
        return self.senders.get(country or "", self.sender)

    def mention_for(self, country: str | None) -> str | None:
        """Give the opt-out mention for numbers of *country*, whatever class and policy say."""
        return self.opt_out_mentions.get(country or "", self.opt_out_mention)


#: The keys a front matter may have, as they are written there.
SETTING_NAMES: Final = tuple(
    field.alias or name for name, field in TemplateSettings.model_fields.items()
)
