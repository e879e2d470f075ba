"""The switch that silences everything: one row that every sender reads with each tick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.states import PauseReason
from smsflow_provider.core.store.connection import Connection, Row
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements
from smsflow_provider.core.store.waves import hold_delivery

_SQL: Final = "switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """How the switch stands."""

    #: Nothing may be handed over by anybody.
    is_off: bool
    #: What the person who turned it last said, at most 500 characters; may be empty.
    reason: str = ""
    #: Who turned it last; empty if nobody ever did.
    by: str = ""
    #: When; None on a schema that has no switch.
    at: datetime | None = None


#: What holds where the schema of the former version has no switch.
_NONE: Final = Switch(is_off=False)


def read_switch(connection: Connection) -> Switch:
    """Read how the switch stands now; it may be turned the moment after."""
    return _read(connection, "read_switch")


def hold_switch(connection: Connection) -> Switch:
    """
    Read the switch and keep it as it is until the transaction ends.

    For whatever lets messages leave: beginning, resuming, sending again. Call it before you lock
    the delivery: whoever switches off takes the switch first and the deliveries then.
    """
    return _read(connection, "hold_switch")


def take_switch(connection: Connection) -> Switch:
    """Read the switch to turn it: waits for everybody who holds it, and keeps others away."""
    return _read(connection, "take_switch")


def turn_switch(connection: Connection, *, is_off: bool, reason: str, actor: str) -> Switch:
    """Turn the switch, after ``take_switch``."""
    row = connection.execute(
        statements(_SQL)["turn_switch"], {"is_off": is_off, "reason": reason, "actor": actor}
    ).fetchone()
    assert row is not None, "the migration writes the row"
    return _of(row)


def lock_sending(connection: Connection) -> list[Delivery]:
    """Lock every delivery that is being sent, proofs and direct texts too, in order."""
    rows = connection.execute(statements(_SQL)["lock_sending"]).fetchall()
    return [Delivery.from_row(row) for row in rows]


def pause_by_switch(
    connection: Connection, delivery: Delivery, switch: Switch, *, actor: str
) -> None:
    """Pause *delivery*, which the caller has locked and found sending: everything is off."""
    hold_delivery(
        connection,
        delivery,
        reason=PauseReason.SWITCH,
        actor=actor,
        event=LogEvent.SWITCHED_OFF,
        problem="Everything is switched off: the delivery is held",
        facts={"switched_by": switch.by, "reason": switch.reason},
    )


def is_off(connection: Connection) -> bool:
    """Whether everything is switched off."""
    return read_switch(connection).is_off


def _read(connection: Connection, name: str) -> Switch:
    # Asked first: a savepoint to try in would be a whole transaction where none has begun.
    found = connection.execute(statements(_SQL)["has_switch"]).fetchone()
    if found is None or not found["has_switch"]:
        return _NONE
    row = connection.execute(statements(_SQL)[name]).fetchone()
    return _of(row) if row else _NONE


def _of(row: Row) -> Switch:
    return Switch(
        is_off=row["is_off"],
        reason=row["reason"],
        by=row["switched_by"],
        at=row["switched_at"] if row["switched_by"] else None,
    )
