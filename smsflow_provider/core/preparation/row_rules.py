"""The rules of one delivery, made into small columns over its audience."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from smsflow_provider.core.audience.layout import ID, PHONE
from smsflow_provider.core.content.senders import problem_of_sender
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.document.problem import near
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.conditions import (
    Schema,
    ValueKind,
    columns_of,
    compile_condition,
    compile_value,
    evaluate,
    is_ranked,
)
from smsflow_provider.core.preparation.exclusions.pressure import Pressure
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules
from smsflow_provider.core.preparation.rule_columns import RuleColumn
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.typology import PressureRule, occasion_of

#: What conditions may ask of the number itself, besides the columns of the audience, and before
#: columns of these names: the ISO 3166 code of its country, and its kind (see ``NumberKind``).
NUMBER_COLUMNS: Final = ("number_country", "number_kind")

#: Filters one delivery can have.
MOST_FILTERS: Final = 200
#: Different senders one delivery can have. More come from a column that holds something else.
MOST_SENDERS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """Every rule of one delivery that looks at rows. Made by ``rules_of``."""

    #: Columns of the audience that must be read for them, in order of their names.
    columns: tuple[str, ...]
    #: Those of ``NUMBER_COLUMNS`` that they ask.
    number_columns: tuple[str, ...]
    #: Name of a rule column to what gives it.
    expressions: Mapping[str, pl.Expr]
    #: What they are made of, as people know it.
    named: Mapping[str, pl.Expr]
    #: What ``exclude`` is told.
    exclusion: ExclusionRules

    def rule_columns(self, frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame | None:
        """
        Compute the rule columns of one frame.

        Args:
            frame: Rows with ``columns``.
            numbers: What ``read_numbers`` gave for them.

        Returns:
            A column for each of ``expressions``, named so. None: there is none.

        Raises:
            ConfigError: A rule cannot be computed for some row.
        """
        if not self.expressions:
            return None
        asked = [
            numbers[column].cast(pl.String).alias(name)
            for name, column in zip(NUMBER_COLUMNS, ("region", "kind"), strict=True)
            if name in self.number_columns
        ]
        # The phone is there for the height: what is the same for all rows is given for each.
        whole = numbers.select("phone").with_columns([*frame.select(self.columns), *asked])
        return evaluate(whole, self.expressions, rules=self.named)


def rules_of(
    settings: PreparationSettings, template: Template, *, schema: Schema, now: datetime
) -> RowRules:
    """
    Make the rules of a delivery ready for the rows of its audience.

    Args:
        settings: With the typology, and the population merged from it and the delivery.
        template: With the senders.
        schema: Columns of the audience and their types.
        now: Aware; ``CURRENT_DATE`` is its day in the time zone of the typology.

    Raises:
        ConfigError: ``facts["problems"]`` lists everything wrong in any rule, each with its name.
    """
    day = now.astimezone(ZoneInfo(settings.typology.time_zone)).date()
    return _Making(settings, template, schema=schema, day=day).made()


class _Making:
    """Compiles every rule, and collects what is wrong with any of them."""

    def __init__(
        self, settings: PreparationSettings, template: Template, *, schema: Schema, day: date
    ) -> None:
        self._settings = settings
        self._template = template
        self._day = day
        self._occasion = occasion_of(
            template.settings,
            template=template.name,
            gateway=settings.gateway,
            workflow=settings.workflow,
        )
        self._schema = {**schema, **dict.fromkeys(NUMBER_COLUMNS, pl.String())}
        self._problems: list[str] = []
        self._named: dict[str, pl.Expr] = {}
        self._expressions: dict[str, pl.Expr] = {}

    def made(self) -> RowRules:
        filters = self._filters()
        self._sender()
        self._ranks()
        pressures = [
            self._pressure(rule) for rule in self._settings.typology.pressures(self._occasion)
        ]
        if self._problems:
            noun = "problem" if len(self._problems) == 1 else "problems"
            raise ConfigError(
                f"{len(self._problems)} {noun} in the rules of the delivery",
                problems=self._problems,
            )
        read = {name for each in self._expressions.values() for name in columns_of(each)}
        return RowRules(
            columns=tuple(sorted(read - set(NUMBER_COLUMNS))),
            number_columns=tuple(name for name in NUMBER_COLUMNS if name in read),
            expressions=self._expressions,
            named=self._named,
            exclusion=ExclusionRules(
                population=self._settings.population,
                filters=tuple(filters),
                scopes=self._settings.scopes,
                pressures=tuple(pressures),
                draw=self._settings.workflow,
            ),
        )

    def _compiled(
        self, label: str, compiled: Callable[[], pl.Expr], *, column: str = ""
    ) -> pl.Expr | None:
        """Compile one rule, or note what is wrong with it."""
        try:
            made = compiled()
        except ConfigError as error:
            told = error.facts.get("problems")
            lines = told if isinstance(told, list) else [error.problem]
            self._problems += [f"{label}: {line}" for line in lines]
            return None
        self._named[label] = made
        if column:
            self._expressions[column] = made
        return made

    def _filters(self) -> list[str]:
        filters = self._settings.typology.filters(self._occasion, self._settings.population)
        if len(filters) > MOST_FILTERS:
            self._problems.append(f"there are more than {MOST_FILTERS} filters")
        made = [
            self._compiled(f"filter {name}", partial(self._condition, text))
            for name, text in filters.items()
        ]
        numbered = [
            pl.when(each).then(pl.lit(number, dtype=pl.UInt16))
            for number, each in enumerate(made, start=1)
            if each is not None
        ]
        if numbered:
            self._expressions[RuleColumn.FILTER] = pl.min_horizontal(numbered).fill_null(0)
        return list(filters)

    def _condition(self, text: str) -> pl.Expr:
        return compile_condition(text, schema=self._schema, day=self._day)

    def _value(self, text: str, *, kind: ValueKind) -> pl.Expr:
        return compile_value(text, schema=self._schema, kind=kind, day=self._day)

    def _sender(self) -> None:
        settings = self._template.settings
        general = pl.lit(settings.sender)
        if settings.senders:
            general = pl.col(NUMBER_COLUMNS[0]).replace_strict(
                settings.senders, default=settings.sender, return_dtype=pl.String
            )
        if settings.sender_expression is not None:
            said_by = partial(self._computed_sender, settings.sender_expression)
            own = self._compiled("sender_expression", said_by)
            if own is not None:
                # The store cannot even be asked for the opt-outs of a sender with a NUL.
                said = own.cast(pl.String).str.replace_all("\0", "\N{REPLACEMENT CHARACTER}")
                said = said.str.strip_chars()
                general = pl.when(said != "").then(said).otherwise(general)
        if settings.sender or settings.senders or settings.sender_expression is not None:
            self._expressions[RuleColumn.SENDER] = general

    def _computed_sender(self, text: str) -> pl.Expr:
        made = self._value(text, kind=ValueKind.TEXT)
        if columns_of(made) & {ID, PHONE}:
            # Senders are counted by name, in figures and in logs.
            raise ConfigError("a sender is not made of the recipient's phone or id")
        return made

    def _ranks(self) -> None:
        population = self._settings.population
        for label, column, by in (
            ("duplicates.by", RuleColumn.DUPLICATE_BY, population.duplicates.by),
            ("control_group.by", RuleColumn.CONTROL_BY, _by(population.control_group)),
            ("size_limit.by", RuleColumn.LIMIT_BY, _by(population.size_limit)),
        ):
            if by is not None:
                self._compiled(label, partial(self._ranked, by), column=column)

    def _ranked(self, name: str) -> pl.Expr:
        kind = self._schema.get(name)
        if kind is None:
            hint = near(name, self._schema)
            told = f"unknown column {name!r}" + (f" ({hint})" if hint else "")
            raise ConfigError(told)
        if not is_ranked(kind):
            raise ConfigError(f"column {name!r} cannot be ranked: it holds no numbers or dates")
        return pl.col(name)

    def _pressure(self, rule: PressureRule) -> Pressure:
        column = ""
        if rule.most_by is not None:
            column = f"most_{rule.name}"
            threshold = partial(self._value, rule.most_by, kind=ValueKind.NUMBER)
            self._compiled(f"pressure {rule.name}", threshold, column=column)
        return Pressure(
            name=rule.name,
            days=rule.days,
            most=rule.most,
            most_column=column,
            weight=self._settings.weight,
            classes=rule.counts,
        )


def _by(value: object) -> str | None:
    return getattr(value, "by", None)


def check_senders(candidates: Candidates) -> list[LogLine]:
    """
    Say of which senders no network would take a text.

    Counts those still in; does not show a sender, which an expression may have taken from the
    wrong column.
    """
    problems = [problem_of_sender(text) if text else None for text in candidates.senders.texts]
    if not any(problems) and len(problems) <= MOST_SENDERS:
        return []
    counts = _counts_of(candidates, len(problems))
    if sum(map(bool, counts)) > MOST_SENDERS:
        return [_sender_line("is one of too many different ones", sum(counts))]
    found: dict[str, int] = {}
    for problem, count in zip(problems, counts, strict=True):
        if problem is not None and count:
            found[problem] = found.get(problem, 0) + count
    return [_sender_line(problem, count) for problem, count in sorted(found.items())]


def _counts_of(candidates: Candidates, codes: int) -> Sequence[int]:
    total = np.zeros(codes, dtype=np.int64)
    for rows in candidates.waiting():
        total += np.bincount(candidates.columns.sender[rows], minlength=codes)
    return [int(one) for one in total]


def _sender_line(problem: str, count: int) -> LogLine:
    people = "1 recipient" if count == 1 else f"{count} recipients"
    return LogLine(
        level=Level.ERROR,
        event=LogEvent.SENDER_INVALID,
        problem=f"the sender of {people} {problem}",
        facts={"reason": problem, "recipients": count},
    )
