"""
Files without a person: audiences lose their rows, archives keep theirs, emptied.

A changed file is written whole beside the old one before anything refers to it or it takes the old
one's place: killed at any point, the old file is there, or the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.layout import ID, PHONE
from smsflow_provider.core.audience.place import Artifact, OpenFile
from smsflow_provider.core.audience.read import read_audience, read_empty, read_record_batches
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.source import OnEmpty
from smsflow_provider.core.audience.spool import empty_batch, read_batches
from smsflow_provider.core.store.erasure import Person

Change = Callable[[pl.DataFrame], pl.DataFrame]

#: Last digits that few others share.
_ENOUGH: Final = 5
#: What no comparison of digits reads: other digits than 0 to 9, and a spreadsheet's 6.1E+08.
_ODD: Final = r"[^\x00-\x7F]|[0-9][eE][+-]?[0-9]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Without:
    """The people of an audience but one."""

    label: str
    old: AudienceReference
    person: Person
    open_file: OpenFile

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield read_empty(self.old, open_file=self.open_file)
        for batch in read_record_batches(self.old, open_file=self.open_file, check_content=True):
            own = is_of(pl.DataFrame(batch.select([ID, PHONE])), self.person)
            yield batch.filter((~own).to_arrow().cast(pa.bool_()))


def is_of(frame: pl.DataFrame, person: Person) -> pl.Series:
    """Tell of each row, by ``phone`` and ``recipient_id``, whether it is a person's."""
    return is_written(frame[PHONE], person) | _is_id(frame[ID], person)


def _is_id(ids: pl.Series, person: Person) -> pl.Series:
    """Tell of each id whether it is the number; with neither plus nor zero it is any other id."""
    texts = ids.cast(pl.String)
    as_phone = texts.str.contains(r"^[+0]").fill_null(value=False) & is_written(texts, person)
    return as_phone | texts.is_in(list(person.ids)).fill_null(value=False)


def is_written(phones: pl.Series, person: Person) -> pl.Series:
    """
    Tell of each phone, in any writing, whether it is the person's.

    Those that only share their last digits, and those in other digits than 0 to 9, are few: each
    is read.

    Args:
        phones: Texts.
        person: Whose.

    Example:
        >>> ann = Person(phone=33612, writings=("33612", "612"))
        >>> phones = pl.Series(["+33 6 12", "0612", "0033612", "06123", None])
        >>> is_written(phones, ann).to_list()
        [True, True, True, False, False]
    """
    texts = phones.cast(pl.String)
    digits = texts.str.replace_all(r"[^0-9]", "").str.strip_chars_start("0")
    own = digits.is_in(list(person.writings)).fill_null(value=False)
    end = str(person.phone)[-_ENOUGH:]
    unsure = digits.str.contains(end, literal=True) | texts.str.contains(_ODD)
    maybe = (unsure & ~own).fill_null(value=False)
    known = {text: person.reads(text) for text in texts.filter(maybe).unique()}
    read = {text for text, is_own in known.items() if is_own}
    return (own | texts.is_in(list(read)).fill_null(value=False)).alias("")


def count_in_audience(reference: AudienceReference, person: Person, *, open_file: OpenFile) -> int:
    """
    Count a person's rows in an audience; reads its ids and phones only.

    Raises:
        AudienceError: The file is gone, or is another than the one referred to.
    """
    frames = read_audience(reference, open_file=open_file, columns=[ID, PHONE])
    return sum(int(is_of(frame, person).sum()) for frame in frames)


def rebuild_without(
    reference: AudienceReference,
    person: Person,
    *,
    target: Artifact,
    open_file: OpenFile,
) -> AudienceReference:
    """
    Write an audience once more, without a person, to *target*; ids stay as they are.

    Raises:
        AudienceError: The file is gone, or is another than the one referred to.
    """
    source = _Without(label=target.name, old=reference, person=person, open_file=open_file)
    made = build_audience(source, target=target, on_empty=OnEmpty.CONTINUE)
    assert made is not None
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPerson:
    """Where a person is in one archive."""

    #: ``delivery``, ``preparation`` and ``position`` of each message.
    messages: pl.DataFrame
    #: Ids under which they were a recipient.
    recipients: frozenset[str]
    #: Rows of exclusions.
    excluded: int


def find_in_archive(folder: Artifact, person: Person) -> ArchivedPerson:
    """
    Find a person in an archive; reads the columns that matter.

    Raises:
        FileNotFoundError: A file is not there.
    """
    keys = ["delivery", "preparation", "position"]
    found = _matching(
        folder / "messages.parquet",
        lambda frame: frame["phone"] == person.phone,
        [*keys, "recipient_id"],
    )
    excluded = _matching(
        folder / "exclusions.parquet", lambda frame: _is_excluded(frame, person), ["recipient_id"]
    )
    recipients = pl.concat([found["recipient_id"], excluded["recipient_id"]])
    return ArchivedPerson(
        messages=found.select(keys),
        recipients=frozenset(recipients.drop_nulls()) - {""},
        excluded=excluded.height,
    )


def _is_excluded(frame: pl.DataFrame, person: Person) -> pl.Series:
    by_id = frame["phone"].is_null() & _is_id(frame["recipient_id"], person)
    return (frame["phone"] == person.phone).fill_null(value=False) | by_id


def _matching(
    path: Artifact, own: Callable[[pl.DataFrame], pl.Series], columns: list[str]
) -> pl.DataFrame:
    with path.open("rb") as raw, pq.ParquetFile(raw) as file:
        frames = [
            frame.filter(own(frame)).select(columns)
            for batch in read_batches(file, columns=[*columns, "phone"])
            for frame in (pl.DataFrame(batch),)
        ]
        schema = pl.DataFrame(empty_batch(file.schema_arrow)).select(columns).schema
    return pl.concat([pl.DataFrame(schema=schema), *frames])


def blank_in_archive(
    folder: Artifact, person: Person, *, found: ArchivedPerson, nobody: int
) -> None:
    """
    Empty a person's rows in the files of an archive; rows and counts stay.

    Args:
        folder: The archive.
        person: Who.
        found: What ``find_in_archive`` found.
        nobody: The number that stands in its place.
    """
    own, blank = pl.col("phone") == person.phone, pl.lit("")
    changes: dict[str, Change] = {
        "exclusions": lambda frame: _without_excluded(frame, person, found.recipients),
        "attempts": lambda frame: _without_references(frame, found.messages),
        "messages": lambda frame: frame.with_columns(
            *(
                pl.when(own).then(blank).otherwise(name).alias(name)
                for name in ("recipient_id", "body", "gateway_ref")
            ),
            phone=pl.when(own).then(pl.lit(nobody, dtype=pl.UInt64)).otherwise("phone"),
        ),
    }
    # The messages come last: while a number is in them, the next try finds what is left to do.
    for name, change in changes.items():
        _rewrite(folder / f"{name}.parquet", change)


def _without_excluded(
    frame: pl.DataFrame, person: Person, recipients: frozenset[str]
) -> pl.DataFrame:
    own, blank = _is_excluded(frame, person), pl.lit("")
    return frame.with_columns(
        winner_id=pl.when(frame["winner_id"].is_in(list(recipients)))
        .then(blank)
        .otherwise("winner_id"),
        recipient_id=pl.when(own).then(blank).otherwise("recipient_id"),
        phone=pl.when(own).then(None).otherwise("phone"),
    )


def _without_references(frame: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    keys = messages.columns
    marked = messages.unique().with_columns(is_own=pl.lit(value=True))
    joined = frame.join(marked, on=keys, how="left", maintain_order="left")
    own = pl.col("is_own").fill_null(value=False)
    blanked = pl.when(own).then(pl.lit("")).otherwise("gateway_ref")
    return joined.with_columns(gateway_ref=blanked).drop("is_own")


def _rewrite(path: Artifact, change: Change) -> None:
    part = path.with_name(f"{path.name}.part")
    with path.open("rb") as raw, pq.ParquetFile(raw) as file, part.open("wb") as out:
        schema = file.schema_arrow
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for batch in read_batches(file):
                changed = change(pl.DataFrame(batch)).to_arrow()
                writer.write_table(changed.select(schema.names).cast(schema))
    _keep_mode(path, part)
    part.rename(path)


def _keep_mode(path: Artifact, part: Artifact) -> None:
    """Let only those read the new file who could read the old one, where files have modes."""
    chmod = getattr(part, "chmod", None)
    if chmod is not None and str(path).startswith("/"):
        chmod(path.stat().st_mode & 0o777)  # type: ignore[attr-defined]  # a path of this machine
