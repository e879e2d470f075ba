"""What people wrote back: kept whole, and what it does to the lists of opt-outs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.erased import lift_erased
from smsflow_provider.core.store.phones import HIGHEST, LOWEST
from smsflow_provider.core.store.refused_opt_outs import FROM_GATEWAY
from smsflow_provider.core.store.statements import statements

_SQL: Final = "replies"

#: The source of opt-outs that came by a reply.
SOURCE: Final = "reply"
#: What START takes back: these, those of replies that only the gateway saw, and no others.
_TAKEN_BACK: Final = (SOURCE, FROM_GATEWAY)
#: Replies of a page of a list.
PAGE: Final = 500
#: Days for which replies are kept at the least.
LEAST_DAYS: Final = 30

_FILLING = re.compile(r"[\s().\-/]")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReply:
    """One reply as the store has it."""

    no: int
    #: The connection it came in by.
    gateway: str
    #: Who wrote, E.164 without the plus. None: what came is no such number.
    phone: int | None = field(repr=False)
    #: Who wrote, as it came.
    sender: str = field(repr=False)
    #: The number it was written to.
    recipient: str
    body: str = field(repr=False)
    #: The keyword that was found; while it waits, what the gateway took it for. Empty: none.
    keyword: str
    #: ``opt_out``, ``opt_in``, ``help``, ``review``; empty: nothing, or not looked at yet.
    action: str
    received_at: datetime
    #: None: it waits.
    applied_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one reply does to the lists."""

    phone: int = field(repr=False)
    #: The list it puts the number on, or takes it off. None: takes it off every list.
    scope: str | None
    is_opt_out: bool
    keyword: str


def append_replies(
    connection: Connection,
    gateway: str,
    replies: Sequence[Reply],
    received_at: datetime | Sequence[datetime],
) -> int:
    """
    Store *replies* as they came. Durable when the transaction is committed.

    One whose ``gateway_ref`` is known for this gateway is kept once. A sender is read as a
    number only in the international form, with or without ``+`` or ``00``: nobody can tell
    whose a national one is.

    Args:
        gateway: The connection they came in by.
        received_at: When: all at once, or each at its own moment, which decides between a STOP
            and a START of one phone.

    Returns:
        How many were not known before.
    """
    moments = [received_at] * len(replies) if isinstance(received_at, datetime) else received_at
    pairs = sorted(zip(replies, moments, strict=True), key=lambda pair: pair[0].gateway_ref)
    rows = [one for one, _ in pairs]
    values = {
        "gateway": gateway,
        "received_ats": [moment for _, moment in pairs],
        "gateway_refs": [_stored(one.gateway_ref) for one in rows],
        "keywords": [_stored(one.keyword) for one in rows],
        "phones": [phone_of(one.sender) for one in rows],
        "senders": [_stored(one.sender) for one in rows],
        "recipients": [_stored(one.recipient) for one in rows],
        "bodies": [_stored(one.body) for one in rows],
    }
    return connection.execute(statements(_SQL)["append_replies"], values).rowcount


def _stored(text: str) -> str:
    """Replace what a text column cannot hold: NUL, and halves of a character."""
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\x00", "\ufffd")


def phone_of(text: str) -> int | None:
    """
    Read an international number, with or without ``+`` or ``00`` in front.

    Example:
        >>> phone_of("+33 6 12 34 56 78"), phone_of("0033612345678"), phone_of("0612345678")
        (33612345678, 33612345678, None)
    """
    bare = _FILLING.sub("", text.strip()[:40])
    digits = bare.removeprefix("00" if bare.startswith("00") else "+")
    found = _DIGITS.fullmatch(digits) if digits.isascii() else None
    return int(digits) if found and LOWEST <= int(digits) <= HIGHEST else None


def take_waiting(connection: Connection, *, limit: int) -> list[StoredReply]:
    """
    Take the oldest replies that wait, for this transaction alone.

    Returns:
        In the order in which they came; empty when none waits, or when another transaction is
        at it: two at once could turn a STOP and a START round.
    """
    row = connection.execute(statements(_SQL)["try_to_apply"]).fetchone()
    if row is None or not row["is_ours"]:
        return []
    rows = connection.execute(statements(_SQL)["waiting_replies"], {"limit": limit}).fetchall()
    return [_reply_of(row) for row in rows]


def outdated(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Say which of these replies say less than a later one of the same phone that was applied."""
    rows = connection.execute(statements(_SQL)["outdated_replies"], {"numbers": list(numbers)})
    return {row["no"] for row in rows}


def settle(connection: Connection, told: Sequence[tuple[int, str, str]], *, at: datetime) -> None:
    """Record of each reply (by ``no``) its keyword and its action; it waits no more."""
    values = {
        "numbers": [no for no, _, _ in told],
        "keywords": [keyword for _, keyword, _ in told],
        "actions": [action for _, _, action in told],
        "at": at,
    }
    connection.execute(statements(_SQL)["settle_replies"], values)


def take_effect(connection: Connection, effects: Sequence[Effect], *, at: datetime) -> None:
    """
    Bring replies into the lists; each phone at most once in one call.

    A number that is on a list already stays there as it is, and START takes back only what a
    reply brought, to us or to the gateway: an entry made by a person, or imported, has other
    reasons.
    """
    outs = [one for one in effects if one.is_opt_out]
    if outs:
        values = {
            "phones": [one.phone for one in outs],
            "scopes": [one.scope or "" for one in outs],
            "reasons": [f"replied {one.keyword.upper()}" for one in outs],
            "source": SOURCE,
            "at": at,
        }
        connection.execute(statements(_SQL)["opt_out_by_reply"], values)
    ins = [one for one in effects if not one.is_opt_out]
    if ins:
        values = {
            "phones": [one.phone for one in ins],
            "scopes": [one.scope for one in ins],
            "sources": list(_TAKEN_BACK),
        }
        connection.execute(statements(_SQL)["opt_in_by_reply"], values)
        # Who was erased and takes back everything consents anew. Nothing is left of the lists they
        # were on, so a START for one sender cannot lift what holds for all.
        lift_erased(connection, [one.phone for one in ins if not one.scope])


def prune_replies(store: Store, *, days: int, page: int = PAGE) -> int:
    """
    Forget the replies that came more than *days* ago, by the store's clock, and were applied.

    What they did to the lists of opt-outs stays for ever. A reply that waits is kept, however old.

    Args:
        days: 30 or more; 0: nothing is forgotten.
        page: Replies of one transaction, at most.

    Returns:
        How many were forgotten.

    Raises:
        ConfigError: 1 to 29 days: a gateway may deliver a START once more, and only the reply
            itself says that it is known.
    """
    if not days:
        return 0
    if days < LEAST_DAYS:
        raise ConfigError(
            "replies are kept for 30 days at the least: one that a gateway delivers again is known"
            " by them",
            replies_days=days,
        )
    total, values = 0, {"days": days, "limit": page}
    while True:
        with store.transaction() as connection:
            gone = connection.execute(statements(_SQL)["prune_replies"], values).rowcount
        total += gone
        if not gone:
            return total


def count_waiting_replies(store: Store) -> int:
    """Count the replies that nobody has looked at yet."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["count_waiting_replies"]).fetchone()
    return int(row["waiting"]) if row else 0


def iterate_replies(
    store: Store,
    *,
    phone: int | None = None,
    since: datetime | None = None,
    action: str | None = None,
    page: int = PAGE,
) -> Iterator[list[StoredReply]]:
    """
    Hand out replies, the latest first, a page at a time; each page is a transaction of its own.

    Args:
        phone: Those of one number only, E.164 without the plus.
        since: Those that came at this moment or later.
        action: Those of one action; empty: those that say nothing known.
        page: Replies of a page, at most.
    """
    values: dict[str, object] = {"phone": phone, "since": since, "action": action}
    values |= {"limit": page, "before": None}
    while found := _page(store, values):
        yield found
        values["before"] = found[-1].no


def _page(store: Store, values: dict[str, object]) -> list[StoredReply]:
    name = "list_replies" if values["phone"] is None else "list_replies_of_phone"
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)[name], values).fetchall()
    return [_reply_of(row) for row in rows]


def _reply_of(row: Row) -> StoredReply:
    return StoredReply(**row)
