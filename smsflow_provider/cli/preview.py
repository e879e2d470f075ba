"""``smsflow preview``: what people will read, from a template and a few rows or from a delivery."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.content.render import Failed, Missing, Renderer
from smsflow_provider.core.content.template import Template, load_template
from smsflow_provider.core.content.transliteration import transliterate
from smsflow_provider.core.errors import ConfigError, TemplateError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", help="a template file (*.sms.j2), or the id of a prepared delivery")
    parser.add_argument("--data", type=Path, metavar="CSV", help="rows to fill the template with")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one row, field by field; may be repeated",
    )
    parser.add_argument("--limit", type=int, default=10, help="at most this many rows (10)")
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the texts. Exit code 1 if a row has none."""
    if args.what.endswith(".j2") or Path(args.what).is_file():
        template, rows = load_template(Path(args.what)), _rows_of(args)
        document: dict[str, Any] = {
            "template": args.what,
            "problems": _problems_of(template, rows),
            "samples": _samples_of(template, rows),
        }
    else:
        from smsflow_provider.core.preparation.review import review  # noqa: PLC0415

        document = review(reach_store(args), args.what)
    if args.json:
        print_json(document)
    else:
        _show(document["samples"])
        for problem in document.get("problems", []):
            print(f"smsflow: {problem}", file=sys.stderr)
    return 1 if any("problem" in sample for sample in document["samples"]) else 0


def _problems_of(template: Template, rows: Sequence[dict[str, str]]) -> list[str]:
    """Name the fields that no column of the rows can fill, with the near name."""
    columns = [name for name in rows[0] if name] if rows else []
    lacking = template.missing_columns(columns)
    return [f"no column {name!r}: {hint}".removesuffix(": ") for name, hint in lacking.items()]


def _samples_of(template: Template, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    names = {name for row in rows for name in row}
    columns = {name: [row.get(name) for row in rows] for name in names}
    rendered = Renderer(template).render_chunk(columns, count=len(rows))
    return [_sample_of(template, one) for one in rendered]


def _sample_of(template: Template, rendered: str | Missing | Failed) -> dict[str, Any]:
    if isinstance(rendered, Missing):
        return {"problem": f"the field {rendered.field!r} is missing"}
    if isinstance(rendered, Failed):
        return {"problem": rendered.reason}
    text = transliterate(rendered, template.settings.transliteration)
    try:
        size = measure(text)
    except ValueError as error:
        return {"problem": str(error)}
    return {
        "text": text,
        "sender": template.settings.sender,
        "encoding": size.encoding.value,
        "units": size.units,
        "parts": size.parts,
    }


def _rows_of(args: argparse.Namespace) -> list[dict[str, str]]:
    if args.data is None:
        return [dict(_pair_of(one) for one in args.set)]
    if not args.data.is_file():
        raise ConfigError("the file of rows is not there", file=str(args.data))
    rows = _read_rows(args.data, limit=max(args.limit, 1))
    if not rows:
        raise TemplateError("the file has no rows to fill the template with", file=str(args.data))
    return rows


def _read_rows(path: Path, *, limit: int) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(islice(csv.DictReader(file, restkey=""), limit))
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file of rows is not UTF-8", file=str(path), position=error.start
        ) from None
    except csv.Error as error:
        raise ConfigError("the file of rows is no CSV", file=str(path), cause=str(error)) from None


def _pair_of(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError("write --set FIELD=VALUE", got=text)
    return name, value


def _show(samples: Sequence[dict[str, Any]]) -> None:
    for sample in samples:
        if "problem" in sample:
            print(f"--- no text: {sample['problem']}")
            continue
        to = f" to {sample['to_masked']}" if "to_masked" in sample else ""
        print(f"---{to} {sample['encoding']}, {sample['parts']} part(s)")
        print(sample["text"])
