"""``smsflow replies``: what people wrote back, and what was understood of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.delivery.keywords import Action
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.preparation.named import read_numbers
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.replies import StoredReply, iterate_replies

_LIMIT: Final = 50
#: How the action of a reply is written where nothing was understood.
_NOTHING: Final = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the action and its arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    own = actions.add_parser("list", help="list replies, the latest first")
    own.add_argument("--phone", metavar="NUMBER", help="those of one number")
    own.add_argument("--region", help="country of a national number, such as FR")
    own.add_argument("--since", type=_moment, help="2026-11-02 or 2026-11-02T12:00, UTC")
    choices = [action.value or _NOTHING for action in Action]
    words = "; review: may be meant as an opt-out, for a person to read"
    own.add_argument("--action", dest="understood", choices=choices, help=f"those of it{words}")
    own.add_argument("--limit", type=int, default=_LIMIT, help="at most so many (%(default)s)")
    own.add_argument("--show-phones", action="store_true", help="show whole numbers")
    add_json_argument(own)
    add_store_argument(own)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.utcoffset() is None else found


def run(args: argparse.Namespace) -> int:
    """Print the replies. Exit code 0, also where there are none."""
    if args.limit < 1:
        raise ConfigError("--limit must be 1 or more", limit=args.limit)
    rows = [_shown(one, whole=args.show_phones) for one in _found(reach_store(args), args)]
    if args.json:
        print_json(rows)
        return 0
    for row in rows:
        meaning = " ".join(filter(None, (row["action"], row["keyword"])))
        print(f"{row['received_at']:%Y-%m-%d %H:%M} {row['phone']} to {row['recipient'] or '?'}")
        print(f"  {meaning}: {_on_one_line(row['body'])}")
    return 0


def _found(store: Store, args: argparse.Namespace) -> Iterator[StoredReply]:
    phone = None
    if args.phone is not None:
        (phone,) = read_numbers([args.phone], region=args.region)
    action = "" if args.understood == _NOTHING else args.understood
    pages = iterate_replies(store, phone=phone, since=args.since, action=action)
    return islice((one for page in pages for one in page), args.limit)


def _shown(one: StoredReply, *, whole: bool) -> dict[str, Any]:
    return {
        "no": one.no,
        "received_at": one.received_at.astimezone(UTC),
        "gateway": one.gateway,
        "phone": _phone_of(one, whole=whole),
        "recipient": one.recipient,
        "action": "waiting" if one.applied_at is None else (one.action or _NOTHING),
        "keyword": one.keyword,
        "body": one.body,
    }


def _phone_of(one: StoredReply, *, whole: bool) -> str:
    if one.phone is None:
        return one.sender if whole else "(no international number)"
    return f"+{one.phone}" if whole else mask_phone(one.phone)


def _on_one_line(text: str) -> str:
    """Write a stranger's text so that it cannot steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
