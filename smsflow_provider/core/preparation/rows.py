"""The audience as preparation sees it: rows that can be read as often as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl


class AudienceRows(Protocol):
    """A frozen audience: the same rows in the same order every time."""

    @property
    def count(self) -> int:
        """Rows of the audience."""

    def schema(self) -> Mapping[str, pl.DataType]:
        """Read names and types of the columns, among them ``recipient_id`` and ``phone``."""

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """
        Read the rows, some 50,000 at a time; perhaps on a thread of its own.

        Args:
            columns: Read these only. None: all, and the content is checked on the way.

        Raises:
            AudienceError: The rows are gone, or not those they were.
        """


def read_ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """
    Read the next frame on a thread while the caller works on one; two are held at most.

    What reading raises is raised here, in its turn. Left early, it waits for the frame that is
    being read.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="smsflow-read") as pool:
        following = pool.submit(next, frames, None)
        while (frame := following.result()) is not None:
            following = pool.submit(next, frames, None)
            yield frame


@dataclass(slots=True)
class IdDigest:
    """
    Tells whether two readings of an audience gave the same recipients in the same order.

    Equal for equal ids, however the rows are cut into frames; compared within one process only.
    Keeps no id.

    Example:
        >>> one, other = IdDigest(), IdDigest()
        >>> one.add(pl.Series(["a", "b"]))
        >>> other.add(pl.Series(["b", "a"]))
        >>> one == other
        False
    """

    rows: int = 0
    total: int = field(default=0, repr=False)

    def add(self, ids: pl.Series) -> None:
        """Take the ids of the next rows, as text."""
        # Odd factors that differ by place: no two rows can change places unseen.
        places = np.arange(self.rows, self.rows + len(ids), dtype=np.uint64)
        found = ids.hash().to_numpy() * (places * np.uint64(2) + np.uint64(1))
        self.total = (self.total + int(found.sum(dtype=np.uint64))) % 2**64
        self.rows += len(ids)
