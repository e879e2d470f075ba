"""Which prepared messages stand in for all: the longest, the dearest, one of each kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements
from smsflow_provider.core.store.suppressed import NOBODY


class Pick(StrEnum):
    """A message worth looking at, or one of each kind."""

    LONGEST = "longest"
    SHORTEST = "shortest"
    DEAREST = "dearest"
    EACH_ENCODING = "each_encoding"
    EACH_LANGUAGE = "each_language"
    EACH_PARTS = "each_parts"


#: Where the figures of a preparation keep what a pick stands for.
_KEPT = {
    Pick.LONGEST: "longest",
    Pick.SHORTEST: "shortest",
    Pick.DEAREST: "dearest",
    Pick.EACH_ENCODING: "encodings",
    Pick.EACH_LANGUAGE: "languages",
    Pick.EACH_PARTS: "parts",
}


def names_of_samples(delivery: Delivery) -> dict[int, list[str]]:
    """
    Tell by which picks each sample of a prepared delivery was chosen.

    Returns:
        By position, in the order in which they are best looked at: the first messages without a
        name, then ``longest``, ``shortest``, ``dearest``, ``gsm7`` and the like for an encoding,
        a language, ``2 parts`` for a number of parts.
    """
    names: dict[int, list[str]] = {}
    for position, name in _named(delivery.figures.get("samples") or {}):
        known = names.setdefault(position, [])
        if name and name not in known:
            known.append(name)
    return names


def _named(samples: Any) -> Iterator[tuple[int, str]]:
    if not isinstance(samples, Mapping):  # as an earlier version kept them
        yield from ((int(position), "") for position in samples)
        return
    yield from ((int(position), "") for position in samples.get("first") or ())
    for pick in Pick:
        for label, position in _places(samples, pick):
            yield position, _name_of(pick, label)


def _name_of(pick: Pick, label: str) -> str:
    if pick is Pick.EACH_PARTS:
        return "1 part" if label == "1" else f"{label} parts"
    return label


def _places(samples: Mapping[str, Any], pick: Pick) -> Iterator[tuple[str, int]]:
    kept = samples.get(_KEPT[pick])
    if isinstance(kept, Mapping):
        yield from ((str(label), int(position)) for label, position in kept.items())
    elif kept:
        yield pick.value, int(kept)


def positions_of_picks(delivery: Delivery, picks: Iterable[Pick]) -> list[int]:
    """
    Tell where the messages stand that *picks* mean, each once, in their order.

    A preparation of an earlier version kept its samples without saying what for: then it is all of
    them, whatever is picked.
    """
    samples = delivery.figures.get("samples") or {}
    if not isinstance(samples, Mapping):
        return [int(position) for position in samples]
    found = [position for pick in picks for _, position in _places(samples, pick)]
    return list(dict.fromkeys(found))


def positions_of_recipients(
    store: Store, delivery: Delivery, recipients: Sequence[str]
) -> dict[str, list[int]]:
    """
    Find the messages of some recipients by their ids; reads the whole preparation, once.

    Returns:
        Positions by recipient id; an id without a message is not there.
    """
    if not recipients or delivery.fingerprint is None:
        return {}
    values = {"preparation": delivery.preparation, "recipients": list(recipients)}
    found: dict[str, list[int]] = {}
    with store.transaction() as connection:
        for row in connection.execute(statements("deliveries")["positions_of_recipients"], values):
            found.setdefault(str(row["recipient_id"]), []).append(int(row["position"]))
    return found


def phones_at(
    connection: Connection, delivery: Delivery, positions: Sequence[int]
) -> list[tuple[int, int]]:
    """
    Read the numbers of some messages of *delivery* in an open transaction, by place.

    Returns:
        Place and E.164 digits, in the order of places. A place without a message, or whose
        person was erased, is left out.
    """
    rows = connection.execute(
        statements("samples")["phones_at"],
        {"preparation": delivery.preparation, "positions": list(positions)},
    )
    return [(row["position"], row["phone"]) for row in rows if row["phone"] != NOBODY]
