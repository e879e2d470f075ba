"""``smsflow bench``: how fast people are found and prepared, texts sent, receipts taken, pages."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from smsflow_provider.cli.bench.prepare import Plan
    from smsflow_provider.cli.bench.result import PrepareResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    benches = parser.add_subparsers(dest="bench", required=True, metavar="WHAT")
    words = "prepare people that are made up, on a PostgreSQL server made for it"
    one = benches.add_parser("prepare", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--rows", type=_count, default=1_000_000, help="people (1000000)")
    one.add_argument(
        "--sample",
        type=_count,
        default=20_000,
        metavar="ROWS",
        help="people the row-by-row reference is measured with (20000)",
    )
    one.add_argument("--rounds", type=_count, default=1, help="times each is measured (1)")
    one.add_argument("--seed", type=int, default=1, help="other people with another seed (1)")
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    one.add_argument(
        "--judge",
        action="store_true",
        help="also prepare five times as many people; exit code 1 where a limit is missed",
    )
    one.set_defaults(measure=run_prepare)
    _add_send(benches)
    _add_receipts(benches)
    _add_audience(benches)
    _add_dashboard(benches)


def _add_send(benches: Any) -> None:
    words = "send beside the same without a ledger, on a PostgreSQL server made for it"
    one = benches.add_parser("send", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--rows", type=_count, default=20_000, help="messages of each (20000)")
    one.add_argument("--rounds", type=_count, default=3, help="times each is measured (3)")
    one.add_argument(
        "--large",
        type=_count,
        default=5_000_000,
        metavar="ROWS",
        help="messages of the delivery whose figures and log are read (5000000)",
    )
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    one.add_argument("--judge", action="store_true", help="exit code 1 where a limit is missed")
    one.set_defaults(measure=run_send)


def _add_receipts(benches: Any) -> None:
    words = "take receipts as fast as one receiver process can, and kill it in the middle"
    one = benches.add_parser("receipts", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--receipts", type=_count, default=100_000, help="receipts (100000)")
    one.add_argument("--connections", type=_count, default=256, help="of the gateway (256)")
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    one.add_argument("--judge", action="store_true", help="exit code 1 where a limit is missed")
    one.set_defaults(measure=run_receipts)


def _add_audience(benches: Any) -> None:
    words = "build an audience by rules beside SQL written by hand, on a PostgreSQL made for it"
    one = benches.add_parser("audience", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--rows", type=_count, default=1_000_000, help="customers (1000000)")
    one.add_argument("--orders", type=_count, default=10_000_000, help="orders (10000000)")
    one.add_argument("--rounds", type=_count, default=3, help="times each is measured (3)")
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    one.add_argument("--judge", action="store_true", help="exit code 1 where a limit is missed")
    one.set_defaults(measure=run_audience)


def _add_dashboard(benches: Any) -> None:
    words = "ask what the dashboard's pages ask, on an Airflow and a full store made for it"
    one = benches.add_parser("dashboard", help=words, description=f"{words.capitalize()}.")
    one.add_argument("--deliveries", type=_count, default=5_000, help="in the store (5000)")
    one.add_argument(
        "--messages", type=_count, default=5_000_000, help="of the largest delivery (5000000)"
    )
    one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    one.add_argument("--judge", action="store_true", help="exit code 1 where a limit is missed")
    one.set_defaults(measure=run_dashboard)


def run(args: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    measure = cast("Callable[[argparse.Namespace], int]", args.measure)
    return measure(args)


def run_send(args: argparse.Namespace) -> int:
    """Measure the sender."""
    from smsflow_provider.cli.bench import send  # noqa: PLC0415  heavy

    plan = send.SendPlan(rows=args.rows, rounds=args.rounds, large=args.large)
    result = send.measure_send(plan, say=_say_nothing if args.json else _say)
    verdicts = result.verdicts()
    if args.json:
        print(json.dumps(result.as_dict()))
    else:
        print(send.table_of(result))
        if args.judge:
            print("", *(one.line() for one in verdicts), sep="\n")
    return 0 if all(one.is_met for one in verdicts) or not args.judge else 1


def run_receipts(args: argparse.Namespace) -> int:
    """Measure the receiver."""
    from smsflow_provider.cli.bench.receipts import (  # noqa: PLC0415  heavy
        ReceiptsPlan,
        measure_receipts,
    )

    plan = ReceiptsPlan(receipts=args.receipts, connections=args.connections)
    result = measure_receipts(plan, say=_say_nothing if args.json else _say)
    found = result.as_dict()
    lines = (f"{name.replace('_', ' '):<44} {value:>12}" for name, value in found.items())
    print(json.dumps(found) if args.json else "\n".join(lines))
    return 0 if result.is_met or not args.judge else 1


def run_audience(args: argparse.Namespace) -> int:
    """Measure building an audience."""
    from smsflow_provider.cli.bench import audience  # noqa: PLC0415  heavy

    plan = audience.AudiencePlan(rows=args.rows, orders=args.orders, rounds=args.rounds)
    result = audience.measure_audience(plan, say=_say_nothing if args.json else _say)
    verdicts = result.verdicts()
    if args.json:
        print(json.dumps(result.as_dict()))
    else:
        print(audience.table_of(result))
        if args.judge:
            print("", *(one.line() for one in verdicts), sep="\n")
    return 0 if all(one.is_met for one in verdicts) or not args.judge else 1


def run_dashboard(args: argparse.Namespace) -> int:
    """Measure what the dashboard asks for."""
    from smsflow_provider.cli.bench import dashboard  # noqa: PLC0415  heavy

    plan = dashboard.DashboardPlan(deliveries=args.deliveries, messages=args.messages)
    result = dashboard.measure_dashboard(plan, say=_say_nothing if args.json else _say)
    verdicts = result.verdicts()
    if args.json:
        print(json.dumps(result.as_dict()))
    else:
        print(dashboard.table_of(result))
        if args.judge:
            print("", *(one.line() for one in verdicts), sep="\n")
    return 0 if all(one.is_met for one in verdicts) or not args.judge else 1


def run_prepare(args: argparse.Namespace) -> int:
    """Measure preparation."""
    from smsflow_provider.cli.bench.prepare import Plan, measure_prepare  # noqa: PLC0415  heavy
    from smsflow_provider.cli.bench.result import verdicts_of  # noqa: PLC0415

    say = _say_nothing if args.json else _say
    plan = Plan(rows=args.rows, sample_rows=args.sample, rounds=args.rounds, seed=args.seed)
    result = measure_prepare(plan, say=say)
    if not args.judge:
        print(json.dumps(result.as_dict()) if args.json else table_of(result))
        return 0
    larger = measure_prepare(_larger(plan), say=say)
    verdicts = verdicts_of(result, larger)
    if args.json:
        print(json.dumps({**result.as_dict(), "larger": larger.as_dict()}))
    else:
        print(table_of(result), "", *(one.line() for one in verdicts), sep="\n")
    return 0 if all(one.is_met for one in verdicts) else 1


def _larger(plan: Plan) -> Plan:
    return replace(plan, rows=5 * plan.rows, rounds=1, is_alone=True)


def table_of(result: PrepareResult) -> str:
    """Write what was found for people."""
    rate = f"{result.rows / result.seconds:,.0f} rows/s"
    lines = [
        f"{result.rows:,} people: {result.to_deliver:,} to deliver, {result.excluded:,} excluded",
        f"{'prepared in':<44} {result.seconds:9.2f} s  {rate}",
        *(f"  {name:<42} {seconds:9.2f} s" for name, seconds in result.steps.items()),
        f"{'slowest step':<44} {result.slowest_step}",
        f"{'peak memory, with the render process':<44} {result.peak_mb:9.0f} MB",
    ]
    if result.reference_s is not None and result.floor_s is not None:
        label = f"row by row, scaled from {result.reference_rows:,}"
        floor = "floor: read, bare COPY with keys"
        lines += [
            f"{label:<44} {result.reference_s:9.2f} s  product is {result.speedup:.1f} x as fast",
            f"{floor:<44} {result.floor_s:9.2f} s  product takes {result.floor_ratio:.2f} x",
        ]
    return "\n".join(lines)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def _say_nothing(text: str) -> None:
    """JSON is all there is to read."""
