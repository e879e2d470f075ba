"""
How the people of a delivery are narrowed: duplicates, filters, lists, control group, limit.

A typology may say it for all its deliveries, a delivery for itself; see ``merged``. Read when a
DAG is parsed: loads neither the column library nor the one of phone numbers, unless a country is
named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_serializer,
    model_validator,
)

from smsflow_provider.core.content.senders import hint_for_country
from smsflow_provider.core.document.judge import field_problems
from smsflow_provider.core.document.problem import refusal
from smsflow_provider.core.document.tree import Tree
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.condition_text import check_text
from smsflow_provider.core.preparation.number_value import NumberKind

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_name(text: str) -> str:
    """Accept what can name a rule: it is shown in exclusions, logs and figures."""
    if _NAME.fullmatch(text) is None:
        raise refusal(f"{text!r} cannot name a rule", "up to 63 of a-z, 0-9 and _, a letter first")
    return text


def check_country(text: str) -> str:
    """Accept an ISO 3166 code, in any case; give it in capitals."""
    hint = hint_for_country(text.upper())
    if hint is not None:
        raise refusal(f"{text!r} is not an ISO 3166 country code", hint)
    return text.upper()


def check_condition(text: str) -> str:
    """Accept what may be an expression over one row; see ``condition_text``."""
    if problems := check_text(text):
        raise refusal("; ".join(problems))
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Name = Annotated[str, AfterValidator(check_name)]
Country = Annotated[str, AfterValidator(check_country)]
Condition = Annotated[str, AfterValidator(check_condition)]


class Rule(BaseModel):
    """Frozen, and refuses what it does not know. Errors do not repeat what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Winner(StrEnum):
    """Which of several rows with one number gets the message."""

    #: The first row of the audience.
    FIRST = "first"
    #: The latest value of a column.
    FRESHEST = "freshest"
    #: The highest value of a column.
    HIGHEST = "highest"


class Duplicates(Rule):
    """Of several rows with one number one wins; the others keep the winner's id."""

    #: Which of the rows gets the message; see below.
    keep: Winner = Winner.FIRST
    #: Column with a date or a number; nulls lose, ties go to the first row. Not with ``first``.
    by: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.keep is Winner.FIRST) == (self.by is not None):
            raise refusal("'by' names a column for freshest and highest, and for them only")
        return self


class Share(Rule):
    """A part of the people: so many, or so many in a hundred."""

    #: More than 0, at most 100.
    percent: Annotated[float, Field(gt=0, le=100)] | None = None
    #: So many people, 1 or more. Either this or ``percent``.
    count: Annotated[int, Field(ge=1)] | None = None
    #: Column whose highest values are taken. None: a draw that is the same every time.
    by: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.percent is None) == (self.count is None):
            raise refusal("give a percent or a count", "one of the two")
        return self


class SizeLimit(Rule):
    """At most so many people get a message."""

    #: Most people that stay, 0 or more.
    count: Annotated[int, Field(ge=0)]
    #: Column whose highest values stay. None: the first rows stay.
    by: Text | None = None


class Numbers(Rule):
    """Which numbers cannot get a text, besides those that are none."""

    #: Kinds that are excluded as ``invalid_number``.
    refuse: frozenset[NumberKind] = frozenset(
        [
            NumberKind.PREMIUM,
            NumberKind.TOLL_FREE,
            NumberKind.SHARED_COST,
            NumberKind.PAGER,
            NumberKind.UAN,
            NumberKind.VOICEMAIL,
        ]
    )
    #: ISO 3166 codes of the only countries that may be texted. Empty: all.
    countries: frozenset[Country] = frozenset()

    @field_serializer("refuse", "countries")
    def _sorted(self, values: frozenset[str]) -> list[str]:
        # A set has another order in each process; the fingerprint must not.
        return sorted(str(value) for value in values)


class Population(Rule):
    """Everything that narrows the people of a delivery, apart from their own wishes."""

    #: Kinds and countries of numbers that may be texted; see below.
    numbers: Numbers = Numbers()
    #: Which of several rows with one number gets the message; see below.
    duplicates: Duplicates = Duplicates()
    #: Name to an SQL condition over the audience's columns; who fulfils one is left out.
    filters: dict[Name, Condition] = Field(default_factory=dict)
    #: Names of saved audiences whose numbers are left out.
    audiences: tuple[Text, ...] = ()
    #: Held back to measure the effect. The draw is the same in every preparation of a workflow.
    control_group: Share | None = None
    #: Most people the delivery may reach; see below.
    size_limit: SizeLimit | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any] | Population, *, what: str) -> Self:
        """
        Read what a DAG says, as a mapping.

        Args:
            given: The fields, or a population.
            what: The argument, for the error.

        Raises:
            ConfigError: ``facts["problems"]`` lists all of them, with the near names.

        Example:
            >>> Population.read({"filters": {"minors": "age < 18"}}, what="exclude").filters
            {'minors': 'age < 18'}
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            tree = Tree(data=given, lines={}, problems=[])
            found = field_problems(error, tree=tree, model=cls)
        raise ConfigError(f"wrong {what}", problems=[str(problem) for problem in found])

    def as_dict(self) -> dict[str, Any]:
        """Write what is set, as JSON values; ``read`` makes an equal population of it."""
        return self.model_dump(mode="json", exclude_unset=True)

    def merged(self, own: Population) -> Population:
        """
        Put what a delivery says itself over this.

        What *own* sets wins, field by field within ``numbers``; filters and audiences add up.

        Raises:
            ConfigError: A filter of *own* would take the place of another one of the same name.
        """
        twins = [name for name, text in own.filters.items() if self.filters.get(name, text) != text]
        if twins:
            raise ConfigError("the typology has other filters of these names", filters=twins)
        given = {name: getattr(own, name) for name in own.model_fields_set}
        given["numbers"] = self.numbers.model_copy(
            update={name: getattr(own.numbers, name) for name in own.numbers.model_fields_set}
        )
        given["filters"] = {**self.filters, **own.filters}
        given["audiences"] = tuple(dict.fromkeys([*self.audiences, *own.audiences]))
        return self.model_copy(update=given)
