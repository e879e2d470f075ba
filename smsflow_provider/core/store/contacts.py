"""How many texts numbers have had and are about to get: what pressure rules ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import polars as pl

from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.phones import unpacked
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.statements import statements

_SQL: Final = "contacts"

#: Weight of a delivery that says none.
DEFAULT_WEIGHT: Final = 5

# Nearly every row of large tables is wanted: partitions are joined one by one as wholes. Fresh
# ones have no statistics yet, and would be looked up row by row.
_AS_WHOLES: Final = (
    "SET LOCAL work_mem = '64MB'; SET LOCAL enable_partitionwise_join = on;"
    " SET LOCAL enable_nestloop = off"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preparations:
    """Numbers of preparations, by what counts of them."""

    #: Texts that were handed over.
    begun: list[int]
    #: All texts: nothing of these has been handed over.
    waiting: list[int]
    #: Texts that were not handed over yet.
    going: list[int]


def contacts_of(
    store: Store,
    *,
    since: datetime,
    weight: int,
    delivery_no: int,
    classes: Collection[MessageClass] = (),
    least: int = 1,
) -> pl.DataFrame:
    """
    Count the texts of campaigns by number: had since a moment, and planned.

    Had are those handed over since then, unless the gateway refused them for certain; what nobody
    knows counts, and so does what a receipt proves. A text that was handed over twice because
    nobody knew counts twice. Planned are those that wait in deliveries which are ready, approved,
    sending or paused and weigh at least *weight*: at equal weight the delivery that was prepared
    earlier goes first. Dry runs, proofs, direct texts and the delivery itself never count.

    Reads every message of the preparations that count once: about 0.7 s for a million texts.
    Preparations that ended before *since*, and those dropped by retention, are not read.

    Args:
        since: Begin of the window, aware.
        weight: Weight of the delivery that is prepared.
        delivery_no: That delivery.
        classes: Only deliveries of templates of these classes. Empty: all.
        least: Numbers with fewer texts are left out of the result.

    Returns:
        phone UInt64, each once, and count Int32, at least *least*; in no order.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    asked = {
        "since": since,
        "weight": weight,
        "default_weight": DEFAULT_WEIGHT,
        "delivery_no": delivery_no,
        "classes": [one.value for one in classes],
        "default_class": MessageClass.MARKETING.value,
    }
    with store.transaction() as connection:
        found = _preparations(connection, asked)
        if not (found.begun or found.waiting or found.going):
            return _counted([], [])
        connection.execute(_AS_WHOLES)
        values = {
            "since": since,
            "least": least,
            "size": CHUNK_SIZE,
            "begun": found.begun,
            "waiting": found.waiting,
            "going": found.going,
        }
        return _read(connection, values)


def _preparations(connection: Connection, asked: dict[str, Any]) -> _Preparations:
    rows = connection.execute(statements(_SQL)["contact_preparations"], asked).fetchall()
    return _Preparations(
        begun=[row["preparation"] for row in rows if row["is_begun"]],
        waiting=[row["preparation"] for row in rows if row["is_planned"] and not row["is_begun"]],
        going=[row["preparation"] for row in rows if row["is_planned"] and row["is_begun"]],
    )


def _read(connection: Connection, values: dict[str, Any]) -> pl.DataFrame:
    phones: list[np.ndarray[Any, Any]] = []
    counts: list[np.ndarray[Any, Any]] = []
    with connection.cursor(binary=True) as cursor:
        for piece in cursor.stream(statements(_SQL)["packed_contacts"], values, binary=True):
            phones.append(unpacked(piece["phones"]).astype(np.uint64))
            counts.append(unpacked(piece["counts"], width=4).astype(np.int32))
    return _counted(phones, counts)


def _counted(
    phones: list[np.ndarray[Any, Any]], counts: list[np.ndarray[Any, Any]]
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "phone": pl.Series(np.concatenate([np.empty(0, dtype=np.uint64), *phones])),
            "count": pl.Series(np.concatenate([np.empty(0, dtype=np.int32), *counts])),
        }
    )
