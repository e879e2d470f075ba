"""Proofs in the store: deliveries of their own that show another one, numbered from 1 for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb

from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery, figures_of
from smsflow_provider.core.store.statements import statements

_SQL = "proofs"


def next_proof_no(connection: Connection, shown: Delivery) -> int:
    """Tell the number of the next proof of *shown*, which the caller holds by a lock."""
    row = connection.execute(statements(_SQL)["next_proof_no"], {"proof_of": shown.no}).fetchone()
    return int(row["proof_no"]) if row else 1


def add_proof(
    connection: Connection,
    shown: Delivery,
    *,
    proof_id: str,
    proof_no: int,
    label: str,
    origin: Origin,
    settings: dict[str, Any],
    actor: str,
) -> None:
    """Make proof *proof_no* of *shown*: a draft with its gateway, and dry if it is."""
    connection.execute(
        statements(_SQL)["add_proof"],
        {
            **asdict(origin),
            "id": proof_id,
            "label": label,
            "gateway": shown.gateway,
            "dry_run": shown.dry_run,
            "settings": Jsonb(settings),
            "actor": actor,
            "proof_of": shown.no,
            "proof_no": proof_no,
        },
    )


def find_proof(connection: Connection, proof_id: str) -> Delivery | None:
    """Find a proof by its id, in an open transaction."""
    row = connection.execute(statements(_SQL)["find_proof"], {"id": proof_id}).fetchone()
    return None if row is None else Delivery.from_row(row)


def list_proofs(
    store: Store, shown: Delivery, *, limit: int = 100
) -> list[tuple[Delivery, dict[str, int]]]:
    """List the latest proofs of *shown* with their figures, newest first, *limit* at the most."""
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["list_proofs"], {"proof_of": shown.no, "limit": limit}
        ).fetchall()
    return [(Delivery.from_row(row), figures_of(row)) for row in rows]


def count_listed(
    connection: Connection, phones: Sequence[int], *, scopes: Sequence[str]
) -> tuple[int, int]:
    """Count those of *phones* that are on one of the opt-out lists *scopes*, and in quarantine."""
    row = connection.execute(
        statements(_SQL)["count_listed"], {"phones": list(phones), "scopes": list(scopes)}
    ).fetchone()
    return (int(row["opted_out"]), int(row["quarantined"])) if row else (0, 0)
