"""Measure preparation, its reference and its floor, on a server of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from smsflow_provider.cli.bench.floor import dump_rows, measure_floor
from smsflow_provider.cli.bench.made import made_database
from smsflow_provider.cli.bench.people import TEMPLATE, People, make_people
from smsflow_provider.cli.bench.reference import Measured, prepare_row_by_row
from smsflow_provider.cli.bench.result import PrepareResult
from smsflow_provider.cli.bench.watch import run_measured
from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import migrate
from smsflow_provider.core.store.opt_outs import add_opt_outs

_PRODUCT = "smsflow_provider.cli.bench.product"
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure."""

    rows: int
    #: Rows of the reference, which is slow.
    sample_rows: int
    #: Times the product and the floor are measured, in turns; medians count.
    rounds: int
    seed: int
    #: Measure the product alone, for its memory.
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    store: Store
    dsn: str = field(repr=False)
    folder: Path
    people: People
    say: Callable[[str], None]


def measure_prepare(plan: Plan, *, say: Callable[[str], None]) -> PrepareResult:
    """
    Measure on a PostgreSQL server that is made for it, syncs to disk, and is deleted again.

    Args:
        plan: What to measure.
        say: Told what happens now, as a sentence.
    """
    with made_database() as (folder, dsn):
        return _measure(plan, dsn=dsn, folder=folder, say=say)


def _measure(plan: Plan, *, dsn: str, folder: Path, say: Callable[[str], None]) -> PrepareResult:
    store = Store(dsn)
    migrate(store)
    say(f"making {plan.rows:,} people")
    sample = min(plan.sample_rows, plan.rows)
    people = make_people(folder, rows=plan.rows, sample_rows=sample, seed=plan.seed)
    add_opt_outs(store, people.opted_out, source="bench")
    bench = _Bench(store=store, dsn=dsn, folder=folder, people=people, say=say)
    reference = None if plan.is_alone else _reference(bench)
    products, floors, peaks = [], [], []
    for number in range(1, plan.rounds + 1):
        say(f"preparing, round {number} of {plan.rounds}")
        product, peak = _product(bench, number)
        products.append(product)
        peaks.append(peak)
        if not plan.is_alone:
            say("reading and bare COPY")
            floors.append(_floor(bench, product["preparation"]))
    return _result(plan, products, reference=reference, floors=floors, peak=max(peaks))


def _reference(bench: _Bench) -> Measured:
    bench.say(f"preparing {bench.people.sample_rows:,} of them row by row")
    _settle(bench.store)
    template = read_template(TEMPLATE, name="bench")
    return prepare_row_by_row(bench.people.sample, dsn=bench.dsn, body=template.body, region="FR")


def _product(bench: _Bench, number: int) -> tuple[dict[str, Any], int]:
    _settle(bench.store)
    told = {
        "dsn": bench.dsn,
        "audience": bench.people.audience.as_dict(),
        "delivery": f"bench-{number}",
    }
    return run_measured(_PRODUCT, told)


def _floor(bench: _Bench, preparation: int) -> float:
    dump_rows(bench.store, bench.folder, preparation=preparation)
    _settle(bench.store)
    audience = Path(bench.people.audience.uri.removeprefix("file://"))
    return measure_floor(bench.store, bench.folder, audience=audience)


def _settle(store: Store) -> None:
    """Write out what came before, so that nobody pays for it later."""
    with store.transaction() as connection:
        connection.execute("CHECKPOINT")


def _result(
    plan: Plan,
    products: Sequence[Mapping[str, Any]],
    *,
    reference: Measured | None,
    floors: Sequence[float],
    peak: int,
) -> PrepareResult:
    typical = sorted(products, key=lambda one: float(one["seconds"]))[len(products) // 2]
    return PrepareResult(
        rows=plan.rows,
        seconds=median(float(one["seconds"]) for one in products),
        reference_s=None if reference is None else reference.scaled_s(plan.rows),
        reference_rows=0 if reference is None else reference.rows,
        floor_s=median(floors) if floors else None,
        peak_mb=peak / _MB,
        steps=typical["steps"],
        excluded=typical["excluded"],
        to_deliver=typical["to_deliver"],
    )
