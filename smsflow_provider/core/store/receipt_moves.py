"""What receipts say about messages, and which moves follow: no store, only rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from smsflow_provider.core.model import ReceiptKind
from smsflow_provider.core.store.connection import Row
from smsflow_provider.core.store.counters import chunk_of

_INT4_MAX = 2**31 - 1
_FINAL = frozenset({"delivered", "undelivered"})
#: Last outcomes that a receipt may stand beside; None: the attempt is under way.
_MAY_HAVE_LEFT = frozenset({None, "accepted", "unknown"})
#: Outcomes that are over, and that a receipt contradicts. What waits for another attempt
#: (``not_sent``) belongs to its sender, who looks for a receipt before it sends again.
_CONTRADICTED = frozenset({"unknown", "failed", "cancelled", "expired"})

#: A receipt moves a message only forward in this order.
_RANK = {kind.value: rank for rank, kind in enumerate(ReceiptKind, start=1)}

#: Preparation and position of a message; preparation and number of a chunk.
Key = tuple[int, int]


def key_of(row: Row) -> Key:
    """Name the message of a row."""
    return row["preparation"], row["position"]


def columns_of(keys: Sequence[Key]) -> dict[str, list[int]]:
    """Write *keys* as the two arrays that the statements take."""
    return {
        "preparations": [preparation for preparation, _ in keys],
        "positions": [position for _, position in keys],
    }


def rank_of(row: Row) -> int:
    """Say how much a receipt says: the more, the higher."""
    return _RANK[row["kind"]]


def is_possible(row: Row) -> bool:
    """Whether the position can be that of a message at all."""
    return bool(row["position"] <= _INT4_MAX)


def is_final(row: Row) -> bool:
    """Whether a receipt says what became of the message in the end."""
    return row["kind"] in _FINAL


def is_forward(row: Row, known: Row) -> bool:
    """Whether a receipt says more than what is known."""
    before = known["receipt"]
    return before is None or rank_of(row) > _RANK[before]


def problem_of(row: Row, known: Row | None) -> str | None:
    """Say why a receipt fits no message of ours. None: it fits."""
    if known is None or known["delivery_no"] != row["delivery_no"]:
        return "no such message"
    if known["archived"]:
        return "its messages were archived"
    if known["marked"] is None:
        return "the message was never handed over"
    if row["only_of"] and row["only_of"] not in (known["gateways"] or ()):
        return "another connection's message"
    if known["outcome"] not in _MAY_HAVE_LEFT and not known["left_earlier"]:
        return "the message was recorded as not taken by the gateway"
    return None


def best_of(rows: Iterable[Row]) -> dict[Key, Row]:
    """Keep, of each message, the receipt that says most; the first of equals."""
    best: dict[Key, Row] = {}
    for row in rows:
        known = best.get(key_of(row))
        if known is None or rank_of(row) > rank_of(known):
            best[key_of(row)] = row
    return best


def count_moves(forward: Iterable[Row], known: Mapping[Key, Row]) -> list[tuple[Key, Counter[str]]]:
    """Sum what moves forward by chunk, in the order in which chunks are locked."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in forward:
        chunk = sums[row["preparation"], chunk_of(row["position"])]
        before = known[key_of(row)]["receipt"]
        if before in _FINAL:
            chunk[before] -= 1
        if row["kind"] in _FINAL:
            chunk[row["kind"]] += 1
    return sorted(sums.items())


def settled_of(keys: Iterable[Key], known: Mapping[Key, Row]) -> list[tuple[int, list[int]]]:
    """Find the chunks, by preparation, with messages whose outcome their receipt contradicts."""
    found: dict[int, set[int]] = defaultdict(set)
    for preparation, position in keys:
        if known[preparation, position]["outcome"] in _CONTRADICTED:
            found[preparation].add(chunk_of(position))
    return [(preparation, sorted(chunks)) for preparation, chunks in sorted(found.items())]
