"""``smsflow diff``: what differs between two preparations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.cli.words import counted
from smsflow_provider.core.preparation.diff import diff

#: Longest value of a setting that is shown.
_WIDEST = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "deliveries",
        nargs="+",
        metavar="DELIVERY",
        help="ids of two deliveries; of one: it is compared to the former run of its task",
    )
    parser.add_argument("--limit", type=int, default=5, help="samples of each kind (5)")
    add_json_argument(parser)
    add_store_argument(parser)
    parser.set_defaults(refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Print what differs. Exit code 0 also if something does."""
    if len(args.deliveries) > 2:
        args.refuse("compare two deliveries, or one to the former run of its task")
    *before, after = args.deliveries
    found = diff(reach_store(args), before[0] if before else None, after, limit=args.limit)
    if args.json:
        print_json(found)
    else:
        print("\n".join(_lines(found)))
    return 0


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    before, after = found["before"], found["after"]
    yield f"before  {before['delivery']} ({before['state'].replace('_', ' ')})"
    yield f"after   {after['delivery']} ({after['state'].replace('_', ' ')})"
    if found["is_same"]:
        yield "The fingerprints are equal: the same messages would leave."
    yield from _figures(found)
    yield from _recipients(found)
    yield from _messages(found)
    for one in found["template"]:
        yield f"Template, {one['part']}:"
        yield from (f"  {line}" for line in one["diff"])
    if found["settings"]:
        yield "Settings:"
    for one in found["settings"]:
        yield f"  {one['path']}: {_short(one['before'])} -> {_short(one['after'])}"


def _figures(found: Mapping[str, Any]) -> Iterator[str]:
    rows = {**found["figures"]}
    rows |= {f"excluded, {reason}": pair for reason, pair in found["exclusions"].items()}
    yield f"{'':<28} {'before':>12} {'after':>12} {'difference':>12}"
    for name, pair in rows.items():
        words = name.replace("to_deliver", "to deliver")
        yield f"{words:<28} {pair['before']:>12,} {pair['after']:>12,} {pair['difference']:>+12,}"
    yield from _cost(found["cost"])


def _cost(cost: Mapping[str, Any]) -> Iterator[str]:
    if cost["before"] is None and cost["after"] is None:
        return
    before, after = (_amount(cost, side) for side in ("before", "after"))
    difference = cost["difference"]
    shown = "?" if difference is None else f"{Decimal(difference):+,.2f}"
    yield f"{'cost':<28} {before:>12} {after:>12} {shown:>12}"


def _amount(cost: Mapping[str, Any], side: str) -> str:
    if cost[side] is None:
        return "not known"
    least = "" if cost["is_complete"][side] else ">= "
    return f"{least}{Decimal(cost[side]):,.2f} {cost['currency'][side]}"


def _recipients(found: Mapping[str, Any]) -> Iterator[str]:
    if found["rows_gone"]:
        gone = ", ".join(found["rows_gone"])
        yield f"The messages of {gone} are not kept any more: people and texts are not compared."
        return
    people = found["recipients"]
    yield f"Recipients who get a message in both: {people['stayed']:,}"
    for name, words in (("came", "only after"), ("gone", "only before")):
        side = people[name]
        other = "before" if name == "came" else "after"
        yield f"Recipients who get one {words}: {side['count']:,}"
        for reason, count in side["reasons"].items():
            yield f"  {reason} {other}: {count:,}"
        for one in side["samples"]:
            yield f"  {one['recipient_id']} {one['to_masked']} ({one['reason']} {other})"


def _messages(found: Mapping[str, Any]) -> Iterator[str]:
    messages = found["messages"]
    if messages is None:
        return
    kinds = [f"{name} {messages[name]:,}" for name in ("text", "sender", "parts", "encoding")]
    yield f"Recipients in both whose message differs: {messages['changed']:,} ({', '.join(kinds)})"
    for one in messages["samples"]:
        yield f"  {one['recipient_id']} {one['to_masked']}"
        for sign, side in (("-", one["before"]), ("+", one["after"])):
            text = " / ".join(side["text"].splitlines())
            parts = counted(side["parts"], "part")
            yield f"  {sign} {side['sender'] or '(no sender)'}, {parts}: {text}"


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
