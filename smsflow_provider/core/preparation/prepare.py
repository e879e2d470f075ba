"""
Prepare one delivery: from an audience to messages that wait for a person.

Nothing is sent here. Preparing again replaces the preparation and voids its approval. The
audience is read twice: once for numbers and rules, which decide who is in, and once for the texts
of those. Every row is written in one transaction: a crash leaves the delivery ``preparing`` and
nothing else, and the next try begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import polars as pl

from smsflow_provider.core import clock
from smsflow_provider.core.audience.layout import ID, PHONE
from smsflow_provider.core.content.render_process import RenderProcess
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import AudienceError, ConfigError, TemplateError
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.budgets import Budgets, charge
from smsflow_provider.core.preparation.candidates import CandidateBuilder, Candidates
from smsflow_provider.core.preparation.checks import (
    Level,
    LogLine,
    check_columns,
    in_order,
)
from smsflow_provider.core.preparation.cost import estimate
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.lists import load_lists
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists
from smsflow_provider.core.preparation.judge import judge
from smsflow_provider.core.preparation.leaving import (
    Leaving,
    check_failover,
    check_validity,
    shortest_of,
)
from smsflow_provider.core.preparation.mention import mentions_of
from smsflow_provider.core.preparation.messages import MessagePass
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.preparation.row_rules import RowRules, check_senders, rules_of
from smsflow_provider.core.preparation.rows import AudienceRows, IdDigest, read_ahead
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.tally import PriceOf, Tally
from smsflow_provider.core.states import BEGUN, DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, LogRow, find_delivery
from smsflow_provider.core.store.prepared import (
    PreparationWriter,
    Published,
    begin_preparation,
    drop_replaced,
    fail_preparation,
    reporting_progress,
    writing_preparation,
    zone_numbers,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What a preparation works on, handed in."""

    template: Template
    settings: PreparationSettings
    dialect: Dialect
    #: Of the gateway that ``sending.failover`` of the template names. None: it names none.
    second_dialect: Dialect | None = None
    #: The reference of the audience, JSON values.
    audience: dict[str, Any]
    rows: AudienceRows
    #: What is known of how the messages will leave.
    leaving: Leaving = field(default_factory=Leaving)
    #: Numbers of the excluded audiences, by name (UInt64).
    excluded_audiences: Mapping[str, pl.Series] = field(default_factory=dict, repr=False)
    #: What the reviewer must know of what was handed in, such as a list that cannot be read whole.
    notes: Sequence[LogLine] = ()
    #: What a part costs. None: nobody knows.
    prices: PriceTable | None = None
    #: What may be spent. None: nothing is limited.
    budgets: Budgets | None = None
    now: Callable[[], datetime] = clock.utc_now
    #: Called after each batch with the step and counts.
    on_progress: Callable[[dict[str, Any]], None] = lambda _: None

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """Those of all gateways that may carry the messages, the delivery's own first."""
        return (self.dialect, *([self.second_dialect] if self.second_dialect else []))


#: Lines that are true only of a preparation that is published.
_ONLY_IF_COMPLETE = frozenset({LogEvent.PREPARED, LogEvent.BUDGET_RESERVED})


class _ContentFailedError(Exception):
    """Rolls the half-written preparation back; never leaves this module."""


def prepare(store: Store, delivery_id: str, preparation: Preparation, *, actor: str) -> Delivery:
    """
    Prepare the delivery and make it ready for review.

    Returns:
        The delivery: ``ready``, or ``preparation_failed`` with every problem in its log.

    Raises:
        IllegalMoveError: Messages of this delivery may have left already, or it was stopped.
        SupersededError: This preparation was stopped, or another one of the delivery began
            meanwhile; this one left nothing.
        ConfigError: The audience, the template or a rule cannot be used. The delivery is
            ``preparation_failed`` and its log says why.
    """
    delivery = _begin(store, delivery_id, preparation, actor=actor)
    run = _Run(store, delivery, preparation)
    try:
        with reporting_progress(store, delivery) as report:
            run.run(report)
    except _ContentFailedError:
        rows = [line.as_row() for line in run.lines if line.event not in _ONLY_IF_COMPLETE]
        fail_preparation(store, delivery, figures=run.figures, lines=rows)
    except ConfigError as error:
        fail_preparation(store, delivery, figures={}, lines=[_line_of(error)])
        raise
    drop_replaced(store, delivery_id)
    return find_delivery(store, delivery_id)


def _begin(store: Store, delivery_id: str, preparation: Preparation, *, actor: str) -> Delivery:
    settings, template = preparation.settings, preparation.template
    return begin_preparation(
        store,
        delivery_id,
        label=settings.label,
        gateway=settings.gateway,
        dry_run=settings.dry_run,
        template=template.as_dict(),
        settings=settings.as_dict(),
        audience=preparation.audience,
        validity_s=template.settings.validity_s,
        actor=actor,
    )


def _line_of(error: ConfigError) -> LogRow:
    event = LogEvent.CONFIG_REFUSED
    if isinstance(error, AudienceError):
        event = LogEvent.AUDIENCE_REFUSED
    elif isinstance(error, TemplateError):
        event = LogEvent.TEMPLATE_REFUSED
    return Level.ERROR.value, event.value, _sentence_of(error), error.facts


def _sentence_of(error: ConfigError) -> str:
    """Say what is wrong in the line itself: reviewers are not shown its facts."""
    problems, hint = error.facts.get("problems"), error.facts.get("hint")
    told = "; ".join(map(str, problems)) if isinstance(problems, list) else ""
    sentence = f"{error.problem}: {told}" if told else error.problem
    return f"{sentence} ({hint})" if hint else sentence


class _Run:
    """The two passes over one audience, and what is said about them."""

    def __init__(self, store: Store, delivery: Delivery, preparation: Preparation) -> None:
        self._store = store
        self._delivery = delivery
        self._preparation = preparation
        self._template = preparation.template
        self._ids = IdDigest()
        self._progress: dict[str, Any] = {"targeted": preparation.rows.count}
        self._reporter: Callable[[dict[str, Any]], None] = lambda _: None
        self.lines: list[LogLine] = []
        self.figures: dict[str, Any] = {}

    def run(self, report: Callable[[dict[str, Any]], None]) -> None:
        """
        Write everything in one transaction and publish it.

        Args:
            report: Told how far it is; raises when this preparation is not wanted any more.

        Raises:
            _ContentFailedError: ``lines`` holds an error; nothing was written.
        """
        self._reporter = report
        preparation = self._preparation
        schema = preparation.rows.schema()
        gateway = preparation.settings.gateway
        self._go_on_with(
            [
                *check_columns(self._template, schema),
                *check_failover(self._template, gateway=gateway),
            ]
        )
        now = preparation.now()
        rules = rules_of(preparation.settings, self._template, schema=schema, now=now)
        # Opened first: the process gets ready while the numbers are read.
        with RenderProcess(self._template) as process:
            candidates = self._candidates(rules)
            self._report("exclusions")
            exclude(candidates, rules.exclusion, self._lists(candidates, rules.exclusion, now=now))
            self._go_on_with(check_senders(candidates))
            self._write(self._messages(candidates, process), now=now)

    def _messages(self, candidates: Candidates, process: RenderProcess) -> MessagePass:
        preparation = self._preparation
        return MessagePass(
            preparation.rows,
            candidates,
            ids=self._ids,
            template=self._template,
            dialects=preparation.dialects,
            mentions=mentions_of(self._template.settings, preparation.settings.typology),
            process=process,
            zone_numbers=partial(zone_numbers, self._store),
            on_rows=partial(self._report, "texts"),
        )

    def _write(self, messages: MessagePass, *, now: datetime) -> None:
        with writing_preparation(self._store, self._delivery) as writer:
            messages.write(writer)
            self._report("publishing")
            self._publish(writer, messages.tally, digest=messages.digest, now=now)

    def _candidates(self, rules: RowRules) -> Candidates:
        """Read every row: its number, and what the rules ask of it."""
        builder = CandidateBuilder(self._preparation.rows.count)
        region = self._preparation.settings.region or self._template.settings.region
        read = 0
        for frame in read_ahead(self._preparation.rows.frames()):
            _check_ids(frame[ID], first_row=read + 1)
            self._ids.add(frame[ID])
            numbers = read_numbers(frame[PHONE], region=region)
            builder.add(numbers, rules.rule_columns(frame, numbers))
            read += frame.height
            self._report("numbers", read)
        return builder.finish()

    def _lists(self, candidates: Candidates, rules: ExclusionRules, *, now: datetime) -> Lists:
        allowed = self._preparation.settings.allowed
        return load_lists(
            self._store,
            candidates,
            rules,
            delivery_no=self._delivery.no,
            now=now,
            audiences=self._preparation.excluded_audiences,
            allowed=None if allowed is None else pl.Series(sorted(allowed), dtype=pl.UInt64),
        )

    def _publish(
        self, writer: PreparationWriter, tally: Tally, *, digest: MessageDigest, now: datetime
    ) -> None:
        """Judge the whole, charge the budget, and show it to the reviewer; or raise."""
        preparation = self._preparation
        counts = tally.parts_by("region", "sender").iter_rows()
        cost = estimate(counts, preparation.prices)
        takes_s = shortest_of(tally, preparation.leaving, template=self._template)
        leaving = preparation.leaving.as_dict(shortest_s=takes_s)
        self.figures = {**tally.figures(), "cost": cost.as_dict(), "leaving": leaving}
        charged = charge(
            writer.finish(),
            self._delivery,
            preparation.budgets,
            name=preparation.settings.budget or "",
            estimate=cost,
            now=now,
        )
        judged = judge(
            tally,
            cost,
            figures=self.figures,
            template=self._template,
            settings=preparation.settings,
            dialects=preparation.dialects,
            prices=preparation.prices,
            now=now,
        )
        slow = check_validity(self._template, to_deliver=tally.to_deliver, shortest_s=takes_s)
        self._go_on_with([*preparation.notes, *judged, *slow, *charged])
        self.figures["samples"] = tally.samples(_prices_of(preparation.prices))
        rows = [line.as_row() for line in self.lines]
        writer.publish(self._published(tally, digest), lines=rows)

    def _published(self, tally: Tally, digest: MessageDigest) -> Published:
        delivery = self._delivery
        return Published(
            fingerprint=fingerprint_of(
                template=delivery.template,
                settings=delivery.settings,
                audience=delivery.audience,
                excluded=self.figures["excluded"],
                messages=digest.hexdigest(),
            ),
            targeted=tally.targeted,
            excluded=tally.excluded.total(),
            to_deliver=tally.to_deliver,
            parts=tally.parts,
            figures=self.figures,
        )

    def _go_on_with(self, lines: list[LogLine]) -> None:
        """Keep what is to be said; raise if an error is among it."""
        self.lines = in_order(lines)
        if any(line.level is Level.ERROR for line in lines):
            raise _ContentFailedError

    def _report(self, step: str, rows: int | None = None) -> None:
        """Tell the step and how many rows it has done; end here if this is not wanted any more."""
        self._progress["step"] = step
        if rows is not None:
            self._progress[step] = rows
        self._reporter(self._progress)
        self._preparation.on_progress(dict(self._progress))


def _check_ids(ids: pl.Series, *, first_row: int) -> None:
    """Refuse what PostgreSQL cannot store."""
    rows = ids.str.contains("\0", literal=True).arg_true()
    if len(rows):
        raise AudienceError(
            "a recipient_id holds a NUL character", rows=(rows[:20] + first_row).to_list()
        )


def _prices_of(prices: PriceTable | None) -> PriceOf:
    if prices is None:
        return lambda _country, _sender: 1.0
    return lambda country, sender: float(prices.price_of(country, sender) or 0)


def is_begun(delivery: Delivery) -> bool:
    """Whether messages may have left: such a delivery is not prepared again, only looked at."""
    return delivery.state in BEGUN - {DeliveryState.STOPPED}
