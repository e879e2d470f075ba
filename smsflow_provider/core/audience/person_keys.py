"""Who is who among two audiences: the same id, or the same phone, by keys of eight bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from smsflow_provider.core.audience.layout import ID, PHONE

Keys = npt.NDArray[np.uint64]

#: More digits are no phone; so many fit eight bytes.
_MOST_DIGITS = 18
#: The zero that nobody dials from abroad, as in ``+33 (0)6``.
_NATIONAL_ZERO = r"^(\s*(?:\+|00)[^()]*)\(0\)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKeys:
    """
    Everybody of one audience, to find them in another: 16 bytes a person.

    Two phones are the same when they have the same digits: ``+33 6 12`` is ``0033612``, and not
    ``0612``. A row without digits has no phone. Ids are the same when their texts are; they are
    compared by a hash of 64 bits, which takes two for one once in 10^5 times for audiences of ten
    million people each.
    """

    #: Sorted; empty where ids identify nobody.
    ids: Keys
    #: Sorted.
    phones: Keys

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], *, by_id: bool) -> Self:
        """
        Collect the keys of rows.

        Args:
            batches: With ``recipient_id`` and ``phone``.
            by_id: Whether ids identify people. False: they are row numbers.
        """
        ids, phones = [NOBODY], [NOBODY]
        for batch in batches:
            if by_id:
                ids.append(id_keys(_column(batch, ID)).to_numpy())
            phones.append(phone_keys(_column(batch, PHONE)).drop_nulls().to_numpy())
        return cls(ids=_sorted(ids), phones=_sorted(phones))

    @classmethod
    def of_ids(cls, ids: Iterable[str]) -> Self:
        """Make the keys of a few people that are named by their ids."""
        named = id_keys(pl.Series([*ids], dtype=pl.String)).to_numpy()
        return cls(ids=np.unique(named), phones=NOBODY)

    def are_in(self, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Tell for each row whether it is one of these people."""
        phones = phone_keys(_column(batch, PHONE))
        known = is_in(phones.fill_null(0).to_numpy(), self.phones)
        if len(self.ids):
            known |= is_in(id_keys(_column(batch, ID)).to_numpy(), self.ids)
        return known


def id_keys(ids: pl.Series) -> pl.Series:
    """Hash ids; the same within one process only."""
    return ids.hash()


def phone_keys(phones: pl.Series) -> pl.Series:
    """
    Make keys of phones as they were given. Null: there are no digits, or far too many.

    Example:
        >>> phone_keys(pl.Series(["+33 6 12", "0033612", "+33 (0)6 12", "0612", "?"])).to_list()
        [133612, 133612, 133612, 10612, None]
    """
    bare = phones.str.replace(_NATIONAL_ZERO, "$1", literal=False)
    digits = bare.str.replace_all(r"\D", "").str.replace(r"^00", "")
    is_phone = digits.str.len_bytes().is_between(1, _MOST_DIGITS)
    # A leading one keeps leading zeros apart.
    keys = ("1" + digits).cast(pl.UInt64, strict=False)
    return keys.to_frame("key").select(pl.when(is_phone).then("key")).to_series()


NOBODY: Keys = np.array([], dtype=np.uint64)


def _sorted(parts: list[Keys]) -> Keys:
    """Put parts together and sort them in place: twice eight bytes a key at the most."""
    keys = np.concatenate(parts)
    parts.clear()
    keys.sort()
    return keys


def _column(batch: pa.RecordBatch, name: str) -> pl.Series:
    array: Any = batch.column(batch.schema.names.index(name))
    return pl.Series(array)


def is_in(keys: Keys, known: Keys) -> npt.NDArray[np.bool_]:
    """Look up in a sorted array; nothing is known of an empty one."""
    if not len(known):
        return np.zeros(len(keys), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.equal(known[places], keys)
