"""Measure texts for several gateways: whichever cuts a text into most parts counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.texts import measure_many

#: How one gateway cuts a long text, by encoding.
Splits = dict[Encoding, str]


def splits_of(dialects: Iterable[Dialect]) -> list[Splits]:
    """List the ways in which *dialects* cut long texts, each way once."""
    found: list[Splits] = []
    for dialect in dialects:
        splits = {encoding: split.value for encoding, split in dialect.splitting.items()}
        if splits not in found:
            found.append(splits)
    return found


def measure_for_all(texts: pl.Series, splits: Sequence[Splits]) -> pl.DataFrame:
    """
    Measure *texts* as ``measure_many`` does, for each of *splits*.

    Args:
        splits: One or more.

    Returns:
        As ``measure_many``: ``parts`` is the largest number, null where one refuses; ``is_cut``
        is whether one cuts inside a character.

    Example:
        >>> by_unit, whole = dict.fromkeys(Encoding, "unit"), dict.fromkeys(Encoding, "grapheme")
        >>> text = pl.Series(["🎉" * 67])
        >>> measure_for_all(text, [by_unit]).row(0), measure_for_all(text, [by_unit, whole]).row(0)
        (('ucs2', 134, 2, True), ('ucs2', 134, 3, True))
    """
    first, *others = [measure_many(texts, splits=one) for one in splits]
    for other in others:
        fit = first["parts"].is_not_null() & other["parts"].is_not_null()
        most = pl.max_horizontal("parts", other["parts"].alias("others"))
        first = first.with_columns(
            pl.when(fit).then(most).cast(pl.Int16).alias("parts"),
            ((pl.col("is_cut") | other["is_cut"]) & fit).alias("is_cut"),
        )
    return first
