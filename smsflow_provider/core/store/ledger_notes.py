"""What outcomes say beyond themselves: dead numbers, and the gateway's own ids."""

from __future__ import annotations

from collections.abc import Sequence

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.ledger_rows import Route, Settled
from smsflow_provider.core.store.qualified import note_failed
from smsflow_provider.core.store.references import add_references


def note_settled(
    connection: Connection, preparation: int, routes: Sequence[Route], settled: Sequence[Settled]
) -> None:
    """
    Keep what *settled* say of numbers, and the references that receipts will name.

    Called behind the changes of the chunks: receipts lock in that order too.

    Args:
        routes: The delivery's gateways, its own first. None: nothing is kept.
    """
    refused = [one for one in settled if one.kind is OutcomeKind.FAILED and routes]
    note_failed(
        connection,
        preparation,
        [
            {
                "position": one.position,
                "code": one.code,
                "conn_type": routes[one.route].conn_type,
            }
            for one in refused
        ],
    )
    for number, route in enumerate(routes):
        if route.reports_by_ref:
            own = [one for one in settled if one.route == number and one.gateway_ref]
            rows = [(one.gateway_ref, preparation, one.position) for one in own]
            add_references(connection, route.conn_id, rows)
