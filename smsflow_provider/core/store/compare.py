"""Two preparations side by side, number by number; reads them whole, so not for a loop."""

from __future__ import annotations

from dataclasses import dataclass

from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.statements import statements

_SQL = "compare"
#: Partitions that were filled a moment ago have no statistics: the planner would take them for
#: small and join row by row, for minutes. And room for the hash of a million numbers.
_PLAN = ("SET LOCAL enable_nestloop = off", "SET LOCAL jit = off", "SET LOCAL work_mem = '64MB'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """People who get a message in one preparation and none in the other."""

    #: The reason they have there, or ``not_targeted``; most people first.
    reasons: dict[str, int]
    #: The first of them: position, phone, recipient_id, reason.
    rows: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the messages of two preparations differ. Rows hold phones and texts: mask them."""

    #: ``came``, ``gone``, ``stayed``; of those who stayed ``text``, ``sender``, ``parts``,
    #: ``encoding``, and ``changed`` for any of these.
    counts: dict[str, int]
    came: Missing
    gone: Missing
    changed: list[Row]


def previous_delivery(store: Store, delivery: Delivery) -> Delivery | None:
    """
    Find the delivery of the former run: same DAG, task and map index, made before this one.

    Deliveries without a complete preparation are passed over.

    Returns:
        None: it is the first, or it was not made by a DAG.
    """
    origin = delivery.origin
    with store.transaction() as connection:
        row = connection.execute(
            statements(_SQL)["previous_delivery"],
            {
                "dag_id": origin.dag_id,
                "task_id": origin.task_id,
                "map_index": origin.map_index,
                "created_at": delivery.created_at,
                "no": delivery.no,
            },
        ).fetchone()
    return None if row is None else find_delivery(store, str(row["id"]))


def compare_rows(
    store: Store, before: Delivery, after: Delivery, *, limit: int
) -> Changes | list[str]:
    """
    Compare the messages of the current preparations of two deliveries.

    People are told apart by their number. All is read in one snapshot.

    Args:
        limit: At most so many samples of each kind, 0 or more.

    Returns:
        The ids of deliveries whose rows are gone, if there are such: dropped when they were kept
        long enough.
    """
    values = {"before": before.preparation, "after": after.preparation, "limit": limit}
    with store.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        gone = _without_rows(connection, [before, after])
        if gone:
            return gone
        for setting in _PLAN:
            connection.execute(setting.encode())
        return _changes(connection, values)


def _without_rows(connection: Connection, deliveries: list[Delivery]) -> list[str]:
    rows = connection.execute(
        statements(_SQL)["kept_preparations"],
        {"preparations": [one.preparation for one in deliveries]},
    ).fetchall()
    kept = {row["no"] for row in rows}
    return [one.id for one in deliveries if one.preparation not in kept]


def _changes(connection: Connection, values: dict[str, int]) -> Changes:
    sqls = statements(_SQL)
    counts = connection.execute(sqls["count_changes"], values).fetchone() or {}
    came = {"one": values["after"], "other": values["before"], "limit": values["limit"]}
    gone = {"one": values["before"], "other": values["after"], "limit": values["limit"]}
    changed = values["limit"] and counts["changed"]
    return Changes(
        counts={name: int(count) for name, count in counts.items()},
        came=_missing(connection, came) if counts["came"] else Missing(reasons={}, rows=[]),
        gone=_missing(connection, gone) if counts["gone"] else Missing(reasons={}, rows=[]),
        changed=connection.execute(sqls["sample_changed"], values).fetchall() if changed else [],
    )


def _missing(connection: Connection, values: dict[str, int]) -> Missing:
    rows = connection.execute(statements(_SQL)["missing_people"], values).fetchall()
    return Missing(
        reasons={row["reason"]: row["recipients"] for row in rows if row["position"] is None},
        rows=[row for row in rows if row["position"] is not None],
    )
