"""Who must get no text any more, asked just before the messages leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from smsflow_provider.core.store.appending import array_of
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.erased import erased_of
from smsflow_provider.core.store.ledger_rows import Taken
from smsflow_provider.core.store.scopes import sender_scope
from smsflow_provider.core.store.statements import statements

#: What stands for the number of an erased person where a number must stand: nobody can have it.
NOBODY: Final = 10**15 - 1


def suppressed(
    connection: Connection,
    messages: Sequence[Taken],
    *,
    scopes: Sequence[str],
    with_quarantine: bool = True,
) -> dict[int, str]:
    """
    Find the messages whose recipients opted out, were quarantined or were erased by now.

    Args:
        scopes: Opt-out lists that hold for the whole delivery; that of each sender is asked too.
            Empty: none, nor those of senders.
        with_quarantine: False for texts whose numbers a person named.

    Returns:
        ``opted_out`` (who was erased, too) or ``quarantined``, by position.
    """
    by_sender: dict[str, list[Taken]] = defaultdict(list)
    for one in messages:
        by_sender[one.sender].append(one)
    found: dict[int, str] = {}
    for sender, own in by_sender.items():
        lists = [*scopes, sender_scope(sender)] if scopes and sender.strip() else [*scopes]
        reasons = _reasons(connection, [one.phone for one in own], lists)
        for one in own:
            reason = "opted_out" if one.phone == NOBODY else reasons.get(one.phone)
            if reason is not None and (with_quarantine or reason != "quarantined"):
                found[one.position] = reason
    return found


def _reasons(
    connection: Connection, phones: Sequence[int], scopes: Sequence[str]
) -> dict[int, str]:
    rows = connection.execute(
        statements("ledger")["suppressed"], {"phones": array_of(phones), "scopes": list(scopes)}
    ).fetchall()
    found = {row["phone"]: row["reason"] for row in rows}
    if found.pop(0, None):
        found |= dict.fromkeys(erased_of(connection, phones), "opted_out")
    return found
