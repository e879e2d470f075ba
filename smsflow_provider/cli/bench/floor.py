"""
What no preparation can do without: reading the people, and writing its rows with their keys.

The rows are those of a preparation, taken from the store beforehand in the very bytes that go
back. They are written as preparation must write them: on the same server, in one transaction, by
COPY, the primary keys behind it.
"""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
from psycopg import sql

from smsflow_provider.core.store.connection import Store

_KEYS = {"messages": "position", "exclusions": "row_number"}
_PIECE_BYTES = 1 << 20


def dump_rows(store: Store, folder: Path, *, preparation: int) -> None:
    """Write the messages and exclusions of *preparation* to files, as COPY takes them."""
    for kind in _KEYS:
        query = sql.SQL(
            "COPY (SELECT * FROM {} WHERE preparation = {}) TO STDOUT (FORMAT binary)"
        ).format(sql.Identifier(f"smsflow_{kind}"), sql.Literal(preparation))
        with (
            store.transaction() as connection,
            (folder / f"{kind}.copy").open("wb") as file,
            connection.cursor().copy(query) as copy,
        ):
            for piece in copy:
                file.write(piece)


def measure_floor(store: Store, folder: Path, *, audience: Path) -> float:
    """
    Read *audience*, and write the rows of ``dump_rows`` to tables that are dropped again.

    Returns:
        Seconds.
    """
    began_s = time.perf_counter()
    pl.read_parquet(audience)
    with store.transaction() as connection:
        for kind, key in _KEYS.items():
            table, like = sql.Identifier(f"floor_{kind}"), sql.Identifier(f"smsflow_{kind}")
            connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(table, like))
            command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table)
            with (
                connection.cursor().copy(command) as copy,
                (folder / f"{kind}.copy").open("rb") as file,
            ):
                while piece := file.read(_PIECE_BYTES):
                    copy.write(piece)
            primary = sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (preparation, {})")
            connection.execute(primary.format(table, sql.Identifier(key)))
    seconds = time.perf_counter() - began_s
    with store.transaction() as connection:
        connection.execute("DROP TABLE floor_messages, floor_exclusions")
    return seconds
