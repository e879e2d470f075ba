"""From a source's columns to the columns of an audience: ``recipient_id``, ``phone``, the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from smsflow_provider.core.audience import columns
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.errors import AudienceError

ID = "recipient_id"
PHONE = "phone"
#: What a file says of its ids, among the metadata of its schema: names of people, or of rows only.
IDS_ARE = b"smsflow.ids"
OWN = b"own"
ROW_NUMBERS = b"row_numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which column of a source plays which part. Made once, from the first batch."""

    #: What errors call the source.
    label: str
    #: All names of the source, in its order.
    names: tuple[str, ...]
    #: The column that holds the phone.
    phone_column: str
    #: The column that identifies a recipient. None: the row's number does.
    id_column: str | None
    #: The columns that keep their own names.
    others: tuple[str, ...]

    @property
    def needed(self) -> list[str]:
        """The source's columns that anything is made of; the rest need not be read."""
        return [*([self.id_column] if self.id_column else []), self.phone_column, *self.others]

    def arranged(self, batch: pa.RecordBatch, *, first_row: int) -> pa.RecordBatch:
        """
        Put one batch into the audience's shape, with settled types.

        Args:
            batch: Columns of the names this layout was made for, in any order.
            first_row: Number of the batch's first row in the source, from 1.

        Raises:
            AudienceError: Other columns than in the first batch, an empty id, or a type that
                no text can show.
        """
        _check_names(batch.schema.names, expected=self.names, label=self.label)
        arrays = [
            self._ids(batch, first_row=first_row),
            _as_key(_column(batch, self.phone_column), name=self.phone_column),
            *(columns.settled(_column(batch, name), name=name) for name in self.others),
        ]
        return pa.RecordBatch.from_arrays(
            arrays, [ID, PHONE, *self.others], metadata={IDS_ARE: self._ids_are(batch)}
        )

    def _ids_are(self, batch: pa.RecordBatch) -> bytes:
        """Row numbers stay row numbers when an audience is built from the file of another."""
        if self.id_column is None:
            return ROW_NUMBERS
        told = (batch.schema.metadata or {}).get(IDS_ARE, OWN)
        return bytes(told) if self.id_column == ID else OWN

    def _ids(self, batch: pa.RecordBatch, *, first_row: int) -> pa.Array:
        if self.id_column is None:
            return _row_numbers(first_row, count=batch.num_rows)
        ids = _as_key(_column(batch, self.id_column), name=self.id_column)
        if ids.null_count:
            rows = np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False)) + first_row
            raise AudienceError(
                "the id column is empty in some rows",
                source=self.label,
                column=self.id_column,
                rows=rows[:20].tolist(),
                count=ids.null_count,
            )
        return ids


def make_layout(
    names: Sequence[str],
    *,
    phone_column: str,
    id_column: str | None,
    label: str,
    chosen: Sequence[str] = (),
) -> Layout:
    """
    Decide which column plays which part; all problems are told at once.

    Without *id_column*, a column called ``recipient_id`` is the id if there is one.

    Args:
        names: The source's columns, in its order.
        phone_column: The column of phones.
        id_column: The column that identifies a recipient.
        label: What errors call the source.
        chosen: The other columns that are wanted, in this order. Empty: all there are. The phone
            and the id are there anyway.

    Raises:
        AudienceError: A column is missing (with the columns there are, and the near one), a name
            is empty or there twice, or a name is needed for something else.
    """
    wanted = id_column or (ID if ID in names else None)
    others = tuple(name for name in chosen or names if name not in (phone_column, wanted))
    used = [name for name in names if name in (phone_column, wanted, *others)]
    problems = [
        *_name_problems(used),
        *_missing_problems(names, phone_column=phone_column, id_column=id_column),
        *_choice_problems(names, chosen),
        *_clash_problems(used, phone_column=phone_column, id_column=wanted),
    ]
    if problems:
        raise AudienceError(
            "the columns of the audience cannot be used",
            source=label,
            problems=problems,
            columns=_shown(names),
        )
    return Layout(
        label=label,
        names=tuple(names),
        phone_column=phone_column,
        id_column=wanted or None,
        others=others,
    )


def _choice_problems(names: Sequence[str], chosen: Sequence[str]) -> list[str]:
    known = [] if _is_row(names) else names
    twice = sorted({name for name in chosen if list(chosen).count(name) > 1})
    missing = [
        f"there is no column {name!r}, which columns names{near_hint(name, [*known])}"
        for name in chosen
        if name not in names
    ]
    return missing + [f"columns names {name!r} twice" for name in twice]


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(batch.schema.names.index(name))


def _is_row(names: Sequence[str]) -> bool:
    """Whether what should be a header looks like a row: a name that holds a whole number."""
    return any(sum(char.isdigit() for char in name) >= 6 for name in names)


def _shown(names: Sequence[str]) -> list[str] | str:
    """Show the columns, but never a person who stands where the header should be."""
    if _is_row(names):
        return f"{len(names)}, and their names look like a row: is the header missing?"
    return list(names)


def _name_problems(names: Sequence[str]) -> list[str]:
    if _is_row(names):
        return []
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    problems = [f"column {name!r} is there twice" for name in twice]
    empty = [str(place) for place, name in enumerate(names, start=1) if not name.strip()]
    return problems + ([f"columns without a name: {', '.join(empty)}"] if empty else [])


def _missing_problems(
    names: Sequence[str], *, phone_column: str, id_column: str | None
) -> list[str]:
    asked = [("phone_column", phone_column), ("id_column", id_column)]
    known = [] if _is_row(names) else names
    return [
        f"there is no column {name!r}, which {setting} names{near_hint(name, [*known])}"
        for setting, name in asked
        if name is not None and name not in names
    ]


def _clash_problems(names: Sequence[str], *, phone_column: str, id_column: str | None) -> list[str]:
    parts = {PHONE: ("phone_column", phone_column), ID: ("id_column", id_column)}
    problems = [
        f"the source has {name!r} beside {column!r}, which {setting} names: rename one"
        for name, (setting, column) in parts.items()
        if name in names and column in names and column != name
    ]
    if phone_column == id_column:
        problems.append("phone_column and id_column name the same column")
    return problems


def _check_names(found: Sequence[str], *, expected: Sequence[str], label: str) -> None:
    if sorted(found) != sorted(expected):
        raise AudienceError(
            "a later batch has other columns than the first",
            source=label,
            missing=sorted(set(expected) - set(found)),
            extra=sorted(set(found) - set(expected)),
        )


def _as_key(array: pa.Array, *, name: str) -> pa.Array:
    """Make a phone or an id: text, exactly as a person would write the value."""
    settled = columns.settled(array, name=name)
    kind = settled.type
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        raise AudienceError(
            "a column of this type holds no phones and no ids",
            column=name,
            type=columns.kind_of(kind),
        )
    return columns.as_text(settled)


def _row_numbers(first_row: int, *, count: int) -> pa.Array:
    numbers = pl.int_range(first_row, first_row + count, eager=True)
    return pc.cast(numbers.to_arrow(), columns.TEXT)
