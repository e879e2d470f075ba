"""``smsflow why``: why one person was texted, or not."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.cli.words import counted
from smsflow_provider.core.delivery.why import why
from smsflow_provider.core.preparation.named import read_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    person = parser.add_mutually_exclusive_group(required=True)
    person.add_argument("number", nargs="?", help="the person's number, or - for standard input")
    person.add_argument("--recipient", metavar="ID", help="the person's id in the audience")
    parser.add_argument("--delivery", required=True, metavar="ID", help="id of the delivery")
    parser.add_argument("--region", help="ISO region of a national number")
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the answer. Exit code 1 if nobody like that was targeted."""
    phone = None
    if args.number is not None:
        given = sys.stdin.readline().strip() if args.number == "-" else args.number
        (phone,) = read_numbers([given], region=args.region)
    answer = why(reach_store(args), args.delivery, phone=phone, recipient_id=args.recipient)
    if args.json:
        print_json(answer)
    else:
        _show(answer)
    return 0 if answer["messages"] or answer["exclusions"] else 1


def _show(answer: dict[str, Any]) -> None:
    for message in answer["messages"]:
        code = f" ({message['code']})" if message["code"] else ""
        print(
            f"A message of {counted(message['parts'], 'part')} for recipient"
            f" {message['recipient_id']}: {message['state']}{code}."
        )
    for row in answer["exclusions"]:
        detail = f": {row['detail']}" if row["detail"] else ""
        print(
            f"No message for recipient {row['recipient_id']} (row {row['row_number']}):"
            f" {row['reason']}{detail}."
        )
        if row["winner_id"] is not None:
            print(f"  Recipient {row['winner_id']} has the same number and stands for both.")
    if "archived" in answer:
        place = answer["archived"]["uri"] or "nowhere: they were dropped without files"
        print(
            f"The messages of this delivery left the store {answer['archived']['at']}, to {place}."
        )
    elif not answer["messages"] and not answer["exclusions"]:
        print("Nobody like that was targeted by this delivery.")
