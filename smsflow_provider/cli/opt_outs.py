"""``smsflow opt-outs``: the lists of people who must get no text, from a file or by hand."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.core.audience.files import SAMPLE_BYTES, sniff_delimiter
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import Number, to_e164_many
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import (
    OptOut,
    add_opt_out_entries,
    add_opt_outs,
    iterate_opt_outs,
    remove_opt_outs,
)

#: Columns of an exported file, and the ones an imported file may have.
COLUMNS = ("phone", "scope", "reason", "source", "created_at")
#: Bad rows named one by one; beyond that they are counted.
SHOWN_ROWS = 100
#: So many digits in the first cell, and the file has no header.
_DIGITS_OF_A_PHONE = 6

FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One row as the file has it."""

    #: Line of the file on which the row ends, from 1; for numbers by hand, their place.
    line: int
    phone: str = field(repr=False)
    #: The other columns of the file that an opt-out has, as far as they are there.
    facts: dict[str, str] = field(default_factory=dict, repr=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_import(actions.add_parser("import", help="put the numbers of a file on a list"))
    _add_export(actions.add_parser("export", help="write the lists as CSV"))
    for name, words in (("add", "put numbers on a list"), ("remove", "take numbers off a list")):
        action = actions.add_parser(name, help=words)
        action.add_argument("numbers", nargs="+", metavar="NUMBER")
        _add_number_arguments(action, is_removal=name == "remove")


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Put the numbers of a file on a list, all or none. The file is a CSV with a header, or one"
        " number a line without one. Columns scope, reason and source are read too, unless the"
        " flag says otherwise."
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    parser.add_argument("--column", default="phone", help="the column of numbers (%(default)s)")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the file (utf-8)")
    parser.add_argument(
        "--skip-bad", action="store_true", help="import the good rows even if some are bad"
    )
    _add_number_arguments(parser, is_removal=False)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help="else standard output")
    parser.add_argument("--scope", help="one list only; '' is the one for every delivery")
    add_store_argument(parser)


def _add_number_arguments(parser: argparse.ArgumentParser, *, is_removal: bool) -> None:
    parser.add_argument("--region", help="country of national numbers, such as FR")
    parser.add_argument("--scope", help="the list; without it, the one for every delivery")
    if is_removal:
        parser.add_argument("--every-scope", action="store_true", help="off every list")
    else:
        parser.add_argument("--reason", help="why, in a few words")
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Do what the command line says, on the store it names."""
    return run_with(args, reach_store(args))


def run_with(args: argparse.Namespace, store: Store) -> int:
    """
    Do what the command line says.

    Returns:
        0, or 1 when numbers are bad or there are none; why is on stderr, without the numbers.
    """
    if args.action == "export":
        return _export(args, store)
    if args.action == "import":
        return _import(args, store)
    return _change(args, store)


def _import(args: argparse.Namespace, store: Store) -> int:
    with _reading(args.file, encoding=args.encoding) as file:
        raws = list(read_rows(file, column=args.column))
    good, bad = _sorted_out(raws, region=args.region, place="line")
    _tell_bad(bad)
    if bad and not args.skip_bad:
        print("Nothing was imported: mend the file, or say --skip-bad.", file=sys.stderr)
        return FAILED
    if not good:
        print("There is no number to import.", file=sys.stderr)
        return FAILED
    added = add_opt_out_entries(store, (_entry(raw, phone, args) for raw, phone in good))
    skipped = f", {len(bad):,} bad rows skipped" if bad else ""
    print(f"{added:,} added, {len(good) - added:,} on the list already{skipped}.")
    return 0


def _entry(raw: Raw, phone: int, args: argparse.Namespace) -> OptOut:
    facts = raw.facts
    return OptOut(
        phone=phone,
        scope=facts.get("scope", "") if args.scope is None else args.scope,
        reason=facts.get("reason", "") if args.reason is None else args.reason,
        source=facts.get("source", "") or f"import {Path(args.file).name}",
    )


def _change(args: argparse.Namespace, store: Store) -> int:
    raws = [Raw(line=place, phone=text) for place, text in enumerate(args.numbers, start=1)]
    good, bad = _sorted_out(raws, region=args.region, place="number")
    if bad:
        _tell_bad(bad)
        return FAILED
    phones = [phone for _, phone in good]
    if args.action == "add":
        added = add_opt_outs(
            store, phones, scope=args.scope or "", reason=args.reason or "", source="command line"
        )
        print(f"{added:,} added, {len(set(phones)) - added:,} on the list already.")
        return 0
    removed = remove_opt_outs(store, phones, scope=None if args.every_scope else (args.scope or ""))
    print(f"{removed:,} removed.")
    return 0


def _export(args: argparse.Namespace, store: Store) -> int:
    pages = iterate_opt_outs(store, scope=args.scope)
    if args.file is None:
        _write(sys.stdout, pages)
        return 0
    count = _write_file(Path(args.file), pages)
    print(f"{count:,} entries written.")
    return 0


def _write_file(path: Path, pages: Iterable[Sequence[OptOut]]) -> int:
    """Write a file only its owner may read; it is whole or not there."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", newline="", encoding="utf-8") as file:  # noqa: PTH123  a handle
            count = _write(file, pages)
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


def _write(file: TextIO, pages: Iterable[Sequence[OptOut]]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for page in pages:
        writer.writerows(
            (f"+{one.phone}", one.scope, one.reason, one.source, one.created_at) for one in page
        )
        count += len(page)
    return count


@contextmanager
def _reading(name: str, *, encoding: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdin
        return
    try:
        # What is no text becomes a bad row, told with the others.
        file = Path(name).open(  # noqa: SIM115  closed below
            encoding=encoding, errors="surrogateescape", newline=""
        )
    except (OSError, LookupError) as error:
        raise ConfigError(
            "the file cannot be read", file=name, cause=getattr(error, "strerror", str(error))
        ) from None
    with file:
        yield file


def read_rows(file: TextIO, *, column: str) -> Iterator[Raw]:
    """
    Read the rows of a CSV file with a header, or of a plain list of numbers.

    Args:
        file: Open for text, at its start.
        column: The column of numbers; of no meaning for a plain list.

    Raises:
        ConfigError: There is a header, but not this column in it.
    """
    sample = file.read(SAMPLE_BYTES).removeprefix("\ufeff")
    lines = _joined(sample, file)
    reader = csv.reader(lines, delimiter=sniff_delimiter(sample))
    first = next((row for row in reader if any(row)), None)
    if first is None:
        return
    names = [name.strip() for name in first]
    if _is_number_like(names[0]) and len(names) == 1:
        yield Raw(line=reader.line_num, phone=names[0])
        names = [column]
    elif column not in names:
        raise ConfigError(
            f"the file has no column {column!r}{near_hint(column, names)}",
            columns="none: there is no header" if _is_number_like("".join(names)) else names,
        )
    yield from _raws(reader, names, column=column)


def _raws(reader: Iterator[list[str]], names: list[str], *, column: str) -> Iterator[Raw]:
    kept = [name for name in ("scope", "reason", "source") if name in names]
    for row in reader:
        if not any(row):
            continue
        cells = dict(zip(names, row, strict=False))
        facts: dict[str, str] = {name: cells.get(name, "") for name in kept}
        yield Raw(line=_line_of(reader), phone=cells.get(column, ""), facts=facts)


def _line_of(reader: Iterator[list[str]]) -> int:
    return int(getattr(reader, "line_num", 0))


def _joined(sample: str, file: TextIO) -> Iterator[str]:
    """Hand out lines, the first of them from what was read already."""
    lines = io.StringIO(sample, newline="").readlines()
    yield from lines[:-1]
    yield (lines[-1] if lines else "") + file.readline()
    yield from file


def _is_number_like(cell: str) -> bool:
    return sum(char.isdigit() for char in cell) >= _DIGITS_OF_A_PHONE


def _sorted_out(
    raws: Sequence[Raw], *, region: str | None, place: str
) -> tuple[list[tuple[Raw, int]], list[str]]:
    """Tell good numbers from bad ones; a bad one by its place and its problem."""
    good: list[tuple[Raw, int]] = []
    bad: list[str] = []
    numbers = to_e164_many((raw.phone for raw in raws), region=region)
    for raw, number in zip(raws, numbers, strict=True):
        if number.e164 is None:
            bad.append(f"{place} {raw.line}: {_told(number)}")
        else:
            good.append((raw, int(number.e164)))
    return good, bad


def _told(number: Number) -> str:
    words = str(number.problem).replace("_", " ")
    return f"{words} (say --region)" if str(number.problem) == "no_region" else words


def _tell_bad(bad: Sequence[str]) -> None:
    for line in islice(bad, SHOWN_ROWS):
        print(line, file=sys.stderr)
    if len(bad) > SHOWN_ROWS:
        print(f"... and {len(bad) - SHOWN_ROWS:,} more", file=sys.stderr)
