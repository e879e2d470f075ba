"""Whose the gateway's own id is that a look-up found by likeness: one id is never two messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

_SQL: Final = "doubts"
#: Deliveries sent side by side whose ids are compared. With more, nothing found is believed.
_MOST_BESIDE: Final = 200


class Found(Protocol):
    """A message and the gateway's id that was found for it."""

    @property
    def position(self) -> int:
        """Of the message."""
        ...

    @property
    def gateway_ref(self) -> str:
        """Empty: none."""
        ...


def ids_of_others(connection: Connection, delivery: Delivery, found: Sequence[Found]) -> set[str]:
    """
    Say which ids of *found* are, or may be, those of other messages of ours.

    A gateway that carries no reference of ours shows what it took by number, text and time, and
    two messages may be alike. Holds the ids until the transaction ends, so that two look-ups at
    once never give one id to two messages. Call it before anything else is locked: it reads all
    outcomes of the deliveries that were sent beside this one.

    Returns:
        Ids that another message has, that two of *found* share, or that cannot be judged.
    """
    refs = Counter(one.gateway_ref for one in found if one.gateway_ref)
    if not refs:
        return set()
    sqls = statements(_SQL)
    connection.execute(sqls["lock_refs"], {"refs": list(refs)})
    rows = connection.execute(
        sqls["preparations_beside"], {"delivery_no": delivery.no, "limit": _MOST_BESIDE + 1}
    ).fetchall()
    if len(rows) > _MOST_BESIDE:
        return set(refs)
    values = {"preparations": [row["preparation"] for row in rows], "refs": list(refs)}
    # Planned anew each time, so that other preparations are neither read nor locked.
    known = connection.execute(sqls["recorded_refs"], values, prepare=False).fetchall()
    own = {(one.gateway_ref, delivery.preparation, one.position) for one in found}
    taken = {row["gateway_ref"] for row in known if tuple(row.values()) not in own}
    return taken | {ref for ref, count in refs.items() if count > 1}
