"""
A plain text to a few named people: no campaign, the same gateways, the same ledger.

It is prepared, approved by its author and sent in one act. Its author is recorded, and its
figures stay out of every campaign's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.content.transliteration import Transliteration, transliterate
from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import BEGUN, DeliveryState
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, Origin, ensure_delivery
from smsflow_provider.core.store.prepared import (
    MessageRow,
    Published,
    begin_preparation,
    writing_preparation,
)

#: The most people a plain text may go to: more is a campaign, and somebody should review it.
MOST_NUMBERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectText:
    """One text for a few people."""

    label: str
    #: E.164 digits, each once, 1 to 100 of them.
    to: tuple[int, ...] = field(repr=False)
    text: str = field(repr=False)
    sender: str = ""
    gateway: str
    transliteration: Transliteration = Transliteration.NONE
    max_parts: int = 5
    validity_s: int = 3600


def check_direct(direct: DirectText) -> None:
    """
    Raise unless *direct* can be sent.

    Raises:
        ConfigError: Lists every problem; no number and no text in it.
    """
    problems = []
    if not direct.to:
        problems.append("to: give at least one number")
    if len(direct.to) > MOST_NUMBERS:
        problems.append(f"to: {len(direct.to)} numbers; more than {MOST_NUMBERS} are a campaign")
    if not direct.text.strip():
        problems.append("text: is empty")
    parts = measure(transliterate(direct.text, direct.transliteration)).parts
    if parts > direct.max_parts:
        problems.append(f"text: has {parts} parts, more than {direct.max_parts}")
    if problems:
        raise ConfigError("the text cannot be sent", problems=problems)


async def send_direct(
    store: Store,
    direct: DirectText,
    *,
    origin: Origin,
    author: str,
    dialect: Dialect,
    sender: Sender,
) -> dict[str, Any]:
    """
    Send *direct* once to each number, even if the task is tried again.

    The delivery belongs to *origin*: a second call for the same task of the same run goes on
    where the first stopped, and does not take a changed text.

    Returns:
        The report.

    Raises:
        ConfigError: See ``check_direct``.
    """
    check_direct(direct)
    delivery = ensure_delivery(
        store,
        delivery_id_of(origin),
        kind=DeliveryKind.DIRECT,
        label=direct.label,
        origin=origin,
        actor=author,
    )
    if delivery.state not in BEGUN | {DeliveryState.APPROVED}:
        _prepare(store, delivery, direct, author=author, dialect=dialect)
    return await send(store, delivery.id, sender)


def _prepare(
    store: Store, delivery: Delivery, direct: DirectText, *, author: str, dialect: Dialect
) -> None:
    begun = begin_preparation(
        store,
        delivery.id,
        label=direct.label,
        gateway=direct.gateway,
        dry_run=False,
        template={},
        settings={"sender": direct.sender, "author": author, "opt_out_scopes": []},
        audience={"count": len(direct.to)},
        validity_s=direct.validity_s,
        actor=author,
    )
    rows = _rows_of(direct, dialect)
    digest = MessageDigest()
    digest.add(row[:7] for row in rows)
    fingerprint = fingerprint_of(
        template=begun.template,
        settings=begun.settings,
        audience=begun.audience,
        excluded={},
        messages=digest.hexdigest(),
    )
    with writing_preparation(store, begun) as writer:
        writer.write_messages(rows)
        writer.publish(
            Published(
                fingerprint=fingerprint,
                targeted=len(rows),
                excluded=0,
                to_deliver=len(rows),
                parts=sum(row[6] for row in rows),
                figures={"excluded": {}},
            )
        )
    decide(
        store,
        delivery.id,
        fingerprint=fingerprint,
        decision=Decision.SEND,
        decided_by=author,
        via="author",
    )


def _rows_of(direct: DirectText, dialect: Dialect) -> list[MessageRow]:
    body = transliterate(direct.text, direct.transliteration)
    encoding = measure(body).encoding
    parts = measure(body, split=dialect.splitting[encoding].value).parts
    return [
        (position, phone, str(position), direct.sender, body, encoding.value, parts, "")
        for position, phone in enumerate(direct.to, start=1)
    ]
