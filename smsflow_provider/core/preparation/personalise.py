"""From recipients who are still in to texts: render, mention, transliterate, measure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from smsflow_provider.core.content.encoding import MAX_PARTS
from smsflow_provider.core.content.languages import language_of
from smsflow_provider.core.content.render import Missing
from smsflow_provider.core.content.render_process import RenderedChunk, RenderProcess
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import TemplateError
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.preparation.cutting_for_all import measure_for_all, splits_of
from smsflow_provider.core.preparation.mention import Mentions
from smsflow_provider.core.preparation.texts import transliterate_many

#: What Python calls white space: a text of nothing else is blank.
_BLANKS: Final = "".join(chr(code) for code in range(0x110000) if chr(code).isspace())
_SEPARATOR: Final = "\x1e"
# A column of this many languages is one of names or numbers: they are not kept.
_MOST_LANGUAGES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some recipients who are still in, in order; at least one."""

    #: ``row_number``, ``recipient_id``, ``phone``, ``region``, ``kind`` and ``sender``.
    people: pl.DataFrame = field(repr=False)
    #: The columns the template reads; row by row those of *people*.
    fields: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Personalised:
    """A chunk with its texts."""

    people: pl.DataFrame = field(repr=False)
    #: Row by row those of *people*. Exactly one of ``body``, ``missing`` (the field) and
    #: ``failed`` (the reason) is not null. Besides: ``language``, ``encoding``, ``units``,
    #: ``parts``, ``is_cut``, ``has_mention`` and ``rendered``, the text before transliteration.
    texts: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """The rows of one chunk that read one language."""

    chunk: Chunk
    language: str
    #: Places of the rows in the chunk. None: all of them.
    rows: pl.Series | None
    is_last: bool

    @property
    def fields(self) -> pl.DataFrame:
        return self.chunk.fields if self.rows is None else self.chunk.fields[self.rows]

    @property
    def count(self) -> int:
        return self.chunk.people.height if self.rows is None else len(self.rows)


class Personaliser:
    """
    Makes the texts of one template for the gateways that may carry them.

    Args:
        dialects: Of these gateways, one or more: whichever cuts a text into most parts counts.
        process: Renders; the caller opens and closes it.
        mentions: The opt-out mention of each country.
    """

    def __init__(
        self,
        template: Template,
        *,
        dialects: Sequence[Dialect],
        process: RenderProcess,
        mentions: Mentions,
    ) -> None:
        self._template = template
        self._process = process
        self._mentions = mentions
        self._splits = splits_of(dialects)
        #: How many rows name a language no text is written in, by what they say; beyond a
        #: thousand different ones, which are no languages, the rest as one.
        self.unknown_languages: Counter[str] = Counter()

    def personalise(self, chunks: Iterable[Chunk]) -> Iterator[Personalised]:
        """
        Make the texts of *chunks*, in order; the next is rendered while the caller has one.

        Raises:
            TemplateError: The text takes too long, or too much memory, for several rows.
        """
        parts: list[pl.DataFrame] = []
        for job, texts in self._rendered(job for chunk in chunks for job in self._jobs_of(chunk)):
            parts.append(texts)
            if job.is_last:
                whole = pl.concat(parts).sort("place") if len(parts) > 1 else parts[0]
                parts = []
                yield self._finished(job.chunk, whole)

    def _rendered(self, jobs: Iterable[_Job]) -> Iterator[tuple[_Job, pl.DataFrame]]:
        waiting: deque[_Job] = deque()
        for job in jobs:
            columns = {name: values_of(job.fields[name]) for name in self._fields_of(job)}
            self._process.submit(columns, count=job.count, language=job.language)
            waiting.append(job)
            if len(waiting) > 1:
                yield self._collected(waiting.popleft())
        while waiting:
            yield self._collected(waiting.popleft())

    def _fields_of(self, job: _Job) -> list[str]:
        return [name for name in self._template.fields if name in job.chunk.fields.columns]

    def _collected(self, job: _Job) -> tuple[_Job, pl.DataFrame]:
        places = pl.int_range(job.count, eager=True) if job.rows is None else job.rows
        try:
            rendered = self._process.result()
        except TemplateError as error:
            raise _with_rows(error, job, places) from None
        texts = _texts_of(rendered, count=job.count).with_columns(
            places.cast(pl.UInt32).alias("place"), pl.lit(job.language).alias("language")
        )
        return job, texts

    def _jobs_of(self, chunk: Chunk) -> Iterator[_Job]:
        column = self._template.settings.language
        if column is None or column not in chunk.fields.columns:
            yield _Job(chunk=chunk, language="", rows=None, is_last=True)
            return
        codes = self._languages_of(chunk.fields[column])
        found = codes.unique(maintain_order=True).to_list()
        for code in found:
            rows = (codes == code).arg_true()
            yield _Job(chunk=chunk, language=code, rows=rows, is_last=code == found[-1])

    def _languages_of(self, values: pl.Series) -> pl.Series:
        """Tell which language each row reads; count those nobody wrote a text for."""
        written, codes = values.cast(pl.String), dict[object, str]()
        for value, count in written.value_counts().iter_rows():
            codes[value] = self._template.language_of(value)
            if value and value.strip() and not self._is_written(value):
                self._count_unknown(value.strip()[:20], count)
        return written.replace_strict(codes, return_dtype=pl.String)

    def _count_unknown(self, language: str, count: int) -> None:
        known = self.unknown_languages
        is_kept = language in known or len(known) < _MOST_LANGUAGES
        known[language if is_kept else ""] += count

    def _is_written(self, value: str) -> bool:
        """Whether a text is written in the language a row names."""
        return language_of(value, self._template.variants, default="") != ""

    def _finished(self, chunk: Chunk, texts: pl.DataFrame) -> Personalised:
        """Add the mention where it lacks, transliterate, measure."""
        rendered, has_mention = self._mentions.added(texts["body"], region=chunk.people["region"])
        level = self._template.settings.transliteration
        written = transliterate_many(rendered.fill_null(""), level)
        sizes = measure_for_all(written, self._splits)
        body = written.set(rendered.is_null(), None)
        is_empty = body.str.strip_chars(_BLANKS) == ""
        failed = (
            pl.when(is_empty)
            .then(pl.lit("the text is empty"))
            .when(body.is_not_null() & sizes["parts"].is_null())
            .then(pl.lit(f"more than {MAX_PARTS} parts"))
            .otherwise(texts["failed"])
        )
        made = texts.select("missing", "language").with_columns(
            failed.alias("failed"), rendered.alias("rendered"), has_mention.alias("has_mention")
        )
        whole = made.with_columns(body.alias("body"), *sizes.get_columns())
        return Personalised(people=chunk.people, texts=whole)


def _with_rows(error: TemplateError, job: _Job, places: pl.Series) -> TemplateError:
    """Name the rows of the audience where the error names those of a chunk."""
    found = error.facts.get("rows")
    if not isinstance(found, list):
        return error
    rows = job.chunk.people["row_number"].gather(places.gather(found)).to_list()
    return TemplateError(error.problem, **{**error.facts, "rows": rows})


def values_of(column: pl.Series) -> list[object]:
    """List the values of a field, blanks as None: nothing, not a number, white space only."""
    if column.dtype == pl.String:
        is_blank = column.str.strip_chars(_BLANKS) == ""
        if is_blank.any():
            column = column.set(is_blank, None)
    elif column.dtype.is_float():
        column = column.fill_nan(None)
    return column.to_list()


def _texts_of(chunk: RenderedChunk, *, count: int) -> pl.DataFrame:
    """Put the texts of a chunk back to their rows."""
    pieces = pl.Series([chunk.encoded]).cast(pl.String).str.split(_SEPARATOR).explode()[:-1]
    if not chunk.problems:
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, count)
        return pl.DataFrame({"body": pieces, "missing": nothing, "failed": nothing})
    problems = [chunk.problems.get(place) for place in range(count)]
    is_text = pl.Series([one is None for one in problems])
    places = pl.select(pl.when(is_text).then(is_text.cum_sum() - 1)).to_series()
    return pl.DataFrame(
        {
            "body": pieces.gather(places) if len(pieces) else [None] * count,
            "missing": [one.field if isinstance(one, Missing) else None for one in problems],
            "failed": [getattr(one, "reason", None) for one in problems],
        },
        schema={"body": pl.String, "missing": pl.String, "failed": pl.String},
    )
