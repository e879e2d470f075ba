"""``smsflow opt-outs``: the lists of people who must get no text, from a file or by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence

from smsflow_provider.cli.number_files import Raw
from smsflow_provider.cli.number_lists import Good, ListCommand
from smsflow_provider.cli.reach import reach_store
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.list_words import problem_of_scope
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import (
    OPT_OUT_COLUMNS,
    OptOut,
    add_opt_out_entries,
    iterate_opt_outs,
    remove_opt_outs,
)
from smsflow_provider.core.store.scopes import read_scope

_SCOPES = "sender:ACME or programme:loyalty"


class OptOuts(ListCommand):
    """Opt-outs: a list for every delivery, and one for each sender and programme."""

    to = "on a list"
    off = "take numbers off a list"
    on = "on the list"
    columns = OPT_OUT_COLUMNS
    facts = ("scope", "reason", "source")

    def add_own_arguments(self, parser: argparse.ArgumentParser, *, action: str) -> None:
        """Say which list is meant."""
        if action == "export":
            words = f"one list only: {_SCOPES}; '' is the one for every delivery"
        else:
            words = f"the list: {_SCOPES}; without it, the one for every delivery"
        parser.add_argument("--scope", help=words)
        if action == "remove":
            parser.add_argument("--every-scope", action="store_true", help="off every list")

    def problem_of(self, raw: Raw) -> str | None:
        """Say whether the scope names a list that a delivery may ask."""
        return problem_of_scope(raw.facts.get("scope", ""))

    def add(self, store: Store, good: Good, args: argparse.Namespace, *, source: str) -> int:
        """
        Put numbers on the list of the command line, or on those of the file.

        Raises:
            ConfigError: The list of the command line is one that no delivery can ask.
        """
        problem = None if args.scope is None else problem_of_scope(args.scope)
        if problem is not None:
            raise ConfigError(problem, scope=args.scope)
        return add_opt_out_entries(
            store, (_entry(raw, phone, args, source=source) for raw, phone in good)
        )

    def remove(self, store: Store, phones: Sequence[int], args: argparse.Namespace) -> int:
        """Take numbers off one list, or off every one."""
        scope = None if args.every_scope else (args.scope or "")
        removed = remove_opt_outs(store, phones, scope=scope)
        if scope is not None and removed < len(phones):
            print("Not on this list; --every-scope takes numbers off all.", file=sys.stderr)
        return removed

    def pages(self, store: Store, args: argparse.Namespace) -> Iterator[Iterable[Sequence[object]]]:
        """Hand out the entries of one list, or of all."""
        scope = None if args.scope is None else read_scope(args.scope)
        for page in iterate_opt_outs(store, scope=scope):
            yield [one.as_row() for one in page]


def _entry(raw: Raw, phone: int, args: argparse.Namespace, *, source: str) -> OptOut:
    facts = raw.facts
    return OptOut(
        phone=phone,
        scope=facts.get("scope", "") if args.scope is None else args.scope,
        reason=facts.get("reason", "") if args.reason is None else args.reason,
        source=facts.get("source", "") or source,
    )


_COMMAND = OptOuts()
add_arguments = _COMMAND.add_arguments


def run(args: argparse.Namespace) -> int:
    """Do what the command line says, on the store it names."""
    return _COMMAND.run(args, reach_store(args))
