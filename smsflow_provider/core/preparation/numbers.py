"""
Whole columns of phone numbers, read as ``number.to_e164`` reads each one.

What is only digits with a plus or some separators, nearly all of any column, is looked up in
the number plans as whole numbers (``number_line``). The rest, each text once, goes to
``to_e164_many``. Tests compare the two ways and the library.
"""

from __future__ import annotations

import functools
from typing import Final

import polars as pl

from smsflow_provider.core.preparation.number import (
    WRAPPING,
    check_region,
    plain_character,
    to_e164_many,
)
from smsflow_provider.core.preparation.number_line import TENS, digits_of, home_line, world
from smsflow_provider.core.preparation.number_plan import (
    FIRST_VALID,
    NUMBER_KINDS,
    PROBLEMS,
    REGIONS,
    SEE_WORLD,
    SEE_WORLD_FOR_NUMBER,
    SEE_WORLD_IF_DOUBLE_ZERO,
    UNSURE,
    VERDICTS,
    kind_of_verdict,
    problem_of_verdict,
    problem_verdict,
    region_of_verdict,
    verdict_of,
)
from smsflow_provider.core.preparation.number_value import NumberProblem

PROBLEM: Final = pl.Enum([problem.value for problem in PROBLEMS])
REGION: Final = pl.Enum(REGIONS)
KIND: Final = pl.Enum([kind.value for kind in NUMBER_KINDS])
#: What ``read_numbers`` gives.
NUMBERS_SCHEMA: Final = pl.Schema(
    [("phone", pl.UInt64()), ("problem", PROBLEM), ("region", REGION), ("kind", KIND)]
)

_PLAIN: Final = r"^\+?[0-9]{3,17}$"
_SEPARATORS: Final = r"[ .\-()/]"
_SCHEME: Final = r"^(?i:tel|sms|callto):"
_DOUBLE_ZERO: Final = r"^00[ .\-]?[1-9]"
_SHEET: Final = r"^([0-9]{7,16})[.,]0{1,2}$"
# A longer text may be too long for all that is in it.
_LONGEST: Final = 250
# Greater and smaller than the whole numbers that are read like the text that writes them.
_LEAST: Final = 10**5
_MOST: Final = 10**15
# Here are all blanks, nearly all invisible marks, and the digits of most scripts.
_MENDED: Final = (*range(0x80, 0x3001), 0xFEFF, *range(0xFF10, 0xFF1A))


def read_numbers(phones: pl.Series, *, region: str | None) -> pl.DataFrame:
    """
    Read a column of phone numbers, each as ``number.to_e164`` reads it.

    Args:
        phones: Texts, whole numbers, floats, decimals, categories, or Python objects. Of any
            other type all are ``not_a_number``; nulls are ``no_address``.
        region: ISO 3166 code of the country of numbers written the national way. None: such
            numbers are ``no_region``.

    Returns:
        A row for each, in order, of ``NUMBERS_SCHEMA``: either ``phone``, the E.164 digits
        without the plus, or ``problem`` is null; ``kind`` and, for a number of no country,
        ``region`` too.

    Raises:
        ConfigError: phonenumbers does not know *region*.

    Example:
        >>> read_numbers(pl.Series(["06 12 34 56 78", "36111"]), region="FR").rows()
        [(33612345678, None, 'FR', 'mobile'), (None, 'short_code', None, None)]
    """
    code = check_region(region)
    judged = _judge_texts(_texts_of(phones), region=code)
    is_null = phones.is_null().rename("verdict")
    no_address = pl.lit(problem_verdict(NumberProblem.NO_ADDRESS), dtype=pl.UInt16)
    judged = judged.with_columns(
        verdict=pl.when(is_null).then(no_address).otherwise(pl.col("verdict"))
    )
    left = judged.get_column("verdict") == UNSURE
    if left.any():
        judged = _put(judged, left, _read_rest(phones.filter(left), region=code))
    return _frame_of(judged)


def _frame_of(judged: pl.DataFrame) -> pl.DataFrame:
    verdicts = judged.get_column("verdict")
    phone = pl.when(pl.col("verdict") >= FIRST_VALID).then(pl.col("number"))
    parts = {part.name: part.gather(verdicts) for part in _parts_of_verdicts()}
    return judged.select(phone=phone.cast(pl.UInt64), **parts)


@functools.cache
def _parts_of_verdicts() -> tuple[pl.Series, ...]:
    """The problem, the region and the kind of each verdict."""
    every = range(VERDICTS)
    return (
        pl.Series("problem", map(problem_of_verdict, every), dtype=PROBLEM),
        pl.Series("region", map(region_of_verdict, every), dtype=REGION),
        pl.Series("kind", map(kind_of_verdict, every), dtype=KIND),
    )


def _texts_of(phones: pl.Series) -> pl.Series:
    """Texts as they are, whole numbers of ordinary size as texts; null: to be read one by one."""
    kind = phones.dtype
    if kind == pl.String:
        return phones
    if isinstance(kind, (pl.Categorical, pl.Enum)):
        return phones.cast(pl.String)
    if not kind.is_numeric():
        return pl.repeat(None, len(phones), dtype=pl.String, eager=True)
    whole = phones.cast(pl.Int64, strict=False)
    is_ordinary = whole.is_between(_LEAST, _MOST, closed="none")
    if not kind.is_integer():
        is_ordinary &= whole.cast(kind, strict=False) == phones
    texts = whole.cast(pl.String)
    return texts.set(~is_ordinary.fill_null(value=False), None)


def _judge_texts(texts: pl.Series, *, region: str | None) -> pl.DataFrame:
    """Give ``verdict`` and ``number``; nulls and what holds other characters are not sure."""
    is_plain = texts.str.contains(_PLAIN).fill_null(value=False)
    found = _judge_plain(texts.filter(is_plain), region=region)
    if len(found) == len(texts):
        return found
    judged = _put(_unsure(len(texts)), is_plain, found)
    is_other = ~is_plain & (texts.str.len_chars() <= _LONGEST).fill_null(value=False)
    return _put(judged, is_other, _judge_written(texts.filter(is_other), region=region))


def _unsure(rows: int) -> pl.DataFrame:
    return pl.select(
        verdict=pl.repeat(UNSURE, rows, dtype=pl.UInt16), number=pl.repeat(0, rows, dtype=pl.Int64)
    )


def _put(judged: pl.DataFrame, where: pl.Series, these: pl.DataFrame) -> pl.DataFrame:
    """Replace the rows *where* it is true by *these*, of which there are as many."""
    rows = where.arg_true()
    columns = judged.clone().get_columns()
    return pl.DataFrame([column.scatter(rows, these.get_column(column.name)) for column in columns])


def _judge_written(texts: pl.Series, *, region: str | None) -> pl.DataFrame:
    """Judge texts with separators, quotes, blanks and digits of other scripts."""
    clean = _mended(texts).str.strip_chars(WRAPPING).str.replace(_SCHEME, "")
    clean = clean.str.replace(_SHEET, "$1")
    digits = clean.str.replace_all(_SEPARATORS, "")
    is_plain = digits.str.contains(_PLAIN)
    clean = clean.filter(is_plain)
    # Without a zero in brackets it may be another number.
    has_bracket = clean.str.contains("(", literal=True)
    has_double_zero = clean.str.contains(_DOUBLE_ZERO) & ~has_bracket
    judged = _judge_plain(digits.filter(is_plain), has_double_zero=has_double_zero, region=region)
    is_sure = (pl.col("verdict") >= FIRST_VALID) | ~has_bracket
    return _put(_unsure(len(texts)), is_plain, judged.with_columns(verdict=_verdict_if(is_sure)))


def _mended(texts: pl.Series) -> pl.Series:
    if (texts.str.len_bytes() == texts.str.len_chars()).all():
        return texts
    signs, plain = _mending()
    return texts.to_frame("text").select(pl.col("text").str.replace_many(signs, plain)).to_series()


@functools.cache
def _mending() -> tuple[list[str], list[str]]:
    """Signs, and what each stands for."""
    signs = [chr(code) for code in _MENDED]
    pairs = [(sign, plain_character(sign)) for sign in signs]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    return [sign for sign, _ in changed], [plain for _, plain in changed]


def _judge_plain(
    texts: pl.Series, *, region: str | None, has_double_zero: pl.Series | None = None
) -> pl.DataFrame:
    """
    Judge texts of 3 to 17 digits, with or without a plus.

    Args:
        has_double_zero: Whether it was written as one, of those that begin with ``00``. None:
            all of them were.
    """
    is_plus = texts.str.starts_with("+")
    numbers = texts.str.strip_prefix("+").cast(pl.Int64)
    size = texts.str.len_bytes() - is_plus
    judged = _unsure(len(texts)).with_columns(number=numbers)
    if not is_plus.all():
        at_home = (numbers + TENS.gather(size)).filter(~is_plus)
        judged = _put(judged, ~is_plus, home_line(region).judge(at_home))
    verdicts = judged.get_column("verdict")
    # Behind a plus there is no zero: it would be lost, and with it a digit.
    abroad = is_plus & (digits_of(numbers) == size)
    abroad |= verdicts.is_between(SEE_WORLD, SEE_WORLD_FOR_NUMBER)
    may_be_abroad = verdicts == SEE_WORLD_IF_DOUBLE_ZERO
    abroad |= may_be_abroad if has_double_zero is None else may_be_abroad & has_double_zero
    found = world().judge(judged.get_column("number").filter(abroad))
    has_one_way = (is_plus | (verdicts == SEE_WORLD)).filter(abroad)
    is_sure = (pl.col("verdict") >= FIRST_VALID) | has_one_way
    judged = _put(judged, abroad, found.with_columns(verdict=_verdict_if(is_sure)))
    is_judged = ~pl.col("verdict").is_between(SEE_WORLD, SEE_WORLD_IF_DOUBLE_ZERO)
    return judged.with_columns(verdict=_verdict_if(is_judged))


def _verdict_if(is_sure: pl.Expr) -> pl.Expr:
    return pl.when(is_sure).then(pl.col("verdict")).otherwise(pl.lit(UNSURE, dtype=pl.UInt16))


def _read_rest(phones: pl.Series, *, region: str | None) -> pl.DataFrame:
    """Read what is left by rows, each text once."""
    kind = phones.dtype
    if kind == pl.String or isinstance(kind, (pl.Categorical, pl.Enum)):
        texts = phones.cast(pl.String).alias("text").to_frame()
        distinct = texts.unique()
        rows = _read_rows(distinct.get_column("text").to_list(), region=region)
        found = texts.join(distinct.hstack(rows), on="text", how="left", maintain_order="left")
        return found.drop("text")
    if kind.is_numeric() or kind == pl.Object:
        return _read_rows(phones.to_list(), region=region)
    verdict = problem_verdict(NumberProblem.NOT_A_NUMBER)
    return _unsure(len(phones)).with_columns(verdict=pl.lit(verdict, dtype=pl.UInt16))


def _read_rows(raws: list[object], *, region: str | None) -> pl.DataFrame:
    numbers = to_e164_many(raws, region=region)
    return pl.DataFrame(
        {
            "verdict": pl.Series(map(verdict_of, numbers), dtype=pl.UInt16),
            "number": pl.Series([int(one.e164 or 0) for one in numbers], dtype=pl.Int64),
        }
    )
