"""The lines of number plans as columns, and how a column of whole numbers is looked up in one."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from typing import Final

import phonenumbers
import polars as pl

from smsflow_provider.core.preparation.number_home import home_pieces
from smsflow_provider.core.preparation.number_plan import Piece, in_order, pieces_of_code

#: Ten to the power of its place. As places go up to 18, it tells digits, too.
TENS: Final = pl.Series("tens", [10**digits for digits in range(19)], dtype=pl.Int64)
_START: Final = 3


_PIECES: Final = pl.Schema([("start", pl.Int64()), ("verdict", pl.UInt16()), ("shift", pl.Int64())])


class Line:
    """
    A line of pieces, each from its start to the next one's.

    Args:
        pieces: They do not overlap, and are in any order.
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        rows = [(piece.start, piece.verdict, piece.shift) for piece in in_order(pieces)]
        self._pieces = pl.DataFrame(rows, schema=_PIECES, orient="row")

    def add(self, pieces: Iterable[Piece]) -> Line:
        """Give a line with more pieces, none of which lies over one of this."""
        more = Line(pieces)
        # Where one line's piece ends another's may begin; the end's verdict is the least.
        more._pieces = pl.concat([self._pieces, more._pieces]).sort("start", "verdict")
        return more

    def judge(self, numbers: pl.Series) -> pl.DataFrame:
        """
        Look up a column of whole numbers, 0 or more.

        Returns:
            Columns ``verdict`` UInt16 and ``number`` Int64, which is the number meant.
        """
        starts, verdicts, shifts = self._pieces.get_columns()
        at = starts.search_sorted(numbers, side="right") - 1
        return pl.DataFrame({"verdict": verdicts.gather(at), "number": numbers + shifts.gather(at)})


@functools.cache
def home_line(region: str | None) -> Line:
    """Give the line of the texts without a plus in one region; there is one."""
    return Line(home_pieces(region))


class World:
    """The line of all international numbers; a calling code is put on it when it comes by."""

    def __init__(self) -> None:
        self._learning = threading.Lock()
        self._known: frozenset[int] = frozenset()
        self._line = Line([])

    def judge(self, numbers: pl.Series) -> pl.DataFrame:
        """Look up numbers that begin with a calling code, as ``Line.judge`` does."""
        digits = digits_of(numbers)
        beginnings = numbers // TENS.gather((digits.cast(pl.Int64) - _START).clip(0))
        self._learn(frozenset(beginnings.unique().to_list()))
        return self._line.judge(numbers)

    def _learn(self, beginnings: frozenset[int]) -> None:
        codes = {_codes_by_beginning().get(beginning, 0) for beginning in beginnings} - {0}
        if codes <= self._known:
            return
        with self._learning:
            new = codes - self._known
            self._line = self._line.add(piece for code in new for piece in pieces_of_code(code))
            self._known |= new  # last, so that no other thread trusts a line without its code


@functools.cache
def world() -> World:
    """Give the one world there is."""
    return World()


def digits_of(numbers: pl.Series) -> pl.Series:
    """Count the digits of whole numbers greater than 0."""
    return TENS.search_sorted(numbers, side="right")


@functools.cache
def _codes_by_beginning() -> dict[int, int]:
    """The calling code of each number of three digits that begins with one."""
    found = {}
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        more = 10 ** (_START - len(str(code)))
        found.update(dict.fromkeys(range(code * more, (code + 1) * more), code))
    return found
