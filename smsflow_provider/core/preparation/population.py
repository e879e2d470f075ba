"""
How the people of a delivery are narrowed: duplicates, filters, lists, control group, limit.

A typology may say it for all its deliveries, a delivery for itself; see ``merged``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from smsflow_provider.core.preparation.number_value import NumberKind

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Rule(BaseModel):
    """Frozen, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Winner(StrEnum):
    """Which of several rows with one number gets the message."""

    FIRST = "first"
    #: The latest value of a column.
    FRESHEST = "freshest"
    #: The highest value of a column.
    HIGHEST = "highest"


class Duplicates(Rule):
    """Of several rows with one number one wins; the others keep the winner's id."""

    keep: Winner = Winner.FIRST
    #: Column with a date or a number; nulls lose, ties go to the first row. Not with ``first``.
    by: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.keep is Winner.FIRST) == (self.by is not None):
            raise ValueError("'by' names a column for freshest and highest, and for them only")
        return self


class Share(Rule):
    """A part of the people: so many, or so many in a hundred."""

    #: More than 0, at most 100.
    percent: Annotated[float, Field(gt=0, le=100)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    #: Column whose highest values are taken. None: a stable draw.
    by: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.percent is None) == (self.count is None):
            raise ValueError("give a percent or a count")
        return self


class SizeLimit(Rule):
    """At most so many people get a message."""

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
    countries: frozenset[str] = frozenset()


class Population(Rule):
    """Everything that narrows the people of a delivery, apart from their own wishes."""

    numbers: Numbers = Numbers()
    duplicates: Duplicates = Duplicates()
    #: Name to an SQL condition over the audience's columns; who fulfils one is left out.
    filters: dict[Name, Text] = Field(default_factory=dict)
    #: Names of saved audiences whose numbers are left out.
    audiences: tuple[Text, ...] = ()
    #: Held back to measure the effect. The draw is the same in every preparation of a workflow.
    control_group: Share | None = None
    size_limit: SizeLimit | None = None

    def merged(self, own: Population) -> Population:
        """Put what a delivery says itself (*own*) over this: set fields win, filters add up."""
        given = {name: getattr(own, name) for name in own.model_fields_set}
        filters = {**self.filters, **own.filters}
        audiences = tuple(dict.fromkeys([*self.audiences, *own.audiences]))
        return self.model_copy(update={**given, "filters": filters, "audiences": audiences})
