"""People who opted out at the gateway itself: its errors say so, and our lists follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from smsflow_provider.core.store.connection import Connection, Row
from smsflow_provider.core.store.rules import read_published
from smsflow_provider.core.store.scopes import EVERYTHING, sender_scope
from smsflow_provider.core.store.statements import statements

_SQL: Final = "qualified"

#: The source of opt-outs that a gateway told: START takes them back, as those of replies.
FROM_GATEWAY: Final = "gateway"
#: Topic of the published words of replies, and the name of their one document.
KEYWORDS: Final = "keywords"
OWN_KEYWORDS: Final = "own"


def note_opt_outs(connection: Connection, rows: Sequence[Row]) -> None:
    """
    Put those onto the lists to whom a gateway sends no more, for they told it STOP.

    Onto the list that a STOP sent to us would put them on: every delivery, or that of the
    message's sender where ``opt_out_scope`` says so. One who has sent START since stays off it.
    Call it behind what locks chunks and the quarantine. Costs nothing when there are no *rows*.

    Args:
        rows: With ``preparation``, ``position``, ``conn_type``, ``code`` and ``received_at``.
    """
    if not rows:
        return
    by_sender = _is_by_sender(connection)
    entries = [
        (found["phone"], _scope_of(found["sender"], by_sender=by_sender), row)
        for row, found in _messages_of(connection, rows)
    ]
    values: dict[str, Any] = {
        "phones": [phone for phone, _, _ in entries],
        "scopes": [scope for _, scope, _ in entries],
        "reasons": [f"{row['conn_type']} {row['code']}".strip() for _, _, row in entries],
        "ats": [row["received_at"] for _, _, row in entries],
        "source": FROM_GATEWAY,
    }
    connection.execute(statements(_SQL)["opt_out_by_error"], values)


def _messages_of(connection: Connection, rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Find the messages that the rows are about; those whose rows are dropped are left out."""
    wanted: dict[int, dict[int, Row]] = defaultdict(dict)
    for row in rows:
        wanted[row["preparation"]][row["position"]] = row
    return [
        (of_position[found["position"]], found)
        for preparation, of_position in sorted(wanted.items())
        for found in connection.execute(
            statements(_SQL)["phones_of_messages"],
            {"preparation": preparation, "positions": list(of_position)},
        )
    ]


def _is_by_sender(connection: Connection) -> bool:
    document = read_published(connection, KEYWORDS).get(OWN_KEYWORDS)
    return isinstance(document, dict) and document.get("opt_out_scope") == "sender"


def _scope_of(sender: str, *, by_sender: bool) -> str:
    return sender_scope(sender) if by_sender and sender.strip() else EVERYTHING
