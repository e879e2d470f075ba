"""``smsflow proof``: send prepared messages of a delivery to test numbers."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import uuid4

from smsflow_provider.cli.control import actor_here
from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
    stdout_kept,
)
from smsflow_provider.cli.words import counted
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.samples import Pick


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", help="id of a prepared delivery")
    parser.add_argument(
        "--to",
        action="append",
        required=True,
        metavar="NUMBER",
        help="test number; may be repeated",
    )
    parser.add_argument("--region", help="ISO region of national numbers")
    parser.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="ID",
        help="send what this recipient gets; may be repeated",
    )
    parser.add_argument("--random", type=int, default=0, metavar="N", help="draw N messages")
    parser.add_argument(
        "--pick",
        action="append",
        default=[],
        choices=[pick.replace("_", "-") for pick in Pick],
        help="send what stands in for all; may be repeated. Without a choice: every pick",
    )
    parser.add_argument(
        "--no-mark", action="store_true", help="leave out PROOF #n before each text"
    )
    parser.add_argument("--key", help="names this proof: the same key again sends nothing again")
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Send, and report. Exit code 1 if a text was not accepted; a dry run accepts none."""
    report = _send(args)
    if args.json:
        print_json(report)
    else:
        _show(report)
    is_fine = report["dry_run"] or report["accepted"] == report["to_deliver"]
    return 0 if is_fine else 1


def _send(args: argparse.Namespace) -> dict[str, Any]:
    """Reach the gateway through its Airflow connection."""
    store, actor = reach_store(args), actor_here()
    delivery = find_delivery(store, args.delivery)
    with stdout_kept():
        from smsflow_provider.hooks.gateway import GatewayOutsideTasks  # noqa: PLC0415  Airflow
        from smsflow_provider.hooks.proof import ProofWish, make_wish, send_made  # noqa: PLC0415  same

        wish = ProofWish(
            to=args.to,
            region=args.region,
            recipients=args.recipient,
            random=args.random,
            picks=args.pick,
            mark=not args.no_mark,
        )
        made = make_wish(
            store,
            delivery,
            wish,
            key=args.key or uuid4().hex,
            author=actor,
            dialect=GatewayOutsideTasks(delivery.gateway).dialect(),
        )
        return send_made(store, made, owner=actor, hook_of=GatewayOutsideTasks)


def _show(report: dict[str, Any]) -> None:
    proof = report["proof"]
    print(
        f"{report['label']} ({report['delivery']}): {report['accepted']} of"
        f" {report['to_deliver']} texts accepted, {counted(report['parts'], 'part')}"
    )
    if proof["marked"] and report["parts"] != proof["parts_unmarked"]:
        print(f"  without the mark: {counted(proof['parts_unmarked'], 'part')}")
    for name in ("opted_out", "quarantined"):
        if proof[name]:
            of_all = counted(proof["numbers"], "number")
            print(f"  {name.replace('_', ' ')}: {proof[name]} of {of_all}")
    if report["dry_run"]:
        print("  a dry run: nothing was handed over")
    for cause in report["causes"]:
        print(f"  {cause['kind']}, {cause['code'] or 'no code'}: {cause['messages']}")
