"""What people would read, from a template and rows, before there is a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, Protocol

from smsflow_provider.core.content.encoding import (
    encoding_of,
    is_cut_inside,
    measure,
    part_boundaries,
)
from smsflow_provider.core.content.finish import finished
from smsflow_provider.core.content.render import Failed, Missing, Rendered, Renderer
from smsflow_provider.core.content.senders import problem_of_sender
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.store.samples import Pick

#: How texts are cut where no gateway is named: the largest number of parts counts.
UNKNOWN_SPLITS: Final[Mapping[Encoding, Split]] = dict.fromkeys(Encoding, Split.UNKNOWN)
#: Columns that identify a recipient, the first that is there.
ID_COLUMNS: Final = ("recipient_id", "id")
PHONE: Final = "phone"

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What came of one row: a text with its measures, or why there is none."""

    #: Place in the rows, from 1.
    row: int
    #: None: no column says it.
    recipient_id: str | None
    #: ISO 3166 code of the number. None: there is no column ``phone``, or it is no number.
    country: str | None = None
    language: str = ""
    #: Empty: the gateway's own.
    sender: str = ""
    text: str = field(default="", repr=False)
    encoding: Encoding = Encoding.GSM7
    units: int = 0
    parts: int = 0
    #: Where each part after the first begins, in characters.
    part_starts: tuple[int, ...] = ()
    #: A part may begin inside a character: what arrives may be broken.
    is_cut: bool = False
    #: More parts than the template allows: a preparation leaves the recipient out.
    is_too_long: bool = False
    #: Of all parts. None: there is no price.
    cost: Decimal | None = None
    #: Why there is no text; empty: there is one.
    problem: str = ""

    def as_dict(self, picks: Sequence[str] = ()) -> dict[str, Any]:
        """Give it as JSON values; *picks* is what it stands for."""
        common = {"row": self.row, "recipient_id": self.recipient_id, "picks": list(picks)}
        if self.problem:
            return {**common, "problem": self.problem}
        return {
            **common,
            "region": self.country,
            "language": self.language,
            "sender": self.sender,
            "sender_problem": problem_of_sender(self.sender) if self.sender else None,
            "text": self.text,
            "encoding": self.encoding.value,
            "units": self.units,
            "parts": self.parts,
            "part_starts": list(self.part_starts),
            "is_cut": self.is_cut,
            "is_too_long": self.is_too_long,
            "cost": None if self.cost is None else str(self.cost),
        }


class Rendering(Protocol):
    """Renders rows given as columns, each in its own language: ``Renderer``, or a bounded one."""

    def render_chunk(self, rows: Columns, *, count: int) -> list[Rendered]:
        """Give one result for each row, in order."""


class TemplatePreview:
    """
    Makes the texts of rows as a preparation would: language, sender, mention, transliteration.

    What decides who gets a text (opt-outs, rules, limits) is not looked at. Rows are rendered in
    this process, where an endless template would hang it, unless *rendering* does it elsewhere.

    Args:
        template: The template.
        splits: How the gateway cuts long texts. None: not known.
        prices: What a part costs. None: not known.
        rendering: Renders the rows. None: in this process.
    """

    def __init__(
        self,
        template: Template,
        *,
        splits: Mapping[Encoding, Split] | None = None,
        prices: PriceTable | None = None,
        rendering: Rendering | None = None,
    ) -> None:
        self.template = template
        self._splits = splits or UNKNOWN_SPLITS
        self._prices = prices
        self._renderer = rendering or Renderer(template)

    def samples(self, rows: Columns, *, count: int, first_row: int = 1) -> Iterator[Sample]:
        """
        Show *count* rows given as columns.

        Args:
            rows: Column name to its values.
            count: Number of rows.
            first_row: Number of the first of them.

        Raises:
            ConfigError: The ``sender_expression`` cannot be used with these columns; each of its
            problems begins with that name.
        """
        ids = next((rows[name] for name in ID_COLUMNS if name in rows), [None] * count)
        countries = self._countries_of(rows, count=count)
        rendered = self._renderer.render_chunk(rows, count=count)
        languages = self._languages_of(rows, count=count)
        senders = self._senders_of(rows, countries)
        each = zip(ids, countries, languages, senders, rendered, strict=True)
        for row, (id_, country, language, sender, one) in enumerate(each, start=first_row):
            name = None if id_ is None else str(id_)
            if isinstance(one, str):
                shown = Sample(
                    row=row, recipient_id=name, country=country, language=language, sender=sender
                )
                yield self._measured(shown, one)
            else:
                yield Sample(row=row, recipient_id=name, problem=_why_not(one))

    def _measured(self, shown: Sample, rendered: str) -> Sample:
        text = finished(rendered, self.template.settings, country=shown.country)
        encoding = encoding_of(text)
        split = self._splits[encoding].value
        if not text.strip():
            return replace(shown, problem="the text is empty")
        try:
            size = measure(text, split=split)
        except ValueError as error:
            return replace(shown, problem=str(error))
        price = None
        if self._prices is not None:
            price = self._prices.price_of(shown.country or "", shown.sender)
        return replace(
            shown,
            text=text,
            encoding=encoding,
            units=size.units,
            parts=size.parts,
            part_starts=tuple(part_boundaries(text, split=split)),
            is_cut=is_cut_inside(text, split=split),
            is_too_long=size.parts > self.template.settings.max_parts,
            cost=None if price is None else price * size.parts,
        )

    def _languages_of(self, rows: Columns, *, count: int) -> list[str]:
        column = self.template.settings.language
        values = rows.get(column or "", [None] * count)
        return [self.template.language_of(value) for value in values]

    def _countries_of(self, rows: Columns, *, count: int) -> list[str | None]:
        if PHONE not in rows:
            return [None] * count
        from smsflow_provider.core.preparation.number import to_e164_many  # noqa: PLC0415

        region = self.template.settings.region
        return [number.region for number in to_e164_many(list(rows[PHONE]), region=region)]

    def _senders_of(self, rows: Columns, countries: Sequence[str | None]) -> list[str]:
        settings = self.template.settings
        plain = [settings.sender_for(country) for country in countries]
        if settings.sender_expression is None:
            return plain
        # Only an expression needs frames; loading them takes a second.
        import polars as pl  # noqa: PLC0415

        from smsflow_provider.core.preparation.conditions import (  # noqa: PLC0415
            ValueKind,
            compile_value,
        )

        columns = {name: list(values) for name, values in rows.items()}
        # Without a column a frame has no rows; a column without a value is one of texts.
        frame = pl.DataFrame(columns or {"": [None] * len(plain)}, strict=False)
        frame = frame.with_columns(pl.col(pl.Null).cast(pl.String))
        try:
            made = compile_value(
                settings.sender_expression,
                schema=frame.schema if columns else {},
                kind=ValueKind.TEXT,
                may_be_constant=True,
            )
        except ConfigError as error:
            raise _of_sender(error) from None
        own = frame.with_columns(sender_=made)["sender_"].to_list()
        return [str(one).strip() if one else other for one, other in zip(own, plain, strict=True)]


class Choice:
    """
    Chooses from any number of samples those worth looking at, and holds no others.

    Args:
        picks: What is wanted.

    Example:
        >>> choice = Choice([Pick.LONGEST, Pick.EACH_PARTS])
        >>> for row, text in enumerate(["a", "abc", "ab"], start=1):
        ...     choice.see(Sample(row=row, recipient_id=None, text=text, parts=1))
        >>> [(sample.row, names) for sample, names in choice.chosen()]
        [(2, ['longest']), (1, ['1 part'])]
    """

    def __init__(self, picks: Iterable[Pick]) -> None:
        self._picks = tuple(dict.fromkeys(picks))
        self._best: dict[tuple[Pick, str], Sample] = {}

    def see(self, sample: Sample) -> None:
        """Look at a sample; of two that are alike the first stays."""
        if sample.problem:
            return
        for pick in self._picks:
            name = _name_of(pick, sample)
            best = self._best.get((pick, name))
            if best is None or _is_better(pick, sample, best):
                self._best[pick, name] = sample

    def chosen(self) -> list[tuple[Sample, list[str]]]:
        """Give the samples, each once, in the order of the picks, with what each stands for."""
        order = sorted(self._best, key=lambda key: (self._picks.index(key[0]), key[1]))
        found: dict[int, tuple[Sample, list[str]]] = {}
        for key in order:
            sample = self._best[key]
            found.setdefault(sample.row, (sample, []))[1].append(key[1])
        return list(found.values())


def _name_of(pick: Pick, sample: Sample) -> str:
    if pick is Pick.EACH_ENCODING:
        return sample.encoding.value
    if pick is Pick.EACH_LANGUAGE:
        return sample.language or "no language"
    if pick is Pick.EACH_PARTS:
        return "1 part" if sample.parts == 1 else f"{sample.parts} parts"
    return pick.value


def _is_better(pick: Pick, sample: Sample, best: Sample) -> bool:
    if pick is Pick.LONGEST:
        return len(sample.text) > len(best.text)
    if pick is Pick.SHORTEST:
        return len(sample.text) < len(best.text)
    return pick is Pick.DEAREST and _dearness(sample) > _dearness(best)


def _dearness(sample: Sample) -> tuple[int, Decimal]:
    return sample.parts, sample.cost or Decimal(0)


def _of_sender(error: ConfigError) -> ConfigError:
    """Say which setting the problems of an expression are about."""
    found = error.facts.get("problems")
    told = [f"sender_expression: {one}" for one in found] if isinstance(found, list) else []
    return ConfigError(error.problem, **{**error.facts, "problems": told})


def _why_not(one: Missing | Failed) -> str:
    if isinstance(one, Missing):
        return f"the field {one.field!r} is missing"
    return one.reason


def parts_of(text: str, part_starts: Sequence[int]) -> list[str]:
    """
    Cut *text* where its parts begin.

    Example:
        >>> parts_of("abcdef", [4])
        ['abcd', 'ef']
    """
    return [text[begin:end] for begin, end in pairwise([0, *part_starts, len(text)])]
