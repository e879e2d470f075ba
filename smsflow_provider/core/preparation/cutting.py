"""
Cut a column of long texts into parts, where a pair or a cluster could stand at the end of one.

Each text is written so that a character is a unit; a part then ends at a place that can be looked
at in all texts at once, and there are as many looks as parts. What cannot be told from the two
characters around that place is asked of ``core.content.encoding``, text by text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from smsflow_provider.core.content.encoding import (
    GSM_EXTENSION,
    STAND_ALONE,
    is_cut_inside,
    limits_of,
    measure,
)
from smsflow_provider.core.model import Encoding

# The halves of a character of two units: code points that stand for no character.
_HIGH: Final = "\ufdd0"
_LOW: Final = "\ufdd1"
# Texts of more parts are no campaign's; they are few, and walked one by one.
_MOST_PARTS: Final = 12


def class_of(characters: Iterable[str]) -> str:
    r"""
    Write *characters* as the inside of a class of a regular expression.

    Example:
        >>> class_of("b€")
        '\\x{62}\\x{20AC}'
    """
    return "".join(f"\\x{{{ord(one):X}}}" for one in sorted(characters))


_ALONE: Final = "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in STAND_ALONE)

#: The characters of two units, by encoding.
WIDE: Final = {
    Encoding.GSM7: f"[{class_of(GSM_EXTENSION)}]",
    Encoding.UCS2: r"[\x{10000}-\x{10FFFF}]",
}


def may_join(text: pl.Expr) -> pl.Expr:
    """Whether *text* holds what may be one character, to a reader, with its neighbour."""
    return text.str.contains(f"[^{_ALONE}]")


def cut_many(
    frame: pl.DataFrame, *, encoding: Encoding, split: str, reference_bits: int
) -> pl.DataFrame:
    """
    Count the parts of long texts, and tell where a part begins inside a pair.

    Args:
        frame: ``text`` and its ``units``; each text travels in *encoding* and needs several parts.
        encoding: Of all texts.
        split: How the gateway cuts; see ``measure``.
        reference_bits: As for ``measure``.

    Returns:
        A row for each text: ``parts`` as ``measure`` counts them, null where it refuses, and
        ``is_cut`` as ``is_cut_inside`` says it.
    """
    limit = limits_of(encoding, reference_bits=reference_bits)[1]
    is_walked = (pl.col("units") <= limit * _MOST_PARTS) & ~pl.col("text").str.contains(_LOW)
    halves = pl.col("text").str.replace_all(WIDE[encoding], _HIGH + _LOW)
    walked = frame.select("text", "units", is_walked.alias("is_walked"), halves=halves)
    parts = _walk_whole(walked, limit=limit, split=split, encoding=encoding)
    found = walked.select(
        pl.when("is_walked").then(parts).alias("parts"),
        _walk_units(walked, limit=limit, split=split).alias("is_cut"),
    )
    places = found["parts"].is_null().arg_true()
    exact = [
        _exact(text, split=split, reference_bits=reference_bits)
        for text in frame["text"].gather(places)
    ]
    return found.select(
        found["parts"].scatter(places, pl.Series([one for one, _ in exact], dtype=pl.Int32)),
        found["is_cut"].scatter(places, pl.Series([one for _, one in exact], dtype=pl.Boolean)),
    )


def _walk_whole(frame: pl.DataFrame, *, limit: int, split: str, encoding: Encoding) -> pl.Series:
    """Count parts that end before a pair or cluster, not in it. Null: not told by a look."""
    if split == "unit":
        return frame.select((pl.col("units") + (limit - 1)) // limit).to_series()
    is_by_cluster = split != "code_point" and encoding is Encoding.UCS2
    walk = frame.select("halves", "units", end=pl.lit(limit), parts=pl.lit(1, dtype=pl.Int32))
    more = pl.col("end") < pl.col("units")
    around = pl.col("halves").str.slice(pl.col("end") - 1, 2)
    back = pl.lit(0) if is_by_cluster else around.str.ends_with(_LOW).cast(pl.Int32)
    steps = pl.when(more).then(1).otherwise(0)
    if is_by_cluster:
        steps = pl.when(more & may_join(around)).then(None).otherwise(steps)
    for _ in range(_MOST_PARTS):
        if not walk.select(more.any()).item():
            break
        walk = walk.with_columns(
            parts=(pl.col("parts") + steps).cast(pl.Int32),
            end=pl.when(more).then(pl.col("end") - back + limit).otherwise("end"),
        )
    return walk["parts"]


def _walk_units(frame: pl.DataFrame, *, limit: int, split: str) -> pl.Series:
    """Tell whether one of the places a unit-wise cut falls on is inside a pair."""
    if split not in {"unit", "unknown"}:
        return pl.Series([False]).new_from_index(0, len(frame))
    text = pl.col("halves")
    looks = [text.str.slice(limit * number, 1) == _LOW for number in range(1, _MOST_PARTS)]
    return frame.select(pl.any_horizontal(looks)).to_series()


def _exact(text: str, *, split: str, reference_bits: int) -> tuple[int | None, bool]:
    try:
        parts = measure(text, split=split, reference_bits=reference_bits).parts
    except ValueError:
        return None, False
    return parts, is_cut_inside(text, split=split, reference_bits=reference_bits)
