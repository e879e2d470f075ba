"""What differs between two audiences: who came, who went, and whose row reads otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import polars as pl

from smsflow_provider.core.audience.layout import ID, PHONE
from smsflow_provider.core.audience.masking import masked_phone
from smsflow_provider.core.audience.person_keys import id_keys, phone_keys
from smsflow_provider.core.audience.place import OpenFile
from smsflow_provider.core.audience.read import read_audience, read_schema
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved_sources import have_own_ids

#: Rows that are shown of each kind.
SHOWN: Final = 20
#: An id that ends in so many digits of the phone is taken for the phone.
_PHONE_DIGITS: Final = 6


class DiffKind(StrEnum):
    """What became of a person from one audience to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRow:
    """One person who differs, as anybody may see them."""

    kind: DiffKind
    #: The id; masked where it is the phone, empty where ids are row numbers.
    recipient_id: str
    #: Masked; of a person who changed, the later one.
    phone: str
    #: Columns that read otherwise, of a person who changed.
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceDiff:
    """Two audiences compared by *by*. Several rows of one person count as one person."""

    #: ``recipient_id``; ``phone`` where ids are row numbers: rows without one are left out then.
    by: str
    added: int
    removed: int
    #: People whose columns, of those both have with one type, hold other values.
    changed: int
    unchanged: int
    #: Columns that only the later one has, and only the former.
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    #: Columns of both whose type is another; their values are not compared.
    columns_changed: tuple[str, ...]
    #: Up to 20 of each kind, in no order that means anything.
    rows: tuple[DiffRow, ...]


def diff_audiences(
    old: AudienceReference, new: AudienceReference, *, open_file: OpenFile
) -> AudienceDiff:
    """
    Compare two audiences person by person, by id.

    Holds 16 bytes for each person of both. Rows are compared by a hash of 64 bits.

    Raises:
        AudienceError: Only one of the two has ids of people; or a file is gone.
    """
    by = ID if have_own_ids(old, new, open_file=open_file) else PHONE
    before, after = (read_schema(each, open_file=open_file) for each in (old, new))
    columns = [name for name in before if before[name] == after.get(name) and name != ID]
    found = _joined(*(_people(each, open_file, by, columns) for each in (old, new)))
    rows = [
        *_shown(DiffKind.ADDED, found, new, open_file=open_file, by=by),
        *_shown(DiffKind.REMOVED, found, old, open_file=open_file, by=by),
        *_changed(found, old, new, open_file=open_file, by=by, columns=columns),
    ]
    counts = dict(found.group_by("kind").len().iter_rows())
    return AudienceDiff(
        by=by,
        **{str(kind): counts.get(str(kind), 0) for kind in DiffKind},
        unchanged=counts.get("unchanged", 0),
        columns_added=tuple(name for name in after if name not in before),
        columns_removed=tuple(name for name in before if name not in after),
        columns_changed=tuple(
            name for name in before if name in after and before[name] != after[name]
        ),
        rows=tuple(rows),
    )


def _key(frame: pl.DataFrame, by: str) -> pl.Series:
    return (id_keys if by == ID else phone_keys)(frame[by])


def _people(
    reference: AudienceReference, open_file: OpenFile, by: str, columns: Sequence[str]
) -> pl.DataFrame:
    """Make one key and one hash per person; a sum, so that the order of their rows is nothing."""
    parts = [pl.DataFrame(schema={"key": pl.UInt64, "row": pl.UInt64})]
    for frame in read_audience(reference, open_file=open_file, check_content=True):
        hashes = frame.select(columns).hash_rows()
        part = pl.DataFrame({"key": _key(frame, by), "row": hashes}).drop_nulls("key")
        parts.append(part.group_by("key").agg(pl.col("row").sum()))
    return pl.concat(parts).group_by("key").agg(pl.col("row").sum())


def _joined(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Put both beside each other: ``key`` and ``kind``."""
    both = old.join(new, on="key", how="full", coalesce=True, suffix="_new")
    kind = (
        pl.when(pl.col("row").is_null())
        .then(pl.lit("added"))
        .when(pl.col("row_new").is_null())
        .then(pl.lit("removed"))
        .when(pl.col("row") != pl.col("row_new"))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("unchanged"))
    )
    return both.select("key", kind=kind)


def _keys_of(kind: DiffKind, found: pl.DataFrame) -> pl.Series:
    return found.filter(pl.col("kind") == str(kind))["key"].sort().head(SHOWN)


def _rows_of(
    reference: AudienceReference, keys: pl.Series, *, open_file: OpenFile, by: str
) -> dict[int, list[dict[str, Any]]]:
    """Read the rows of a few people, by key."""
    rows: dict[int, list[dict[str, Any]]] = {}
    if keys.is_empty():
        return rows
    for frame in read_audience(reference, open_file=open_file):
        picked = frame.with_columns(_key(frame, by).alias("\0key")).filter(
            pl.col("\0key").is_in(keys.implode())
        )
        for row in picked.iter_rows(named=True):
            rows.setdefault(row.pop("\0key"), []).append(row)
    return rows


def _shown(
    kind: DiffKind,
    found: pl.DataFrame,
    reference: AudienceReference,
    *,
    open_file: OpenFile,
    by: str,
) -> list[DiffRow]:
    rows = _rows_of(reference, _keys_of(kind, found), open_file=open_file, by=by)
    return [_row(kind, each[0], by=by) for each in rows.values()]


def _changed(
    found: pl.DataFrame,
    old: AudienceReference,
    new: AudienceReference,
    *,
    open_file: OpenFile,
    by: str,
    columns: Sequence[str],
) -> list[DiffRow]:
    keys = _keys_of(DiffKind.CHANGED, found)
    before, after = (_rows_of(each, keys, open_file=open_file, by=by) for each in (old, new))
    return [
        _row(
            DiffKind.CHANGED,
            rows[0],
            by=by,
            columns=[name for name in columns if _values(before[key], name) != _values(rows, name)],
        )
        for key, rows in after.items()
    ]


def _values(rows: Sequence[dict[str, Any]], name: str) -> list[str]:
    return sorted(repr(row[name]) for row in rows)


def _row(kind: DiffKind, row: dict[str, Any], *, by: str, columns: Sequence[str] = ()) -> DiffRow:
    phone, recipient = str(row[PHONE] or ""), str(row[ID])
    digits, named = ("".join(filter(str.isdigit, each)) for each in (phone, recipient))
    is_phone = len(digits) >= _PHONE_DIGITS and named[-_PHONE_DIGITS:] == digits[-_PHONE_DIGITS:]
    return DiffRow(
        kind=kind,
        recipient_id="" if by == PHONE else masked_phone(recipient) if is_phone else recipient,
        phone=masked_phone(phone),
        columns=tuple(columns),
    )
