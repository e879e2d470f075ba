"""Prepared messages as people look at them: the text, where it is cut, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from smsflow_provider.core.content.encoding import (
    limits_of,
    measure,
    non_gsm_characters,
    part_boundaries,
)
from smsflow_provider.core.content.transliteration import Transliteration, transliterate
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.store.archive import check_kept
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, sample_messages
from smsflow_provider.core.store.samples import (
    Pick,
    names_of_samples,
    positions_of_picks,
    positions_of_recipients,
)

#: Messages shown at once.
MOST_SHOWN = 100

#: How a gateway may have cut a text, the likelier first.
_SPLITS = ("code_point", "grapheme", "unit")


def preview(
    store: Store,
    delivery_id: str,
    *,
    positions: Sequence[int] = (),
    recipients: Sequence[str] = (),
    picks: Sequence[Pick] = (),
) -> dict[str, Any]:
    """
    Show messages of one preparation, as they will be handed over. Phones are masked.

    Args:
        positions: Places in the preparation, from 1.
        recipients: Recipient ids; reads the whole preparation once.
        picks: What stands in for all. Nothing of the three: every sample there is.

    Returns:
        JSON values: ``delivery``, ``fingerprint`` and ``messages``, in the order asked for, 100
        at the most: ``position``, ``recipient_id``, ``to_masked``, ``sender``, ``text``,
        ``encoding``, ``units`` and ``room`` (how many fit in that many parts), ``parts``,
        ``part_starts`` (where each part after the first begins, in characters), ``foreign``
        (``at``, in characters, and ``character``: what GSM 7-bit lacks), ``cheaper``
        (``transliteration`` and ``parts``: what would take fewer), ``language``, ``region``,
        ``picks`` (what it stands for), ``cost`` (an amount as text, None without a price) and
        ``currency``. What is not there is left out; without a complete preparation there is
        nothing.

    Raises:
        NotFoundError: There is no such delivery, or its messages are archived.
    """
    delivery = find_delivery(store, delivery_id)
    check_kept(store, delivery.id, delivery.preparation)
    found = positions_of_recipients(store, delivery, recipients)
    named = [position for one in recipients for position in found.get(one, ())]
    wanted = [*positions, *named, *positions_of_picks(delivery, picks)]
    if not (positions or recipients or picks):
        wanted = list(names_of_samples(delivery))
    return {
        "delivery": delivery.id,
        "fingerprint": delivery.fingerprint,
        "messages": messages_at(store, delivery, wanted),
    }


def messages_at(store: Store, delivery: Delivery, positions: Sequence[int]) -> list[dict[str, Any]]:
    """Show the messages at *positions*, in their order, each once. See ``preview``."""
    wanted = list(dict.fromkeys(positions))[:MOST_SHOWN]
    rows = {row["position"]: row for row in sample_messages(store, delivery, wanted)}
    names = names_of_samples(delivery)
    prices = _prices_of(delivery)
    return [
        {**_shown(rows[one], prices=prices), "picks": names.get(one, [])}
        for one in wanted
        if one in rows
    ]


def _shown(row: Row, *, prices: PriceTable | None) -> dict[str, Any]:
    price = prices.price_of(row["region"], row["sender"]) if prices else None
    return {
        "position": row["position"],
        "recipient_id": row["recipient_id"],
        "to_masked": mask_phone(row["phone"]),
        "sender": row["sender"],
        "text": row["body"],
        "encoding": row["encoding"],
        "units": _units_of(row["body"]),
        "room": _room_of(row["encoding"], parts=row["parts"]),
        "parts": row["parts"],
        "part_starts": _part_starts(row["body"], parts=row["parts"]),
        "foreign": [
            {"at": at, "character": character} for at, character in non_gsm_characters(row["body"])
        ],
        "cheaper": _cheaper(row["body"], parts=row["parts"]),
        "language": row["language"],
        "region": row["region"],
        "cost": None if price is None else str(price * row["parts"]),
        "currency": prices.currency if prices else "",
    }


def _units_of(text: str) -> int | None:
    try:
        return measure(text).units
    except ValueError:  # cut otherwise, it fits: only the count of parts is limited
        return None


def _room_of(encoding: str, *, parts: int) -> int:
    """Units that fit in *parts* parts, with the shorter of the two joining headers."""
    single, joined = limits_of(Encoding(encoding))
    return single if parts == 1 else joined * parts


def _parts_of(text: str) -> int | None:
    """Count parts; None: spelled out in Latin letters, there are more than any text may have."""
    try:
        return measure(text).parts
    except ValueError:
        return None


def _cheaper(text: str, *, parts: int) -> list[dict[str, Any]]:
    """Tell which transliterations would take fewer parts, the one that changes least first."""
    found = []
    for level in (Transliteration.PUNCTUATION, Transliteration.FULL):
        changed = transliterate(text, level)
        if changed == text:
            continue
        fewer = _parts_of(changed)
        if fewer is not None and fewer < parts:
            found.append({"transliteration": level.value, "parts": fewer})
            parts = fewer
    return found


def _part_starts(text: str, *, parts: int) -> list[int]:
    """Cut *text* in the way that gives as many *parts* as were prepared."""
    ways = [
        part_boundaries(text, split=split, reference_bits=bits)
        for bits in (8, 16)
        for split in _SPLITS
    ]
    return next((starts for starts in ways if len(starts) == parts - 1), ways[0])


def _prices_of(delivery: Delivery) -> PriceTable | None:
    """Read the prices that the cost of the preparation was made of. None: it has no cost."""
    cost = delivery.figures.get("cost")
    if not isinstance(cost, Mapping) or cost.get("total") is None or not cost.get("as_of"):
        return None
    return PriceTable(
        currency=cost["currency"],
        as_of=date.fromisoformat(cost["as_of"]),
        prices={
            (one["country"], one["sender"]): Decimal(one["price"]) for one in cost.get("rates", ())
        },
    )
