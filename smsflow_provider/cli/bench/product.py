"""
One preparation, measured in a process of its own: ``python -m smsflow_provider.cli.bench.product``.

Reads what to prepare from standard input and writes what it measured to standard output, both as
JSON. Standard input, for the connection string holds a password.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from smsflow_provider.cli.bench.people import TEMPLATE
from smsflow_provider.core.audience.layout import ID
from smsflow_provider.core.audience.read import AudienceFile
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.preparation.prepare import Preparation, prepare
from smsflow_provider.core.preparation.rows import AudienceRows
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import ensure_delivery


class Steps:
    """Seconds of each step, from its begin to that of the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name = ""
        self._began_s = time.perf_counter()

    def begin(self, name: str) -> None:
        """Begin a step; the one under way ends. The same step again goes on."""
        if name == self._name:
            return
        now_s = time.perf_counter()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now_s - self._began_s
        self._name, self._began_s = name, now_s

    def end(self) -> None:
        """End the last step."""
        self.begin("")


class TimedRows:
    """An audience that says when its second reading begins: that of the texts."""

    def __init__(self, rows: AudienceRows, steps: Steps) -> None:
        self._rows = rows
        self._steps = steps
        self.count = rows.count

    def schema(self) -> Mapping[str, pl.DataType]:
        """Give names and types of the columns."""
        return self._rows.schema()

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Hand out the rows."""
        if columns is not None and list(columns) != [ID]:
            self._steps.begin("texts")
        return self._rows.frames(columns)


def measure(store: Store, audience: AudienceReference, *, delivery_id: str) -> dict[str, Any]:
    """
    Prepare *audience* as the delivery *delivery_id*.

    Returns:
        ``seconds``, ``steps``, and the counts of the delivery.
    """
    ensure_delivery(
        store,
        delivery_id,
        kind=DeliveryKind.CAMPAIGN,
        label="Bench",
        origin=Origin(dag_id="bench", run_id="bench", task_id="sms"),
        actor="bench",
    )
    steps = Steps()
    rows = TimedRows(AudienceFile(reference=audience, open_file=_open_local), steps)
    preparation = _preparation(rows, audience, lambda told: steps.begin(told["step"]))
    began_s = time.perf_counter()
    steps.begin("numbers")
    delivery = prepare(store, delivery_id, preparation, actor="bench")
    steps.end()
    seconds = time.perf_counter() - began_s
    if delivery.state is not DeliveryState.READY:
        raise SystemExit(f"the preparation is {delivery.state.value}, not ready")
    return {
        "seconds": seconds,
        "steps": steps.seconds,
        "preparation": delivery.preparation,
        "targeted": delivery.targeted,
        "excluded": delivery.excluded,
        "to_deliver": delivery.to_deliver,
    }


def _preparation(
    rows: AudienceRows, audience: AudienceReference, on_progress: Callable[[dict[str, Any]], None]
) -> Preparation:
    return Preparation(
        template=read_template(TEMPLATE, name="bench"),
        settings=PreparationSettings(label="Bench", gateway="bench", has_public_url=True),
        dialect=SimulatorDialect(SimulatorSettings(base_url="http://127.0.0.1")),
        audience=audience.as_dict(),
        rows=rows,
        on_progress=on_progress,
    )


def _open_local(uri: str) -> BinaryIO:
    return Path(uri.removeprefix("file://")).open("rb")


def main() -> None:
    """Measure what standard input says."""
    told = json.load(sys.stdin)
    audience = AudienceReference.from_dict(told["audience"])
    json.dump(measure(Store(told["dsn"]), audience, delivery_id=told["delivery"]), sys.stdout)


if __name__ == "__main__":
    main()
