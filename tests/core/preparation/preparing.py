"""Preparations for tests: a template, people by the row, and where it all ends up."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.preparation.prepare import Preparation, prepare
from smsflow_provider.core.preparation.rows import AudienceRows
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, ensure_delivery
from smsflow_provider.core.store.opt_outs import add_opt_outs

#: Cuts a long text by code point, as the simulator does.
SIMULATOR = SimulatorDialect(SimulatorSettings(base_url="http://fake"))
#: Cuts UCS-2 by unit, through a surrogate pair if need be.
KANNEL = KannelDialect(KannelSettings(base_url="http://fake"))

#: What a preparation is handed besides its settings.
_PARTS = ("excluded_audiences", "prices", "budgets", "now", "on_progress")

AUDIENCE = {"uri": "memory", "count": 0, "fingerprint": "0" * 64}


class FrameRows:
    """
    A frame in memory as an audience.

    Args:
        frame: Columns ``recipient_id`` and ``phone``, and what the template reads.
        size: Rows handed out at a time, 1 or more.
    """

    def __init__(self, frame: pl.DataFrame, *, size: int = 50_000) -> None:
        self._frame = frame
        self._size = size
        self.count = frame.height

    def schema(self) -> Mapping[str, pl.DataType]:
        """Give names and types of the columns."""
        return dict(self._frame.schema)

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Hand out the rows."""
        chosen = self._frame if columns is None else self._frame.select(columns)
        yield from chosen.iter_slices(self._size)


def make_template(body: str = "Hi {{ name }}", **settings: object) -> Template:
    """
    Make a template as it is read from a file; *settings* are those of its front matter.

    Transactional unless told otherwise: a marketing text would need its opt-out mention.
    """
    settings.setdefault("class", "transactional")
    front = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
    return read_template(f"---\n{front}---\n{body}\n", name="test")


def person(number: int, **changed: object) -> dict[str, Any]:
    """Make the *number*-th recipient: id ``r1``, a French number of its own, a name."""
    return {
        "recipient_id": f"r{number}",
        "phone": f"+336{number:08d}",
        "name": f"Name{number}",
        **changed,
    }


def rows_of(people: Sequence[Mapping[str, Any]], *, size: int = 1000) -> FrameRows:
    """Make an audience of people; without people the columns are there all the same."""
    if not people:
        return FrameRows(pl.DataFrame(schema=dict.fromkeys(person(0), pl.String)), size=size)
    frame = pl.DataFrame(list(people), infer_schema_length=None)
    texts = [name for name, kind in frame.schema.items() if kind == pl.Null]
    return FrameRows(frame.with_columns(pl.col(texts).cast(pl.String)), size=size)


def make_preparation(
    rows: AudienceRows,
    *,
    template: Template | None = None,
    dialect: Dialect = SIMULATOR,
    audience: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Preparation:
    """Make what a preparation works on; *settings* are those of ``PreparationSettings``."""
    parts = {name: settings.pop(name) for name in _PARTS if name in settings}
    told: dict[str, Any] = {"label": "Sale", "gateway": "sms_gateway", "region": "FR"}
    told["has_public_url"] = True
    return Preparation(
        template=template or make_template(),
        settings=PreparationSettings(**(told | settings)),
        dialect=dialect,
        audience=dict(AUDIENCE if audience is None else audience),
        rows=rows,
        **parts,
    )


def make_draft(store: Store, delivery_id: str = "d1") -> Delivery:
    """Make a delivery nobody has prepared yet."""
    return ensure_delivery(
        store,
        delivery_id,
        kind=DeliveryKind.CAMPAIGN,
        label="Sale",
        origin=Origin(dag_id="shop.sale", run_id="r1", task_id="sms"),
        actor="tester",
    )


def run_prepare(
    store: Store,
    people: Sequence[Mapping[str, Any]],
    *,
    size: int = 1000,
    delivery_id: str = "d1",
    opted_out: Collection[int] = (),
    **told: Any,
) -> Delivery:
    """Prepare *people*, in batches of *size*, with what ``make_preparation`` is told."""
    make_draft(store, delivery_id)
    add_opt_outs(store, opted_out)
    preparation = make_preparation(rows_of(people, size=size), **told)
    return prepare(store, delivery_id, preparation, actor="tester")


def messages_of(store: Store, delivery: Delivery) -> list[Row]:
    """Read the prepared messages in order."""
    return _rows(store, "SELECT * FROM smsflow_messages", "position", delivery)


def exclusions_of(store: Store, delivery: Delivery) -> list[Row]:
    """Read who was left out, in the order of the rows."""
    return _rows(store, "SELECT * FROM smsflow_exclusions", "row_number", delivery)


def partitions_of(store: Store) -> list[str]:
    """Name every table that belongs to one preparation, attached or not."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT relname AS name FROM pg_class"
            " WHERE relkind = 'r' AND relname ~ '^smsflow_[a-z]+_p[0-9]+$' ORDER BY relname"
        ).fetchall()
    return [str(row["name"]) for row in rows]


def _rows(store: Store, select: str, order: str, delivery: Delivery) -> list[Row]:
    query = f"{select} WHERE preparation = %s ORDER BY {order}".encode()
    with store.transaction() as connection:
        return connection.execute(query, (delivery.preparation,)).fetchall()
