"""``smsflow preview``: what people will read, from a template and rows or from a delivery."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from smsflow_provider.cli.preview_rows import Rows, pair_of, read_rows
from smsflow_provider.cli.reach import (
    add_json_argument,
    add_store_argument,
    print_json,
    reach_store,
)
from smsflow_provider.cli.words import counted
from smsflow_provider.core.content.template import Template, load_template
from smsflow_provider.core.document.problem import near
from smsflow_provider.core.errors import ConfigError, TemplateError
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES, gateway_type
from smsflow_provider.core.preparation.prices import FILES, PriceTable, read_prices
from smsflow_provider.core.preparation.template_preview import (
    Choice,
    Sample,
    TemplatePreview,
    parts_of,
)
from smsflow_provider.core.store.samples import Pick

_NO_MESSAGE = "the delivery has no message: smsflow report tells why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", help="a template file (*.sms.j2), or the id of a prepared delivery")
    parser.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="ID",
        help="show this recipient (column recipient_id or id); may be repeated",
    )
    parser.add_argument(
        "--pick",
        action="append",
        default=[],
        type=_pick_of,
        metavar="WHICH",
        help=f"of all rows or messages, show the {_picks()}; may be repeated",
    )
    rows = parser.add_argument_group("of a template")
    rows.add_argument(
        "--data", type=Path, metavar="FILE", help="rows to fill it with: CSV, Parquet"
    )
    rows.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one row, field by field; may be repeated",
    )
    rows.add_argument("--limit", type=int, default=10, help="at most this many rows (10)")
    rows.add_argument(
        "--gateway",
        choices=sorted(GATEWAY_TYPES),
        help="how long texts are cut; without it the way that needs most parts counts",
    )
    rows.add_argument("--rules", type=Path, metavar="FOLDER", help="folder with a price table")
    add_json_argument(parser)
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the texts. Exit code 1 if a row that was looked at has none."""
    document = _of_template(args) if _is_template(args.what) else _of_delivery(args)
    if args.json:
        print_json(document)
    else:
        _show(_shown_of(document), currency=document.get("currency", ""))
        for problem in document.get("problems", []):
            print(f"smsflow: {problem}", file=sys.stderr)
    return 1 if _is_lacking(document) else 0


def _shown_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = document["messages" if "messages" in document else "samples"]
    return shown


def _is_lacking(document: dict[str, Any]) -> bool:
    shown = _shown_of(document)
    is_short = document.get("without_text") or document.get("without_message")
    return bool(is_short) or any("problem" in one for one in shown)


def _is_template(what: str) -> bool:
    return what.endswith(".j2") or "/" in what or Path(what).is_file()


def _of_delivery(args: argparse.Namespace) -> dict[str, Any]:
    told = {
        "--data": args.data,
        "--set": args.set,
        "--gateway": args.gateway,
        "--rules": args.rules,
    }
    if useless := [name for name, value in told.items() if value]:
        raise ConfigError("these are for a template (*.sms.j2), not a delivery", options=useless)
    if args.recipient or args.pick:
        from smsflow_provider.core.preparation.preview import preview  # noqa: PLC0415

        found = preview(reach_store(args), args.what, recipients=args.recipient, picks=args.pick)
        return found | _lacking_of(found, args.recipient)
    from smsflow_provider.core.preparation.review import review  # noqa: PLC0415

    found = review(reach_store(args), args.what)
    return found if found["samples"] else {**found, "problems": [_NO_MESSAGE]}


def _lacking_of(found: dict[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Name the recipients that have no message, and say where the reason stands."""
    there = {one["recipient_id"] for one in found["messages"]}
    lacking = [one for one in wanted if one not in there]
    problems = [
        f"no message of recipient {one!r}: smsflow why --recipient {one} --delivery"
        f" {found['delivery']} tells the reason"
        for one in lacking
    ]
    if not found["messages"] and not lacking:
        problems = [_NO_MESSAGE]
    return {"without_message": lacking, "problems": problems}


def _check_words(args: argparse.Namespace, path: Path) -> None:
    """Refuse what would be ignored."""
    if args.data is not None and args.set:
        raise ConfigError("rows come from --data or from --set: give one of them")
    if args.recipient and args.pick:
        raise ConfigError("of a template, give --recipient or --pick")
    if not path.is_file():
        known = [each.name for each in path.parent.glob("*.sms.j2")]
        raise TemplateError("no such template file", file=str(path), hint=near(path.name, known))


def _prices_in(folder: Path | None) -> PriceTable | None:
    prices = None if folder is None else read_prices(folder)
    if folder is not None and prices is None:
        raise ConfigError("the folder holds no price table", folder=str(folder), names=list(FILES))
    return prices


def _of_template(args: argparse.Namespace) -> dict[str, Any]:
    path = Path(args.what)
    _check_words(args, path)
    template = load_template(path)
    rows = Rows.of([dict(map(pair_of, args.set))]) if args.data is None else None
    chunks = [rows] if rows else read_rows(args.data)
    prices = _prices_in(args.rules)
    splits = gateway_type(args.gateway).dialect.splitting if args.gateway else None
    watch = _Watch(template, TemplatePreview(template, splits=splits, prices=prices))
    samples = watch.samples(chunks)
    if args.recipient:
        shown = _of_recipients(samples, args.recipient)
    elif args.pick:
        choice = Choice(args.pick)
        for sample in samples:
            choice.see(sample)
        shown = [sample.as_dict(picks) for sample, picks in choice.chosen()]
    else:
        shown = [sample.as_dict() for sample in islice(samples, max(args.limit, 1))]
    if not watch.count:
        raise TemplateError("the file has no rows to fill the template with", file=str(args.data))
    if watch.problems and args.data is None and not args.set:
        watch.problems.append("give rows with --data FILE, or one row with --set FIELD=VALUE")
    return {
        "template": args.what,
        "problems": watch.problems,
        "rows": watch.count,
        "without_text": watch.without_text,
        "currency": prices.currency if prices else "",
        "samples": shown,
    }


class _Watch:
    """Counts what goes by."""

    def __init__(self, template: Template, preview: TemplatePreview) -> None:
        self.problems: list[str] = []
        self.count = self.without_text = 0
        self._template, self._preview = template, preview

    def samples(self, chunks: Iterable[Rows]) -> Iterable[Sample]:
        """Make the samples of all rows."""
        for chunk in chunks:
            if not self.count:
                lacking = self._template.missing_columns(chunk.columns)
                self.problems += [
                    f"no column {name!r}: {hint}".removesuffix(": ")
                    for name, hint in lacking.items()
                ]
            for sample in self._preview.samples(
                chunk.columns, count=chunk.count, first_row=self.count + 1
            ):
                self.count += 1
                self.without_text += bool(sample.problem)
                yield sample


def _of_recipients(samples: Iterable[Sample], wanted: Sequence[str]) -> list[dict[str, Any]]:
    left = dict.fromkeys(wanted)
    found = []
    for sample in samples:
        if sample.recipient_id in left:
            found.append(sample.as_dict())
            del left[sample.recipient_id]
            if not left:
                break
    if left:
        raise ConfigError("no row is of these recipients", recipients=list(left))
    return found


def _picks() -> str:
    return ", ".join(pick.value.replace("_", "-") for pick in Pick)


def _pick_of(word: str) -> Pick:
    try:
        return Pick(word.replace("-", "_"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is none of {_picks()}") from None


def _show(samples: Sequence[dict[str, Any]], *, currency: str) -> None:
    for sample in samples:
        if "problem" in sample:
            print(f"--- row {sample['row']}: no text: {sample['problem']}")
            continue
        print(f"--- {_head_of(sample, currency=currency)}")
        parts = parts_of(sample["text"], sample.get("part_starts", []))
        for number, part in enumerate(parts, start=1):
            print(part if len(parts) == 1 else f"[{number}/{len(parts)}] {part}")


def _head_of(sample: dict[str, Any], *, currency: str) -> str:
    """Say of what the text is, for whom it stands, and what it costs."""
    words = [f"{label} {sample[key]}" for key, label in _WHOSE.items() if sample.get(key)]
    words.append(sample["encoding"])
    if sample.get("units") is not None:
        words.append(f"{sample['units']} units")
    words.append(counted(sample["parts"], "part"))
    words += [f"{label} {sample[key]}" for key, label in _SAID.items() if sample.get(key)]
    if sample.get("cost"):
        words.append(f"{sample['cost']} {sample.get('currency', currency)}")
    if sample.get("sender_problem"):
        words.append(f"the sender {sample['sender_problem']}")
    words += [warning for key, warning in _WARNINGS.items() if sample.get(key)]
    picks = sample.get("picks")
    return ", ".join(words) + (f" ({', '.join(picks)})" if picks else "")


#: Whose message it is, where that is known.
_WHOSE = {"row": "row", "recipient_id": "recipient", "to_masked": "to"}
#: What is said of a message where it is there.
_SAID = {"sender": "from", "language": "in"}
_WARNINGS = {"is_cut": "may be cut inside a character", "is_too_long": "more than max_parts"}
