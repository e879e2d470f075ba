"""The circuit of each gateway connection in the store, shared by all workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.deliveries import Delivery, write_log
from smsflow_provider.core.store.statements import statements

_SQL: Final = "circuits"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitRow:
    """How a circuit stands."""

    is_open: bool = False
    #: How often it opened in a row.
    failures: int = 0
    #: What the gateway did last.
    code: str = ""
    #: Seconds until somebody may try a message; 0 or less: now.
    left_s: float = 0.0
    #: When it opened, or closed. None: it never opened.
    changed_at: datetime | None = None


def read_circuit(connection: Connection, gateway: str) -> CircuitRow:
    """Read how the circuit of the connection *gateway* stands; one that never opened is closed."""
    row = connection.execute(statements(_SQL)["read_circuit"], {"gateway": gateway}).fetchone()
    return CircuitRow(**row) if row else CircuitRow()


def open_circuit(
    connection: Connection, gateway: str, *, period_s: float, code: str, is_probe: bool
) -> None:
    """Open the circuit for *period_s*; one that is open already only after a probe that failed."""
    connection.execute(
        statements(_SQL)["open_circuit"],
        {"gateway": gateway, "period_s": period_s, "code": code, "is_probe": is_probe},
    )


def close_circuit(connection: Connection, gateway: str) -> None:
    """Close the circuit."""
    connection.execute(statements(_SQL)["close_circuit"], {"gateway": gateway})


def take_probe(connection: Connection, gateway: str, *, probe_s: float) -> bool:
    """
    Take the right to try one message, for *probe_s*.

    Returns:
        False: somebody else has it, or the time has not come, or the circuit is closed.
    """
    row = connection.execute(
        statements(_SQL)["take_probe"], {"gateway": gateway, "probe_s": probe_s}
    ).fetchone()
    return row is not None


def tell_circuit(
    connection: Connection, delivery: Delivery, gateway: str, found: CircuitRow
) -> None:
    """Say in the log of *delivery* that the circuit opened or closed, once for all its workers."""
    event = LogEvent.CIRCUIT_OPENED if found.is_open else LogEvent.CIRCUIT_CLOSED
    at = found.changed_at.isoformat() if found.changed_at else ""
    about = {"delivery_no": delivery.no, "event": event.value, "gateway": gateway, "at": at}
    connection.execute(statements(_SQL)["lock_circuit_line"], about)
    if connection.execute(statements(_SQL)["circuit_told"], about).fetchone() is not None:
        return
    opened = {"code": found.code} if found.is_open else {}
    write_log(
        connection,
        delivery,
        level="warning" if found.is_open else "info",
        event=event,
        problem=f"The gateway {gateway} does not answer: only one message is tried now and then"
        if found.is_open
        else f"The gateway {gateway} answers again",
        facts={"gateway": gateway, "at": at, **opened},
    )
