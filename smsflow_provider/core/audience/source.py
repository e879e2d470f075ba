"""The seam between people and where they come from: a source hands out column batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

_Batch = TypeVar("_Batch")

#: Rows of one batch. Small enough for bounded memory, large enough for column speed.
BATCH_ROWS = 50_000


#: Chooses what to read of the columns there are; raises ``AudienceError`` when one is missing.
Pick = Callable[[Sequence[str]], Sequence[str]]


def all_columns(names: Sequence[str]) -> Sequence[str]:
    """Choose every column."""
    return names


class OnEmpty(StrEnum):
    """What to do when a source has nobody."""

    #: An empty audience is a mistake: raise.
    FAIL = "fail"
    #: There is nothing to do today: no file, no reference; the tasks after it are skipped.
    SKIP = "skip"
    #: Go on with an audience of zero.
    CONTINUE = "continue"


class Source(Protocol):
    """
    Somewhere people come from, read once from start to end.

    A source does not rename, clean or check: it hands over what it found. ``build_audience`` does
    the rest.
    """

    @property
    def label(self) -> str:
        """What errors call it: a file's name or a connection's id. No secret, no personal data."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """
        Hand out the rows in order, a batch at a time.

        The batches may differ in the types of their columns, not in the names. A source without
        rows hands out one batch of zero rows if it knows its columns, so that they can be checked.

        Raises:
            AudienceError: The source cannot be read; without any value of a row in the text.
        """


@contextmanager
def ended(batches: Iterator[_Batch]) -> Iterator[Iterator[_Batch]]:
    """
    Let go of the connection or file behind *batches*, also when their reader stops early.

    Without it they are held until the error that stopped the reader is forgotten.
    """
    try:
        yield batches
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def told_by(source: Source) -> dict[str, Any]:
    """
    Ask a source how it found its people: once they are read, and only if it has a word to say.

    A source may have a method ``facts`` that returns plain values by name, such as the lines of a
    file that were left out. No value of a row is among them.

    Returns:
        What it said; empty: nothing.
    """
    tell = getattr(source, "facts", None)
    return dict(tell()) if tell else {}
