"""``smsflow erase``: remove a person everywhere, and never text them again."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import phonenumbers

from smsflow_provider.cli.number_files import by_hand, sorted_out, tell_bad
from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
    stdout_kept,
)
from smsflow_provider.core.audience.place import local_path, remove_whole
from smsflow_provider.core.delivery.erase import Erased, KeptFiles, erase
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import to_e164
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.erased import lift_erased
from smsflow_provider.core.store.erasure import Person

#: Countries from which others are not called by 00.
_ABROAD: Final = ("US", "AU", "JP", "RU")
#: Exit codes: a number that is none, or nobody said --yes; and something was left.
REFUSED, INCOMPLETE = 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Remove a person from lists, replies, messages, audiences and archives. A keyed hash of"
        " the number is kept, so that it is never texted again. A shell keeps what is typed: give"
        " the number on standard input."
    )
    parser.add_argument("number", metavar="NUMBER", help="the number, or - for standard input")
    parser.add_argument("--region", help="country of a national number, such as FR")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--yes", action="store_true", help="do it; it cannot be undone")
    mode.add_argument("--dry-run", action="store_true", help="print what would be removed")
    mode.add_argument(
        "--lift", action="store_true", help="forget the hash: the number may be texted again"
    )
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do what the command line says; 3: something was left, and the call has to be made again."""
    given = sys.stdin.readline() if args.number == "-" else args.number
    good, bad = sorted_out(by_hand([given.strip()]), region=args.region, place="number")
    if bad:
        tell_bad(bad)
        return REFUSED
    person = person_of(good[0][1])
    store = reach_store(args)
    if args.lift:
        return _lift(store, person)
    found = erase(store, person, files=_files(args), dry_run=args.dry_run)
    if args.json:
        print_json(asdict(found))
    else:
        _print(found, dry_run=args.dry_run)
    return 0 if found.is_complete else INCOMPLETE


def person_of(phone: int) -> Person:
    """
    Name a person by their number, with the writings it may have in an audience.

    Args:
        phone: E.164 without the plus.

    Example:
        >>> person_of(33612345678).writings
        ('33612345678', '612345678')
    """
    parsed = phonenumbers.parse(f"+{phone}")
    national = phonenumbers.national_significant_number(parsed)
    region = phonenumbers.region_code_for_number(parsed)
    own = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    ids = (f"+{phone}", f"00{phone}", str(phone), re.sub(r"[^0-9]", "", own))
    return Person(
        phone=phone,
        writings=(str(phone), national.lstrip("0")),
        ids=ids,
        reads=partial(_reads, f"+{phone}", [region] if region else []),
    )


def _reads(e164: str, own: Sequence[str], text: str) -> bool:
    """Tell whether a preparation would read the text as this number, in any likely country."""
    return any(to_e164(text, region=region).e164 == e164 for region in (*own, *_ABROAD))


def _lift(store: Store, person: Person) -> int:
    with store.transaction() as connection:
        count = lift_erased(connection, [person.phone])
    print("The number may be texted again." if count else "No such number was erased.")
    return 0


def _print(found: Erased, *, dry_run: bool) -> None:
    verb = "would be removed" if dry_run else "removed"
    for one in found.removed:
        print(f"{one.count:>7,}  {verb}  {one.place}")
    if not found.removed:
        print("Nothing was found.")
    for rest in found.left:
        print(f"   left  {rest.what}: {rest.why}", file=sys.stderr)
    if not dry_run:
        print("The number is never texted again.")
    if found.left:
        print("Run it again when what is left has ended.", file=sys.stderr)


def _files(args: argparse.Namespace) -> KeptFiles:
    """Reach files of this machine; others, by Airflow's connections, unless a store is named."""
    if getattr(args, "store", None) or os.environ.get("SMSFLOW_STORE"):
        return KeptFiles(open_file=_open_local, at=_place_of, remove=_remove_local)
    with stdout_kept():
        from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  takes seconds

        from smsflow_provider.hooks.audience import (  # noqa: PLC0415  same
            open_artifact,
            remove_artifact,
        )

    def place(uri: str) -> Any:
        return _place_of(uri) or ObjectStoragePath(uri)

    return KeptFiles(open_file=open_artifact, at=place, remove=remove_artifact)


def _place_of(uri: str) -> Path | None:
    return Path(uri) if uri.startswith("/") else local_path(uri)


def _open_local(uri: str) -> Any:
    path = _place_of(uri)
    if path is None:
        raise ConfigError("a file lies in an object storage: leave --store and SMSFLOW_STORE out")
    return path.open("rb")


def _remove_local(uri: str) -> None:
    path = _place_of(uri)
    if path is not None:
        remove_whole(path)
