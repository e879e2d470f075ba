"""Messages that their author approves: prepared and approved in one act, no review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.gateways.base import Dialect, Feature
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, LogRow
from smsflow_provider.core.store.prepared import (
    MessageRow,
    Published,
    begin_preparation,
    message_frame,
    writing_preparation,
)

#: The most people, and the most texts, that need no review: more is a campaign.
MOST_TEXTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAuthor:
    """What is known of a delivery that its author approves, beside its messages."""

    author: str
    label: str
    gateway: str
    #: JSON values; the approval is about them too.
    settings: dict[str, Any]
    #: JSON values beside the figures that every delivery has.
    figures: dict[str, Any]
    validity_s: int
    dry_run: bool = False
    #: What there is to say in the log. No phone and no text.
    lines: tuple[LogRow, ...] = ()


def prepare_by_author(
    store: Store, delivery_id: str, rows: Sequence[MessageRow], told: ByAuthor
) -> None:
    """
    Prepare *rows* as the messages of a delivery, and approve them in the name of its author.

    Killed on the way it leaves the delivery without an approval; the next call begins anew.

    Raises:
        IllegalMoveError: Messages of the delivery may have left already.
        SupersededError: Somebody else prepares it at this very moment.
    """
    begun = begin_preparation(
        store,
        delivery_id,
        label=told.label,
        gateway=told.gateway,
        dry_run=told.dry_run,
        template={},
        settings={**told.settings, "author": told.author, "opt_out_scopes": []},
        audience={"count": len(rows)},
        validity_s=told.validity_s,
        actor=told.author,
    )
    published = _published(begun, rows, figures=told.figures)
    with writing_preparation(store, begun) as writer:
        writer.write_messages(message_frame(rows))
        writer.publish(published, lines=told.lines)
    decide(
        store,
        delivery_id,
        fingerprint=published.fingerprint,
        decision=Decision.SEND,
        decided_by=told.author,
        via="author",
    )


def _published(
    delivery: Delivery, rows: Sequence[MessageRow], *, figures: dict[str, Any]
) -> Published:
    digest = MessageDigest()
    digest.add(row[:7] for row in rows)
    fingerprint = fingerprint_of(
        template=delivery.template,
        settings=delivery.settings,
        audience=delivery.audience,
        excluded={},
        messages=digest.hexdigest(),
    )
    return Published(
        fingerprint=fingerprint,
        targeted=len(rows),
        excluded=0,
        to_deliver=len(rows),
        parts=sum(row[6] for row in rows),
        figures={**figures, "excluded": {}},
    )


def lacking_features(
    dialect: Dialect, *, encoding: Encoding, parts: int, sender: str
) -> Iterator[Feature]:
    """Tell what a text of these asks for and the gateway does not have, in order."""
    wanted = {
        Feature.ALPHANUMERIC_SENDER: bool(sender.strip("+0123456789")),
        Feature.MULTIPART: parts > 1,
        Feature.UCS2: encoding is Encoding.UCS2,
    }
    for feature, is_wanted in wanted.items():
        if is_wanted and feature not in dialect.features:
            yield feature
