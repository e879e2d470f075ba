"""
Prepare one delivery: from an audience to messages that wait for a person.

Nothing is sent here. Preparing again replaces the preparation and voids its approval. Everything
is written in one transaction: a crash leaves the delivery ``preparing`` and nothing else, and the
next try begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from smsflow_provider.core.content.front_matter import MissingPolicy
from smsflow_provider.core.content.render import Failed, Missing
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import AudienceError, ConfigError
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.checks import Level, LogLine, check, check_columns
from smsflow_provider.core.preparation.exclude import Excluded, Excluder, Kept
from smsflow_provider.core.preparation.number import to_e164_many
from smsflow_provider.core.preparation.personalise import Personaliser, Text
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.tally import Tally
from smsflow_provider.core.states import BEGUN, DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, LogRow, find_delivery
from smsflow_provider.core.store.prepared import (
    MessageRow,
    PreparationWriter,
    Published,
    begin_preparation,
    drop_replaced,
    fail_preparation,
    message_frame,
    writing_preparation,
)

#: One batch of an audience: columns by name, among them ``recipient_id`` and ``phone``.
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What a preparation works on, handed in."""

    template: Template
    settings: PreparationSettings
    dialect: Dialect
    #: The reference of the audience, JSON values; part of the fingerprint.
    audience: dict[str, Any]
    #: The rows of the audience in order, batch by batch.
    batches: Iterable[Columns]
    opted_out: Container[int]
    #: Called after each batch with counts.
    on_progress: Callable[[dict[str, int]], None] = lambda _: None


class _ContentFailedError(Exception):
    """Rolls the half-written preparation back; never leaves this module."""


def prepare(store: Store, delivery_id: str, preparation: Preparation, *, actor: str) -> Delivery:
    """
    Prepare the delivery and make it ready for review.

    Returns:
        The delivery: ``ready``, or ``preparation_failed`` with every problem in its log.

    Raises:
        IllegalMoveError: Messages of this delivery may have left already, or it was stopped.
        SupersededError: Another preparation of it began meanwhile; this one left nothing.
        ConfigError: The audience cannot be read, or is not what it says it is. The delivery is
            ``preparation_failed`` and its log says why.
    """
    delivery = _begin(store, delivery_id, preparation, actor=actor)
    try:
        _write(store, delivery, _Run(preparation, delivery))
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


def _write(store: Store, delivery: Delivery, run: _Run) -> None:
    """Write rows, figures and log, all or nothing; or no rows, and the log of what is wrong."""
    try:
        with writing_preparation(store, delivery) as writer:
            lines = run.write(writer)
            if any(line.level is Level.ERROR for line in lines):
                raise _ContentFailedError
            writer.publish(run.published(), lines=[line.as_row() for line in lines])
    except _ContentFailedError:
        rows = [line.as_row() for line in run.lines]
        fail_preparation(store, delivery, figures=run.tally.figures(), lines=rows)


def _line_of(error: ConfigError) -> LogRow:
    kind = type(error).__name__.removesuffix("Error").lower()
    return Level.ERROR.value, f"{kind}_refused", error.problem, error.facts


class _Run:
    """One pass over the audience."""

    def __init__(self, preparation: Preparation, delivery: Delivery) -> None:
        self._preparation = preparation
        self._delivery = delivery
        self._excluder = Excluder(
            opted_out=preparation.opted_out, allowed=preparation.settings.allowed
        )
        self._personaliser = Personaliser(preparation.template, dialect=preparation.dialect)
        self._digest = MessageDigest()
        self.tally = Tally()
        self.lines: list[LogLine] = []

    def write(self, writer: PreparationWriter) -> list[LogLine]:
        """
        Write messages and exclusions of every batch; say what there is to say.

        Stops at the first batch when its columns cannot fill the template.
        """
        for columns in self._preparation.batches:
            self.lines = check_columns(self._preparation.template, columns)
            if self.lines:
                return self.lines
            messages, excluded = self._batch(columns)
            self._digest.add(row[:7] for row in messages)
            writer.write_messages(message_frame(messages))
            writer.write_exclusions(_exclusion_frame(excluded))
            self._preparation.on_progress(
                {"targeted": self.tally.targeted, "to_deliver": self.tally.to_deliver}
            )
        self.lines = check(
            self.tally,
            template=self._preparation.template,
            settings=self._preparation.settings,
            dialect=self._preparation.dialect,
        )
        return self.lines

    def published(self) -> Published:
        """Sum the preparation up."""
        figures = self.tally.figures()
        return Published(
            fingerprint=fingerprint_of(
                template=self._delivery.template,
                settings=self._delivery.settings,
                audience=self._delivery.audience,
                excluded=figures["excluded"],
                messages=self._digest.hexdigest(),
            ),
            targeted=self.tally.targeted,
            excluded=sum(self.tally.excluded.values()),
            to_deliver=self.tally.to_deliver,
            parts=self.tally.parts,
            figures=figures,
        )

    def _batch(self, columns: Columns) -> tuple[list[MessageRow], list[Excluded]]:
        ids = _ids_of(columns["recipient_id"], first_row=self.tally.targeted + 1)
        numbers = to_e164_many(columns["phone"], region=self._region)
        kept, excluded = self._excluder.split(
            first_row=self.tally.targeted + 1, recipient_ids=ids, numbers=numbers
        )
        self.tally.targeted += len(ids)
        chosen = [index for index, one in enumerate(kept) if one is not None]
        rows = {name: [values[index] for index in chosen] for name, values in columns.items()}
        texts = self._personaliser.texts(rows, count=len(chosen))
        messages: list[MessageRow] = []
        for index, text in zip(chosen, texts, strict=True):
            recipient = kept[index]
            assert recipient is not None
            self._settle(recipient, text, messages, excluded)
        for one in excluded:
            self.tally.add_excluded(one)
        return messages, excluded

    def _settle(
        self,
        recipient: Kept,
        text: Text | Missing | Failed,
        messages: list[MessageRow],
        excluded: list[Excluded],
    ) -> None:
        """Turn one rendered row into a message, an exclusion, or a problem to report."""
        settings = self._preparation.template.settings
        if isinstance(text, Missing):
            if settings.missing is MissingPolicy.EXCLUDE:
                excluded.append(_left_out(recipient, Exclusion.MISSING_FIELD, text.field))
            else:
                self.tally.missing[text.field] += 1
        elif isinstance(text, Failed):
            self.tally.failures[text.reason] += 1
        elif text.parts > settings.max_parts:
            excluded.append(_left_out(recipient, Exclusion.TOO_LONG, f"{text.parts} parts"))
        else:
            messages.append(self._message_row(recipient, text))

    def _message_row(self, recipient: Kept, text: Text) -> MessageRow:
        return (
            self.tally.add_message(recipient, text),
            recipient.phone,
            recipient.recipient_id,
            self._preparation.template.settings.sender,
            text.body,
            text.encoding.value,
            text.parts,
            recipient.region,
        )

    @property
    def _region(self) -> str | None:
        return self._preparation.settings.region or self._preparation.template.settings.region


def _ids_of(values: Sequence[Any], *, first_row: int) -> list[str]:
    ids = [str(one) for one in values]
    if "\0" in "".join(ids):
        rows = [row for row, one in enumerate(ids, start=first_row) if "\0" in one]
        raise AudienceError("a recipient_id holds a NUL character", rows=rows[:20])
    return ids


def _left_out(recipient: Kept, reason: Exclusion, detail: str) -> Excluded:
    return Excluded(
        row_number=recipient.row_number,
        recipient_id=recipient.recipient_id,
        phone=recipient.phone,
        reason=reason,
        detail=detail,
    )


def _exclusion_frame(excluded: Sequence[Excluded]) -> pl.DataFrame:
    rows = [
        (one.row_number, one.recipient_id, one.phone, one.reason.value, one.detail)
        for one in excluded
    ]
    schema = {"row_number": pl.Int64, "recipient_id": pl.String, "phone": pl.Int64}
    texts = {"reason": pl.String, "detail": pl.String}
    return pl.DataFrame(rows, schema={**schema, **texts}, orient="row")


def is_begun(delivery: Delivery) -> bool:
    """Whether messages may have left: such a delivery is not prepared again, only looked at."""
    return delivery.state in BEGUN - {DeliveryState.STOPPED}
