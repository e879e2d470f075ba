"""What differs between two audiences: who came, who went, and whose row reads otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl

from smsflow_provider.core.audience.layout import ID, PHONE
from smsflow_provider.core.audience.masking import masked_phone
from smsflow_provider.core.audience.person_keys import (
    NOBODY,
    Keys,
    id_keys,
    is_in,
    phone_keys,
)
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

    Holds about 80 bytes for each person of the larger one. Rows are compared by a hash of 64 bits.

    Raises:
        AudienceError: Only one of the two has ids of people; or a file is gone.
    """
    by = ID if have_own_ids(old, new, open_file=open_file) else PHONE
    before, after = (read_schema(each, open_file=open_file) for each in (old, new))
    columns = [name for name in before if before[name] == after.get(name) and name != ID]
    found, unchanged = _differing(*(_people(each, open_file, by, columns) for each in (old, new)))
    added, removed, changed = (pl.Series(found[kind][:SHOWN]) for kind in DiffKind)
    rows = [
        *_shown(DiffKind.ADDED, added, new, open_file=open_file, by=by),
        *_shown(DiffKind.REMOVED, removed, old, open_file=open_file, by=by),
        *_changed(changed, old, new, open_file=open_file, by=by, columns=columns),
    ]
    return AudienceDiff(
        by=by,
        **{str(kind): len(keys) for kind, keys in found.items()},
        unchanged=unchanged,
        columns_added=tuple(name for name in after if name not in before),
        columns_removed=tuple(name for name in before if name not in after),
        columns_changed=tuple(
            name for name in before if name in after and before[name] != after[name]
        ),
        rows=tuple(rows),
    )


def _key(frame: pl.DataFrame, by: str) -> pl.Series:
    return (id_keys if by == ID else phone_keys)(frame[by])


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """Everybody of one audience once, sorted: a key, and the sum of the hashes of their rows."""

    keys: Keys
    rows: Keys


def _people(
    reference: AudienceReference, open_file: OpenFile, by: str, columns: Sequence[str]
) -> _People:
    keys, rows = [NOBODY], [NOBODY]
    for frame in read_audience(reference, open_file=open_file, check_content=True):
        part = pl.DataFrame({"key": _key(frame, by), "row": frame.select(columns).hash_rows()})
        part = part.drop_nulls("key")
        keys.append(part["key"].to_numpy())
        rows.append(part["row"].to_numpy())
    return _once(np.concatenate(keys), np.concatenate(rows))


def _once(keys: Keys, rows: Keys) -> _People:
    """Add up the rows of each person, so that their order is nothing."""
    if not len(keys):
        return _People(keys=keys, rows=rows)
    order = np.argsort(keys)
    keys, rows = keys[order], rows[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return _People(keys=keys[first], rows=np.add.reduceat(rows, first))


def _differing(old: _People, new: _People) -> tuple[dict[DiffKind, Keys], int]:
    """Sort people by what became of them; those who are the same are only counted."""
    both = is_in(old.keys, new.keys)
    stayed = old.keys[both]
    changed = stayed[old.rows[both] != new.rows[np.searchsorted(new.keys, stayed)]]
    found = {
        DiffKind.ADDED: new.keys[~is_in(new.keys, old.keys)],
        DiffKind.REMOVED: old.keys[~both],
        DiffKind.CHANGED: changed,
    }
    return found, len(stayed) - len(changed)


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
    keys: pl.Series,
    reference: AudienceReference,
    *,
    open_file: OpenFile,
    by: str,
) -> list[DiffRow]:
    rows = _rows_of(reference, keys, open_file=open_file, by=by)
    return [_row(kind, each[0], by=by) for each in rows.values()]


def _changed(
    keys: pl.Series,
    old: AudienceReference,
    new: AudienceReference,
    *,
    open_file: OpenFile,
    by: str,
    columns: Sequence[str],
) -> list[DiffRow]:
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
