"""
Typologies: named sets of rules that deliveries are prepared by.

A delivery has exactly one. Control rules judge the figures of a preparation, filters and pressure
rules leave people out. What is said here is data: ``typology_file`` reads it, ``rules_of`` and
``check_controls`` apply it. Loads no column library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    field_serializer,
    model_validator,
)

from smsflow_provider.core.content.settings import Mention, TemplateSettings
from smsflow_provider.core.document.problem import refusal
from smsflow_provider.core.document.zone import check_zone
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.population import (
    Condition,
    Country,
    Name,
    Population,
    Rule,
)

#: Order of a rule that says none.
DEFAULT_ORDER: Final = 50

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Order = Annotated[int, Field(ge=0, le=1_000)]


class ControlLevel(StrEnum):
    """What a control that fails does."""

    #: The preparation fails: nothing can be sent.
    ERROR = "error"
    #: The reviewer is warned.
    WARNING = "warning"
    #: The reviewer is told.
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What is known of a delivery before its people are: it decides which rules apply."""

    message_class: MessageClass
    #: Id of the DAG; empty outside Airflow.
    workflow: str = ""
    template: str = ""
    #: Connection of the gateway.
    gateway: str = ""
    #: Every sender it may have. None: nobody knows, an expression gives them.
    senders: frozenset[str] | None = frozenset()


class Applies(Rule):
    """Deliveries a rule is for. All that is said must hold; an empty list says nothing."""

    #: Classes of texts: ``marketing``, ``transactional``.
    classes: frozenset[MessageClass] = frozenset()
    #: Workflow ids; ``*`` and ``?`` stand for any characters, as in ``marketing.*``.
    workflows: tuple[Line, ...] = ()
    #: Names of templates, as ``workflows``.
    templates: tuple[Line, ...] = ()
    #: Senders, one of which the delivery may have. Where an expression gives the sender, the rule
    #: applies.
    senders: frozenset[Line] = frozenset()
    #: Airflow connections of gateways.
    gateways: frozenset[Line] = frozenset()

    @field_serializer("classes", "senders", "gateways")
    def _sorted(self, values: frozenset[str]) -> list[str]:
        return sorted(str(value) for value in values)

    def holds(self, occasion: Occasion) -> bool:
        """Whether a rule applies on this *occasion*."""
        own = occasion.senders
        return (
            (not self.classes or occasion.message_class in self.classes)
            and _matches(occasion.workflow, self.workflows)
            and _matches(occasion.template, self.templates)
            and (not self.senders or own is None or bool(own & self.senders))
            and (not self.gateways or occasion.gateway in self.gateways)
        )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


class _Ordered(Rule):
    #: Rules are tried lowest first, 0 to 1,000; those of one order as they stand in the file.
    order: Order = DEFAULT_ORDER
    #: ``false``: as if it were not there.
    enabled: StrictBool = True
    #: Deliveries it is for. Default: all of this typology.
    applies_when: Applies = Applies()


class ControlRule(_Ordered):
    """Judges the figures of a preparation at its end."""

    #: ``control``: judges the figures of a preparation.
    kind: Literal["control"]
    #: What the log calls it: a to z, 0 to 9 and ``_``.
    code: Name
    #: What it does when it fails; see below.
    level: ControlLevel
    #: SQL condition over the figures. Where it gives null, it counts as failed too.
    fails_when: Condition
    #: What the reviewer reads when it fails.
    message: Line


class FilterRule(_Ordered):
    """Leaves people out as ``filtered``."""

    #: ``filter``: leaves people out by what their row says.
    kind: Literal["filter"]
    #: What the exclusion says.
    name: Name
    #: SQL condition over the columns of the audience; null counts as false.
    exclude_when: Condition


class PressureRule(_Ordered):
    """Leaves people out as ``pressure`` who have had, or will have, enough texts."""

    #: ``pressure``: leaves people out by the texts they have had.
    kind: Literal["pressure"]
    #: What the exclusion says.
    name: Name
    #: Length of the rolling window, 1 to 366 days.
    days: Annotated[int, Field(ge=1, le=366)]
    #: Kept is who has strictly fewer texts than this, 0 to 32,767; 0 leaves everybody out.
    most: Annotated[int, Field(ge=0, le=32_767)]
    #: SQL expression that gives each recipient's own number; where it is null: ``most``.
    most_by: Condition | None = None
    #: Classes of texts that count. Empty: all.
    counts: frozenset[MessageClass] = frozenset({MessageClass.MARKETING})

    @field_serializer("counts")
    def _sorted(self, values: frozenset[str]) -> list[str]:
        return sorted(str(value) for value in values)


AnyRule = Annotated[ControlRule | FilterRule | PressureRule, Field(discriminator="kind")]


class Typology(Rule):
    """
    One typology, read and checked.

    Example:
        >>> adults = {"kind": "filter", "name": "minors", "exclude_when": "age < 18"}
        >>> Typology(label="France", rules=(adults,)).rules[0].order
        50
    """

    #: What people call it. Empty: its name.
    label: Annotated[str, StringConstraints(max_length=200)] = ""
    #: For people.
    description: Annotated[str, StringConstraints(max_length=5_000)] = ""
    #: IANA zone of ``weekday``, ``hour`` and ``CURRENT_DATE``.
    time_zone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    #: How the people of all its deliveries are narrowed.
    population: Population = Population()
    #: Opt-out mention of marketing templates that have none of their own.
    opt_out_mention: Mention | None = None
    #: The same by country (ISO 3166) of the recipient's number.
    opt_out_mentions: dict[Country, Mention] = Field(default_factory=dict)
    #: Each with a ``kind``: ``filter``, ``pressure`` or ``control``; see below.
    rules: tuple[AnyRule, ...] = ()

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for word, names in (
            ("control", [rule.code for rule in self.rules if isinstance(rule, ControlRule)]),
            ("pressure rule", [r.name for r in self.rules if isinstance(r, PressureRule)]),
            ("filter", [*self.population.filters, *self._filter_names()]),
        ):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise refusal(f"there is more than one {word} {', '.join(map(repr, twice))}")
        return self

    def _filter_names(self) -> list[str]:
        return [rule.name for rule in self.rules if isinstance(rule, FilterRule)]

    def controls(self, occasion: Occasion) -> list[ControlRule]:
        """Give the controls that apply, in their order."""
        return [rule for rule in self._applying(occasion) if isinstance(rule, ControlRule)]

    def pressures(self, occasion: Occasion) -> list[PressureRule]:
        """Give the pressure rules that apply, in their order."""
        return [rule for rule in self._applying(occasion) if isinstance(rule, PressureRule)]

    def filters(self, occasion: Occasion, population: Population) -> dict[str, str]:
        """
        Give name and condition of every filter, in the order in which they are tried.

        Args:
            occasion: The delivery.
            population: Of the delivery, merged with that of the typology; its filters have the
                default order and come behind rules of the same order.

        Raises:
            ConfigError: A filter of the delivery has the name of a rule.
        """
        twins = sorted(set(self._filter_names()) & set(population.filters))
        if twins:
            raise ConfigError("the typology has filter rules of these names", filters=twins)
        rules = [rule for rule in self._applying(occasion) if isinstance(rule, FilterRule)]
        early = {r.name: r.exclude_when for r in rules if r.order <= DEFAULT_ORDER}
        late = {r.name: r.exclude_when for r in rules if r.order > DEFAULT_ORDER}
        return {**early, **population.filters, **late}

    def _applying(self, occasion: Occasion) -> Iterator[ControlRule | FilterRule | PressureRule]:
        for rule in sorted(self.rules, key=lambda rule: rule.order):
            if rule.enabled and rule.applies_when.holds(occasion):
                yield rule

    def mentions(self, settings: TemplateSettings) -> tuple[str | None, Mapping[str, str]]:
        """
        Give the opt-out mention for other countries and those by country.

        A template with a general mention has said it all. Else this typology fills in for the
        countries the template does not name.
        """
        if settings.opt_out_mention is not None:
            return settings.opt_out_mention, settings.opt_out_mentions
        return self.opt_out_mention, {**self.opt_out_mentions, **settings.opt_out_mentions}

    def as_dict(self) -> dict[str, Any]:
        """Give the snapshot as JSON values, the same on every machine; see ``from_dict``."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """
        Read a snapshot.

        Raises:
            ConfigError: It is not one.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(
                "not a snapshot of a typology", problems=error.error_count()
            ) from None


#: What a delivery has that names no typology where there is no file ``default``.
TYPOLOGY_DEFAULT: Final = Typology(label="No rules")


def occasion_of(
    settings: TemplateSettings, *, template: str, gateway: str, workflow: str = ""
) -> Occasion:
    """Say what is known of a delivery before its people are."""
    known = {settings.sender, *settings.senders.values()} - {""}
    return Occasion(
        message_class=settings.message_class,
        workflow=workflow,
        template=template,
        gateway=gateway,
        senders=None if settings.sender_expression else frozenset(known),
    )
