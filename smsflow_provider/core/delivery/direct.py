"""
A plain text to a few named people: no campaign, the same gateways, the same ledger.

It is prepared, approved by its author and sent in one act. Its author is recorded, and its
figures stay out of every campaign's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from smsflow_provider.core.content.encoding import (
    MAX_PARTS,
    encoding_of,
    measure,
    refused_characters,
)
from smsflow_provider.core.content.front_matter import TemplateSettings
from smsflow_provider.core.content.transliteration import Transliteration, transliterate
from smsflow_provider.core.delivery.by_author import (
    MOST_TEXTS,
    ByAuthor,
    lacking_features,
    prepare_by_author,
)
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.switch import check_may_begin
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.states import BEGUN, DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, ensure_delivery
from smsflow_provider.core.store.prepared import MessageRow


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


def check_direct(direct: DirectText, *, dialect: Dialect) -> None:
    """
    Raise unless *direct* can be sent through *dialect*.

    Raises:
        ConfigError: Lists every problem; no number and no text in it.
    """
    problems = [
        *_problems_of_numbers(direct),
        *_problems_of_text(direct, dialect),
        *_problems_of_sender(direct.sender),
    ]
    if problems:
        raise ConfigError("the text cannot be sent", problems=problems)


def _problems_of_numbers(direct: DirectText) -> Iterator[str]:
    if not direct.to:
        yield "to: give at least one number"
    if len(direct.to) > MOST_TEXTS:
        yield f"to: {len(direct.to)} numbers; more than {MOST_TEXTS} are a campaign"


def _problems_of_text(direct: DirectText, dialect: Dialect) -> Iterator[str]:
    body = transliterate(direct.text, direct.transliteration)
    if not body.strip():
        yield "text: is empty"
    refused = list(dict.fromkeys(code for _, code in refused_characters(body)))
    if refused:
        yield f"text: holds {', '.join(refused[:5])}, which cannot be sent"
    try:
        parts = _parts_of(body, dialect)
    except ValueError:
        parts = MAX_PARTS + 1
    if parts > direct.max_parts:
        more = f"more than {MAX_PARTS}" if parts > MAX_PARTS else str(parts)
        yield f"text: has {more} parts, the most are {direct.max_parts}"
    lacking = list(
        lacking_features(dialect, encoding=encoding_of(body), parts=parts, sender=direct.sender)
    )
    if lacking:
        yield f"gateway: {dialect.name} lacks {', '.join(lacking)}"


def _problems_of_sender(sender: str) -> Iterator[str]:
    """Apply the rule for the senders of templates."""
    try:
        TemplateSettings(sender=sender)
    except ValidationError as error:
        yield from (f"sender: {one['msg']}" for one in error.errors(include_input=False))


def _parts_of(body: str, dialect: Dialect) -> int:
    return measure(body, split=dialect.splitting[encoding_of(body)].value).parts


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
        IllegalMoveError: Everything is switched off.
    """
    check_direct(direct, dialect=dialect)
    delivery = ensure_delivery(
        store,
        delivery_id_of(origin),
        kind=DeliveryKind.DIRECT,
        label=direct.label,
        origin=origin,
        actor=author,
    )
    if delivery.state not in BEGUN | {DeliveryState.APPROVED}:
        check_may_begin(store)
        _prepare(store, delivery, direct, author=author, dialect=dialect)
    return await send(store, delivery.id, sender)


def _prepare(
    store: Store, delivery: Delivery, direct: DirectText, *, author: str, dialect: Dialect
) -> None:
    told = ByAuthor(
        author=author,
        label=direct.label,
        gateway=direct.gateway,
        settings={"sender": direct.sender},
        figures={},
        validity_s=direct.validity_s,
    )
    prepare_by_author(store, delivery.id, _rows_of(direct, dialect), told)


def _rows_of(direct: DirectText, dialect: Dialect) -> list[MessageRow]:
    body = transliterate(direct.text, direct.transliteration)
    encoding, parts = encoding_of(body).value, _parts_of(body, dialect)
    return [
        (position, phone, str(position), direct.sender, body, encoding, parts, "")
        for position, phone in enumerate(direct.to, start=1)
    ]
