"""
What ``transliterate`` and ``measure`` do to one text, done to a column of them.

Whole columns go through expressions; only the rows for which a closed form could be wrong (a
fraction behind a digit, a cluster at the end of a part) go through the functions of
``core.content``, one by one. Each row comes out as these would have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import polars as pl

from smsflow_provider.core.content.encoding import GSM_CHARACTERS, MAX_PARTS, limits_of, measure
from smsflow_provider.core.content.punctuation import FRACTIONS, PUNCTUATION
from smsflow_provider.core.content.transliteration import (
    Transliteration,
    transliterate,
    transliteration_changes,
)
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.cutting import WIDE, class_of, cut_many, may_join

#: The type of the column ``encoding``.
ENCODINGS: Final = pl.Enum([one.value for one in Encoding])
#: What was replaced, and by what, with how often.
Changes = Counter[tuple[str, str]]


_GSM: Final = class_of(GSM_CHARACTERS)
_NOT_GSM: Final = f"[^{_GSM}]"
# A digit before a fraction changes what stands for it.
_IN_CONTEXT: Final = f"[{class_of(FRACTIONS)}]"
_ACCENT: Final = r"[\x{300}-\x{36F}]"
# A character with its combining accents is replaced as one.
_ACCENTED: Final = rf"(?s:.){_ACCENT}+"
# Up to here a character's replacement is looked up before a text is seen; the rest is met
# in so few texts that it is looked up for those alone.
_LATIN_END: Final = 0x0250


def transliterate_many(texts: pl.Series, level: Transliteration) -> pl.Series:
    """
    Replace in each of *texts* what GSM 7-bit lacks, as far as *level* allows.

    Args:
        texts: Rendered texts, none of them null.
        level: As for ``transliterate``.

    Returns:
        A column of the same name and length; each row equals ``transliterate(row, level)``. The
        one given is left alone, and given back where there is nothing to do.

    Raises:
        ValueError: A text is null, or an unknown *level*.

    Example:
        >>> transliterate_many(pl.Series(["Fête…", "Été"]), Transliteration.FULL).to_list()
        ['Fete...', 'Été']
    """
    level, texts = Transliteration(level), _checked(texts)
    if level is Transliteration.NONE:
        return texts
    places = texts.str.contains(_NOT_GSM).arg_true()
    if not len(places):
        return texts
    found = texts.gather(places)
    return texts.clone().scatter(places, _replaced(found, level))


def count_changes(texts: pl.Series, level: Transliteration) -> Changes:
    """
    Count what ``transliterate_many`` changes. Counts of several columns may be added up.

    Args:
        texts: As for ``transliterate_many``.
        level: As for ``transliterate_many``.

    Returns:
        A character (or one with its combining accents) and what it becomes, with how often.
        These are pieces of texts: not for logs.

    Raises:
        ValueError: As for ``transliterate_many``.

    Example:
        >>> dict(count_changes(pl.Series(["fête", "Être…"]), Transliteration.PUNCTUATION))
        {('…', '...'): 1}
    """
    level, texts = Transliteration(level), _checked(texts)
    if level is Transliteration.NONE:
        return Counter()
    found = texts.filter(texts.str.contains(_NOT_GSM))
    in_context = found.str.contains(_IN_CONTEXT)
    changes: Changes = Counter()
    for text in found.filter(in_context):
        changes.update((old, new) for _, old, new in transliteration_changes(text, level))
    rest = found.filter(~in_context)
    alone = rest.str.replace_all(_ACCENTED, "").str.replace_all(f"[{_GSM}]+", "")
    counts = Counter("".join(alone))
    counts.update(_accented_in(rest))
    for old, count in counts.items():
        new = transliterate(old, level)
        if new != old:
            changes[old, new] += count
    return changes


def top_changes(changes: Changes, *, most: int = 50) -> list[dict[str, Any]]:
    """
    List the *most* frequent changes as JSON values, equal counts by character.

    Example:
        >>> top_changes(Counter({("ê", "e"): 2, ("…", "..."): 1}), most=1)
        [{'from': 'ê', 'to': 'e', 'count': 2}]
    """
    ranked = sorted(changes.items(), key=lambda change: (-change[1], change[0]))
    return [{"from": old, "to": new, "count": count} for (old, new), count in ranked[:most]]


def changes_of(texts: pl.Series, level: Transliteration, *, most: int = 50) -> list[dict[str, Any]]:
    """
    List what transliteration changes in a column, the most frequent first.

    Args:
        texts: As for ``transliterate_many``.
        level: As for ``transliterate_many``.
        most: Changes in the list, at most.

    Returns:
        ``from``, ``to`` and ``count`` of each; pieces of texts: not for logs.

    Raises:
        ValueError: As for ``transliterate_many``.

    Example:
        >>> changes_of(pl.Series(["fête", "même…"]), Transliteration.FULL)
        [{'from': 'ê', 'to': 'e', 'count': 2}, {'from': '…', 'to': '...', 'count': 1}]
    """
    return top_changes(count_changes(texts, level), most=most)


def measure_many(
    texts: pl.Series, *, splits: Mapping[Encoding, str], reference_bits: int = 8
) -> pl.DataFrame:
    """
    Choose the encoding of each of *texts* and count its units and parts.

    Args:
        texts: Texts as they will leave, none of them null.
        splits: How the gateway cuts a long text, by encoding; see ``measure``.
        reference_bits: As for ``measure``.

    Returns:
        A row for each text: ``encoding``, ``units`` and ``parts`` (Int32, Int16) as
        ``measure(text, split=splits[encoding])`` has them, ``parts`` null where it refuses
        (more than 255), and ``is_cut``: whether ``is_cut_inside`` says so and there are parts.

    Raises:
        ValueError: A text is null, or an unknown way of cutting or *reference_bits*.

    Example:
        >>> splits = dict.fromkeys(Encoding, "unit")
        >>> measure_many(pl.Series(["Été", "ê" * 71]), splits=splits).rows()
        [('gsm7', 3, 1, False), ('ucs2', 71, 2, False)]
    """
    for encoding in Encoding:
        measure("", split=splits[encoding], reference_bits=reference_bits)
    frame = _counted(_checked(texts), reference_bits=reference_bits)
    for encoding in Encoding:
        split = splits[encoding]
        places = _doubtful(frame, encoding=encoding, split=split)
        if len(places):
            found = cut_many(
                frame[places], encoding=encoding, split=split, reference_bits=reference_bits
            )
            frame = frame.with_columns(
                frame["parts"].clone().scatter(places, found["parts"]),
                frame["is_cut"].clone().scatter(places, found["is_cut"]),
            )
    fits = (pl.col("parts") <= MAX_PARTS).fill_null(value=False)
    return frame.select(
        "encoding",
        "units",
        pl.when(fits).then("parts").cast(pl.Int16),
        pl.col("is_cut") & fits,
    )


def _checked(texts: pl.Series) -> pl.Series:
    if texts.null_count():
        raise ValueError(f"{texts.null_count()} of the texts are null")
    # A column without rows may not know that it holds texts.
    return texts.cast(pl.String)


def _replaced(texts: pl.Series, level: Transliteration) -> pl.Series:
    """Replace in texts each of which holds something that is not GSM 7-bit."""
    in_context = texts.str.contains(_IN_CONTEXT)
    table = _table_of(level)
    if texts.str.contains(_ACCENT).any():
        accented = set(_accented_in(texts.filter(~in_context)))
        table = {one: transliterate(one, level) for one in accented} | table
    # A character with its accents comes before the same one without.
    longest_first = sorted(table, key=len, reverse=True)
    plain = texts.str.replace_many(
        longest_first, [table[one] for one in longest_first], leftmost=True
    )
    if level is Transliteration.FULL:
        plain = _spelled(plain, (plain.str.contains(_NOT_GSM) & ~in_context).arg_true())
    if in_context.any():
        exact = [transliterate(text, level) for text in texts.filter(in_context)]
        plain = plain.scatter(in_context.arg_true(), exact)
    return plain


def _accented_in(texts: pl.Series) -> Iterator[str]:
    """Give every character that has combining accents, with them, as often as it stands there."""
    found = texts.filter(texts.str.contains(_ACCENT)).str.extract_all(_ACCENTED)
    return iter(found.explode().drop_nulls())


def _spelled(texts: pl.Series, places: pl.Series) -> pl.Series:
    """Replace what the table of known characters lacks in the texts at *places*."""
    if not len(places):
        return texts
    rest = texts.gather(places)
    rare = sorted(set("".join(rest)) - GSM_CHARACTERS)
    spelling = [transliterate(one, Transliteration.FULL) for one in rare]
    return texts.scatter(places, rest.str.replace_many(rare, spelling))


@lru_cache(maxsize=4)
def _table_of(level: Transliteration) -> dict[str, str]:
    """Give the characters that are replaced the same wherever they stand."""
    known = set(PUNCTUATION)
    if level is Transliteration.FULL:
        known |= set(map(chr, range(_LATIN_END)))
    known -= GSM_CHARACTERS | set(FRACTIONS)
    return {one: transliterate(one, level) for one in sorted(known)}


def _counted(texts: pl.Series, *, reference_bits: int) -> pl.DataFrame:
    """Count as if no part ended inside a pair or a cluster."""
    frame = pl.DataFrame({"text": texts}).with_columns(is_ucs2=texts.str.contains(_NOT_GSM))
    frame = frame.with_columns(wide=_wide_of(frame))
    (single_gsm, limit_gsm), (single_ucs2, limit_ucs2) = (
        limits_of(encoding, reference_bits=reference_bits)
        for encoding in (Encoding.GSM7, Encoding.UCS2)
    )
    frame = frame.with_columns(
        units=pl.col("text").str.len_chars().cast(pl.Int32) + pl.col("wide"),
        single=pl.when("is_ucs2").then(single_ucs2).otherwise(single_gsm),
        limit=pl.when("is_ucs2").then(limit_ucs2).otherwise(limit_gsm),
        encoding=pl.when("is_ucs2")
        .then(pl.lit(Encoding.UCS2.value))
        .otherwise(pl.lit(Encoding.GSM7.value))
        .cast(ENCODINGS),
    )
    is_long = pl.col("units") > pl.col("single")
    parts = (pl.col("units") + pl.col("limit") - 1) // pl.col("limit")
    return frame.select(
        *("text", "encoding", "wide", "units"),
        is_long=is_long,
        parts=pl.when(is_long).then(parts).otherwise(1).cast(pl.Int32),
        is_cut=pl.lit(value=False),
    )


def _wide_of(frame: pl.DataFrame) -> pl.Series:
    """Count the characters of two units of each text, by its own encoding."""
    texts, places = frame["text"], frame["is_ucs2"].arg_true()
    wide = texts.str.count_matches(WIDE[Encoding.GSM7])
    if len(places):
        found = texts.gather(places).str.count_matches(WIDE[Encoding.UCS2])
        wide = wide.scatter(places, found)
    return wide.cast(pl.Int32)


def _doubtful(frame: pl.DataFrame, *, encoding: Encoding, split: str) -> pl.Series:
    """Find the long texts in which a part could end where the closed form does not look."""
    is_long = pl.col("is_long") & (pl.col("encoding") == encoding.value)
    is_by_cluster = encoding is Encoding.UCS2 and split not in {"unit", "code_point"}
    if not is_by_cluster:
        return frame.select((is_long & (pl.col("wide") > 0)).arg_true()).to_series()
    places = frame.select(is_long.arg_true()).to_series()
    found = frame.select(pl.col("text").gather(places)).select(may_join(pl.col("text")))
    return places.filter(found.to_series())
