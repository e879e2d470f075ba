"""The rows of a price table as they were written, of CSV and of YAML; nothing is judged yet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.preparation.yaml_lines import pairs_of, read_mapping, text_of

_COLUMNS: Final = ("country", "sender", "price", "currency", "as_of")
_KEYS: Final = ("as_of", "currency", "prices")
_AS_OF = re.compile(r"#\s*as[ _]of\s*:?\s*(?P<text>\S+)\s*", re.IGNORECASE)
_CURRENCY = re.compile(r"#\s*currency\s*:?\s*(?P<text>\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price as it was written."""

    line: int
    country: str
    #: Empty: any.
    sender: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What holds for the table as a whole: (text, line), as often as it was said."""

    as_of: list[tuple[str, int]] = field(default_factory=list)
    currency: list[tuple[str, int]] = field(default_factory=list)


def read_csv_rows(text: str, problems: list[Problem]) -> tuple[list[PriceRow], Facts]:
    """
    Read CSV: a head, then a price a row. Lines that begin with ``#`` are comments.

    ``# as of 2026-11-01`` and ``# currency EUR`` may stand in comments instead of in columns.
    Commas or semicolons, whichever the head has.
    """
    facts = Facts()
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("#"):
            lines[number - 1] = ""
            _read_comment(line.strip(), number, facts)
    head = next((line for line in lines if line.strip()), "")
    reader = csv.reader(lines, delimiter=";" if ";" in head else ",", strict=True)
    table = _csv_table(reader, problems)
    _, names = next(table, (0, []))
    names = [name.lower() for name in names]
    if not _check_head(names, problems):
        return [], facts
    return [
        row
        for line, cells in table
        if (row := _csv_row(names, cells, line, facts=facts, problems=problems))
    ], facts


def _read_comment(line: str, number: int, facts: Facts) -> None:
    for pattern, found in ((_AS_OF, facts.as_of), (_CURRENCY, facts.currency)):
        match = pattern.fullmatch(line)
        if match:
            found.append((match["text"], number))


def _csv_table(
    reader: Iterator[list[str]], problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Give line and cells of every row that is not empty."""
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield getattr(reader, "line_num", 0), [cell.strip() for cell in cells]
    except csv.Error as error:
        line = getattr(reader, "line_num", None)
        problems.append(Problem(text="is not CSV", hint=str(error), line=line))


def _check_head(names: list[str], problems: list[Problem]) -> bool:
    before = len(problems)
    for name in dict.fromkeys(names):
        if name not in _COLUMNS:
            hint = near(name, _COLUMNS)
            problems.append(Problem(text=f"unknown column {name!r}", hint=hint))
        elif names.count(name) > 1:
            problems.append(Problem(text=f"the column {name!r} is there twice"))
    problems += [
        Problem(text=f"the column {name!r} is missing")
        for name in ("country", "price")
        if name not in names
    ]
    return len(problems) == before


def _csv_row(
    names: list[str],
    cells: list[str],
    line: int,
    *,
    facts: Facts,
    problems: list[Problem],
) -> PriceRow | None:
    if len(cells) != len(names):
        text = f"has {len(cells)} cells, the head has {len(names)}"
        problems.append(Problem(text=text, hint="quote a cell with a comma in it", line=line))
        return None
    row: Mapping[str, str] = dict(zip(names, cells, strict=True))
    for name, said in (("as_of", facts.as_of), ("currency", facts.currency)):
        if row.get(name):
            said.append((row[name], line))
    return PriceRow(
        line=line, country=row["country"], sender=row.get("sender", ""), price=row["price"]
    )


def read_yaml_rows(text: str, problems: list[Problem]) -> tuple[list[PriceRow], Facts]:
    """Read YAML: ``as_of``, ``currency`` and ``prices``, a country to a price or to senders."""
    facts = Facts()
    rows: list[PriceRow] = []
    root = read_mapping(text, problems)
    for name, node, line in pairs_of(root, problems) if root is not None else ():
        if name not in _KEYS:
            problems.append(
                Problem(text="unknown key", hint=near(name, _KEYS), field=name, line=line)
            )
        elif name == "prices":
            rows += _yaml_prices(node, line, problems)
        else:
            said = facts.as_of if name == "as_of" else facts.currency
            said.append((text_of(node) or "", line))
    return rows, facts


def _yaml_prices(node: yaml.Node, line: int, problems: list[Problem]) -> Iterator[PriceRow]:
    if not isinstance(node, yaml.MappingNode):
        problems.append(
            Problem(text="is not a list of countries", hint="FR: 0.045", field="prices", line=line)
        )
        return
    for country, value, place in pairs_of(node, problems, path="prices."):
        if not isinstance(value, yaml.MappingNode):
            price = text_of(value) or ""
            yield PriceRow(line=place, country=country, sender="", price=price)
            continue
        for sender, price_node, at in pairs_of(value, problems, path=f"prices.{country}."):
            price = text_of(price_node) or ""
            yield PriceRow(line=at, country=country, sender=sender, price=price)
