"""Which workflows deliver by which templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.statements import statements

#: Deliveries that are looked at, the newest ones.
_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """A DAG and its newest delivery by one template."""

    template: str
    dag_id: str
    delivery_id: str
    at: datetime


def recent_uses(store: Store, *, limit: int = _LOOKED_AT) -> list[TemplateUse]:
    """Tell which DAGs used which templates in the newest *limit* deliveries, by template."""
    sql = statements("template_uses")["template_uses"]
    with store.transaction() as connection:
        rows = connection.execute(sql, {"limit": limit}).fetchall()
    return [
        TemplateUse(
            template=row["template"],
            dag_id=row["dag_id"],
            delivery_id=row["id"],
            at=row["created_at"],
        )
        for row in rows
    ]
