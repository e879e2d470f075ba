"""What the commands of all lists of numbers have in common: import, export, add, remove."""

from __future__ import annotations

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from smsflow_provider.cli.number_files import (
    Raw,
    by_hand,
    read_rows,
    reading,
    sorted_out,
    tell_bad,
    write_rows,
)
from smsflow_provider.cli.reach import add_store_argument
from smsflow_provider.core.store.connection import Store

FAILED = 1

#: Rows with their numbers, E.164 without the plus.
Good = Sequence[tuple[Raw, int]]


class ListCommand(ABC):
    """One list of numbers in the store, as a command with four actions."""

    #: What the list is called: "put numbers ...", "on the list already".
    to: ClassVar[str]
    off: ClassVar[str]
    on: ClassVar[str]
    #: Columns of an exported file; those of ``facts`` are read from an imported one.
    columns: ClassVar[tuple[str, ...]]
    facts: ClassVar[tuple[str, ...]]

    @abstractmethod
    def add_own_arguments(self, parser: argparse.ArgumentParser, *, action: str) -> None:
        """Declare what only this list has, for one of the four actions."""

    @abstractmethod
    def problem_of(self, raw: Raw) -> str | None:
        """Say what is wrong with the facts of a row; the number has been looked at already."""

    @abstractmethod
    def add(self, store: Store, good: Good, args: argparse.Namespace, *, source: str) -> int:
        """Put numbers on the list, all or none; give how many were not on it."""

    @abstractmethod
    def remove(self, store: Store, phones: Sequence[int], args: argparse.Namespace) -> int:
        """Take numbers off the list; give how many entries are gone."""

    @abstractmethod
    def pages(self, store: Store, args: argparse.Namespace) -> Iterator[Iterable[Sequence[object]]]:
        """Hand out the rows of an export, as ``columns``."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the actions and their arguments."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        words = f"put the numbers of a file {self.to}"
        self._add_import(actions.add_parser("import", help=words))
        export = actions.add_parser("export", help="write them as CSV")
        export.add_argument("file", metavar="FILE", nargs="?", help="else standard output")
        self._add_rest(export, action="export")
        for action, words in (("add", f"put numbers {self.to}"), ("remove", self.off)):
            own = actions.add_parser(action, help=words)
            own.add_argument("numbers", nargs="+", metavar="NUMBER")
            self._add_numbers(own, action=action)

    def _add_import(self, parser: argparse.ArgumentParser) -> None:
        facts = f"{', '.join(self.facts[:-1])} and {self.facts[-1]}"
        parser.description = (
            f"Put the numbers of a file {self.to}, all or none. The file is a CSV with a header,"
            f" or one number a line without one. Columns {facts} are read too, unless a flag says"
            " otherwise."
        )
        parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
        parser.add_argument("--column", default="phone", help="the column of numbers (%(default)s)")
        parser.add_argument("--encoding", default="utf-8-sig", help="of the file (utf-8)")
        parser.add_argument(
            "--skip-bad", action="store_true", help="import the good rows even if some are bad"
        )
        self._add_numbers(parser, action="import")

    def _add_numbers(self, parser: argparse.ArgumentParser, *, action: str) -> None:
        parser.add_argument("--region", help="country of national numbers, such as FR")
        if action != "remove":
            parser.add_argument("--reason", help="why, in a few words")
        self._add_rest(parser, action=action)

    def _add_rest(self, parser: argparse.ArgumentParser, *, action: str) -> None:
        self.add_own_arguments(parser, action=action)
        add_store_argument(parser)

    def run(self, args: argparse.Namespace, store: Store) -> int:
        """
        Do what the command line says.

        Returns:
            0, or 1 when numbers are bad or there are none; why is on stderr, without the numbers.
        """
        if args.action == "export":
            write_rows(args.file, columns=self.columns, pages=self.pages(store, args))
            return 0
        if args.action == "import":
            return self._import(args, store)
        return self._change(args, store)

    def _import(self, args: argparse.Namespace, store: Store) -> int:
        with reading(args.file, encoding=args.encoding) as file:
            raws = list(read_rows(file, column=args.column, facts=self.facts))
        good, bad = self._sorted_out(raws, region=args.region, place="line")
        tell_bad(bad)
        if bad and not args.skip_bad:
            print("Nothing was imported: mend the file, or say --skip-bad.", file=sys.stderr)
            return FAILED
        if not good:
            print("There is no number to import.", file=sys.stderr)
            return FAILED
        added = self.add(store, good, args, source=f"import {Path(args.file).name}")
        skipped = f", {len(bad):,} bad rows skipped" if bad else ""
        print(f"{added:,} added, {len(good) - added:,} {self.on} already{skipped}.")
        return 0

    def _sorted_out(self, raws: Sequence[Raw], *, region: str | None, place: str) -> _Sorted:
        good, bad = sorted_out(raws, region=region, place=place)
        told = [(raw, self.problem_of(raw)) for raw, _ in good]
        wrong = [f"{place} {raw.line}: {problem}" for raw, problem in told if problem]
        if wrong:
            good = [one for one, (_, problem) in zip(good, told, strict=True) if not problem]
        return good, bad + wrong

    def _change(self, args: argparse.Namespace, store: Store) -> int:
        good, bad = sorted_out(by_hand(args.numbers), region=args.region, place="number")
        if bad:
            tell_bad(bad)
            return FAILED
        phones = [phone for _, phone in good]
        if args.action == "remove":
            print(f"{self.remove(store, phones, args):,} removed.")
            return 0
        added = self.add(store, good, args, source="command line")
        print(f"{added:,} added, {len(set(phones)) - added:,} {self.on} already.")
        return 0


_Sorted = tuple[list[tuple[Raw, int]], list[str]]
