"""The rows of a saved audience with others behind them, or without some: sources for a new file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa

from smsflow_provider.core.audience.layout import ID, IDS_ARE, OWN
from smsflow_provider.core.audience.person_keys import PersonKeys
from smsflow_provider.core.audience.place import OpenFile
from smsflow_provider.core.audience.read import (
    has_row_numbers,
    read_empty,
    read_record_batches,
    read_schema,
)
from smsflow_provider.core.audience.reference import AudienceReference, near_hint
from smsflow_provider.core.errors import AudienceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The people of *old* who are not in *new*, and then those of *new*. Checks both contents."""

    label: str
    old: AudienceReference
    new: AudienceReference
    open_file: OpenFile

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        by_id = have_own_ids(self.old, self.new, open_file=self.open_file)
        self._check_columns()
        newer = PersonKeys.of(_read(self.new, self.open_file, check_content=False), by_id=by_id)
        yield _shaped(read_empty(self.old, open_file=self.open_file), by_id=by_id)
        for batch in _read(self.old, self.open_file):
            yield _shaped(batch.filter(pa.array(~newer.are_in(batch))), by_id=by_id)
        for batch in _read(self.new, self.open_file):
            yield _shaped(batch, by_id=by_id)

    def _check_columns(self) -> None:
        old, new = (
            list(read_schema(each, open_file=self.open_file)) for each in (self.old, self.new)
        )
        problems = [
            *(f"there is no column {one!r}{near_hint(one, new)}" for one in old if one not in new),
            *(f"{self.label} has no column {one!r}" for one in new if one not in old),
        ]
        if problems:
            raise AudienceError(
                "only people with the same columns can be appended",
                audience=self.label,
                problems=problems,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """The people of *old* without others: those of an audience, or with some ids."""

    label: str
    old: AudienceReference
    without: AudienceReference | Collection[str]
    open_file: OpenFile

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        by_id = True
        if isinstance(self.without, AudienceReference):
            by_id = have_own_ids(self.old, self.without, open_file=self.open_file)
            goers = PersonKeys.of(_read(self.without, self.open_file), by_id=by_id)
        elif has_row_numbers(self.old, open_file=self.open_file):
            raise AudienceError(
                "the ids of this audience are row numbers: they name nobody", audience=self.label
            )
        else:
            goers = PersonKeys.of_ids(self.without)
        yield _shaped(read_empty(self.old, open_file=self.open_file), by_id=by_id)
        for batch in _read(self.old, self.open_file):
            yield _shaped(batch.filter(pa.array(~goers.are_in(batch))), by_id=by_id)


def have_own_ids(one: AudienceReference, other: AudienceReference, *, open_file: OpenFile) -> bool:
    """
    Tell whether the people of two audiences can be compared by id. False: by phone only.

    An audience of nobody goes with any.

    Raises:
        AudienceError: Only one of the two has ids of people; or a file is gone.
    """
    numbered = {has_row_numbers(each, open_file=open_file) for each in (one, other) if each.count}
    if len(numbered) > 1:
        raise AudienceError(
            "one of the two audiences has ids of people, and the other row numbers: build both with"
            " an id_column, or both without"
        )
    return not numbered.pop() if numbered else True


def _read(
    reference: AudienceReference, open_file: OpenFile, *, check_content: bool = True
) -> Iterator[pa.RecordBatch]:
    return read_record_batches(reference, open_file=open_file, check_content=check_content)


def _shaped(batch: pa.RecordBatch, *, by_id: bool) -> pa.RecordBatch:
    """Let rows be numbered anew where their ids are row numbers."""
    if by_id:
        return batch.replace_schema_metadata({IDS_ARE: OWN})
    return batch.select([name for name in batch.schema.names if name != ID])
