"""
The second pass over an audience: those still in become messages, all others exclusions.

Rows go to the store as they are made; the next chunk is rendered meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from smsflow_provider.core.audience.layout import ID
from smsflow_provider.core.content.render_process import RenderProcess
from smsflow_provider.core.content.settings import MissingPolicy
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.fingerprint import MessageDigest
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.mention import Mentions
from smsflow_provider.core.preparation.personalise import Chunk, Personalised, Personaliser
from smsflow_provider.core.preparation.rows import AudienceRows, IdDigest
from smsflow_provider.core.preparation.tally import Tally
from smsflow_provider.core.preparation.texts import count_changes
from smsflow_provider.core.preparation.time_zones import zones_of
from smsflow_provider.core.store.digest import add_frame
from smsflow_provider.core.store.prepared import PreparationWriter

#: Numbers sets of time zones; new sets get a number.
ZoneNumbers = Callable[[list[str]], dict[str, int]]

_EXCLUSION = ("row_number", "recipient_id", "phone", "reason", "detail", "winner_id")
_MESSAGE = (
    *("position", "phone", "recipient_id", "sender", "body", "encoding", "parts"),
    *("region", "kind", "zone", "language"),
)


class MessagePass:
    """
    Writes the messages and the exclusions of one preparation, and counts them.

    Args:
        rows: The audience.
        candidates: Its rows, with the reasons that need no text decided.
        ids: Of the rows the candidates were made of.
        dialects: Of the gateways that may carry the messages; see ``Personaliser``.
        process: Renders the texts; the caller opens and closes it.
        zone_numbers: Called with sets of time zones that have not been met yet.
        on_rows: Called after each chunk with how many messages there are.
    """

    def __init__(
        self,
        rows: AudienceRows,
        candidates: Candidates,
        *,
        ids: IdDigest,
        template: Template,
        dialects: Sequence[Dialect],
        mentions: Mentions,
        process: RenderProcess,
        zone_numbers: ZoneNumbers,
        on_rows: Callable[[int], None],
    ) -> None:
        self._rows = rows
        self._candidates = candidates
        self._ids = ids
        self._template = template
        self._dialects = dialects
        self._mentions = mentions
        self._process = process
        self._zone_numbers = zone_numbers
        self._on_rows = on_rows
        self._zones: dict[str, int | None] = {"": None}
        self._winners = winner_ids(rows, candidates)
        self.digest = MessageDigest()
        self.tally = Tally(len(candidates))

    def write(self, writer: PreparationWriter) -> None:
        """
        Write every row of the audience, as a message or as an exclusion.

        Raises:
            TemplateError: The text takes too long, or too much memory, for several rows.
            AudienceError: The audience has other rows than at the first pass, or in another order:
                a text would go to somebody else's number. Nothing must be published.
        """
        personaliser = Personaliser(
            self._template,
            dialects=self._dialects,
            process=self._process,
            mentions=self._mentions,
        )
        for made in personaliser.personalise(self._chunks(writer)):
            self._settle(made, writer)
            self._on_rows(self.tally.to_deliver)
        self.tally.unknown_languages = personaliser.unknown_languages

    def _chunks(self, writer: PreparationWriter) -> Iterator[Chunk]:
        """Hand out those still in; write the others as they come by."""
        known = self._rows.schema()
        fields = [name for name in self._template.columns if name in known]
        start, ids = 0, IdDigest()
        for frame in self._rows.frames([*dict.fromkeys([ID, *fields])]):
            ids.add(frame[ID])
            if start + frame.height > len(self._candidates):
                break
            people = self._candidates.slice(start, frame.height).with_columns(frame[ID])
            start += frame.height
            is_in = people["reason"].is_null()
            self._exclude(people.filter(~is_in), writer)
            if is_in.any():
                yield Chunk(people=people.filter(is_in), fields=frame.filter(is_in).select(fields))
        if ids != self._ids:
            raise AudienceError("the audience has changed between its two readings")

    def _exclude(self, people: pl.DataFrame, writer: PreparationWriter) -> None:
        """Write people who get no message: columns ``reason`` and ``detail`` say why."""
        if people.is_empty():
            return
        named = people.join(self._winners, on="winner_row", how="left", maintain_order="left")
        same = pl.format("same number as row {}", "winner_row")
        detail = pl.when(pl.col("winner_row").is_not_null()).then(same).otherwise("detail")
        written = named.with_columns(pl.col("reason").cast(pl.String), detail.alias("detail"))
        self.tally.add_excluded(written)
        writer.write_exclusions(written.select(_EXCLUSION))

    def _settle(self, made: Personalised, writer: PreparationWriter) -> None:
        """Turn rendered rows into messages, exclusions, or problems to report."""
        whole = made.people.drop("detail").hstack(made.texts)
        settings = self._template.settings
        is_long = (pl.col("parts") > settings.max_parts) & pl.col("failed").is_null()
        is_long &= pl.col("body").is_not_null()
        long = whole.filter(is_long)
        self._leave_out(long, Exclusion.TOO_LONG, pl.format("{} parts", "parts"), writer)
        missing = whole.filter(pl.col("missing").is_not_null())
        if settings.missing is MissingPolicy.EXCLUDE:
            self._leave_out(missing, Exclusion.MISSING_FIELD, pl.col("missing"), writer)
        else:
            self.tally.missing.update(dict(missing["missing"].value_counts().iter_rows()))
        failed = whole["failed"].drop_nulls()
        self.tally.failures.update(dict(failed.value_counts().iter_rows()))
        good = pl.col("body").is_not_null() & pl.col("failed").is_null() & ~is_long
        self._keep(whole.filter(good), writer)

    def _leave_out(
        self,
        people: pl.DataFrame,
        reason: Exclusion,
        detail: pl.Expr,
        writer: PreparationWriter,
    ) -> None:
        self._exclude(
            people.with_columns(pl.lit(reason.value).alias("reason"), detail.alias("detail")),
            writer,
        )

    def _keep(self, people: pl.DataFrame, writer: PreparationWriter) -> None:
        """Number the messages, digest, count and write them."""
        first = self.tally.to_deliver + 1
        numbers = pl.int_range(first, first + people.height, dtype=pl.Int32, eager=True)
        messages = people.with_columns(
            numbers.alias("position"), self._zones_of(people).alias("zone")
        )
        level = self._template.settings.transliteration
        self.tally.changes += count_changes(people["rendered"], level)
        self.tally.without_mention += int((~people["has_mention"]).sum())
        self.tally.add_messages(messages)
        written = messages.select(_MESSAGE)
        add_frame(self.digest, written)
        writer.write_messages(written)

    def _zones_of(self, people: pl.DataFrame) -> pl.Series:
        names = zones_of(people.select("phone", "kind"))
        new = [name for name in names.unique().to_list() if name not in self._zones]
        if new:
            self._zones.update(self._zone_numbers(new))
        return names.replace_strict(self._zones, return_dtype=pl.Int16)


def winner_ids(rows: AudienceRows, candidates: Candidates) -> pl.DataFrame:
    """Look up who got the message in place of duplicates: ``winner_row`` and ``winner_id``."""
    wanted = candidates.winner_rows()["winner_row"].unique().sort()
    found = [pl.DataFrame(schema={"winner_row": pl.UInt32, "winner_id": pl.String})]
    start = 0
    for frame in rows.frames([ID]) if len(wanted) else ():
        end = start + frame.height
        here = wanted.filter((wanted > start) & (wanted <= end))
        ids = frame[ID].gather(here - (start + 1))
        found.append(pl.DataFrame({"winner_row": here, "winner_id": ids}))
        start = end
    return pl.concat(found)
