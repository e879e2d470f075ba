"""
The people of a benchmark: made up, the same for the same seed.

Nine columns. Of a hundred rows, three repeat the number of an earlier row; 93 numbers are French
mobiles as E.164 writes them, three are French as people write them, three are foreign and one is
no number. A fifth of the people is on the opt-out list. A third of the texts is not GSM 7-bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.reference import AudienceReference

#: The text of the benchmark: four fields, a filter and a condition.
TEMPLATE: Final = """---
label: Bench
sender: ACME
class: marketing
region: FR
max_parts: 3
---
Bonjour {{ first_name | title }}, {% if points > 1000 %}vos {{ points }} points sont là\
{% else %}votre cadeau est là{% endif %}, dans notre boutique de {{ city }}, jusqu'au \
{{ until }}. STOP 36111
"""

Numbers = np.ndarray[Any, np.dtype[np.int64]]

# The digit after the 6 of a French mobile; behind the others there are gaps.
_SECOND_DIGITS: Final = np.array([0, 1, 2, 4, 5, 6, 7, 8])
_MOBILES: Final = 80_000_000
# Coprime to the number of mobiles: every one of them is met once before the first comes again.
_STRIDE: Final = 48_271_003
# German, British, Spanish, Italian and Belgian mobiles, but for the last six digits.
_FOREIGN: Final = np.array([49_15123, 44_7400, 34_612, 39_3123, 32_470])
_JUNK: Final = ("", "n/a", "inconnu", "06 12", "+33612", "0000000000", "+999612345678")
_SYLLABLES: Final = ("ma", "lou", "be", "jo", "na", "li", "sé", "ro", "da", "ti", "cla", "mé")
_RARE: Final = ("noç", "rê", "noë", "mî", "lô", "naï")
_NAMES: Final = 6_000
_CITIES: Final = 3_000
# Of the names and of the cities, so that a third of the texts has one of their letters.
_RARE_SHARE: Final = 0.18


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What one benchmark works on."""

    audience: AudienceReference
    #: A Parquet file with the first rows of the audience.
    sample: Path
    sample_rows: int
    #: E.164 without the plus.
    opted_out: list[int] = field(repr=False)


def make_people(folder: Path, *, rows: int, sample_rows: int, seed: int) -> People:
    """
    Make an audience of *rows* people in *folder*.

    Args:
        folder: An empty folder; the files stay below it.
        rows: Number of people, 1 or more.
        sample_rows: How many of them the sample holds, at most *rows*.
        seed: The same seed makes the same people.
    """
    random = np.random.default_rng(seed)
    frame, numbers = make_frame(rows, random)
    raw, sample = folder / "people.parquet", folder / "sample.parquet"
    frame.write_parquet(raw)
    frame.head(sample_rows).write_parquet(sample)
    source = FileBatches(lambda: raw.open("rb"), label=raw.name)
    audience = build_audience(source, target=folder / "audience.parquet")
    assert audience is not None
    raw.unlink()
    known = np.unique(numbers[numbers > 0])
    chosen = random.choice(known, size=min(rows // 5, len(known)), replace=False)
    return People(
        audience=audience,
        sample=sample,
        sample_rows=min(sample_rows, rows),
        opted_out=sorted(chosen.tolist()),
    )


def make_frame(rows: int, random: np.random.Generator) -> tuple[pl.DataFrame, Numbers]:
    """Make the rows, and their numbers as E.164 digits; 0 is none."""
    numbers, shapes = _numbers(rows, random)
    frame = pl.DataFrame(
        {
            "recipient_id": pl.int_range(1, rows + 1, eager=True).cast(pl.String).str.zfill(8),
            "phone": _written(numbers, shapes, random),
            "first_name": _picked(_words(_NAMES, 3, random), rows, random),
            "last_name": _picked(_words(_NAMES, 4, random), rows, random).str.to_uppercase(),
            "city": _picked(_words(_CITIES, 4, random), rows, random).str.to_titlecase(),
            "points": random.integers(0, 2_000, rows),
            "until": _dates(rows, random).dt.strftime("%d/%m"),
            "segment": _picked(pl.Series(["gold", "silver", "new"]), rows, random),
            "last_order_on": _dates(rows, random),
        }
    )
    return frame, numbers


def _numbers(rows: int, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Choose who has which number, and the shape in which it is written, 0 to 7; 7 is junk."""
    shapes = random.choice(8, rows, p=[0.93, 0.01, 0.01, 0.005, 0.005, 0.03, 0.0, 0.01])
    order = np.arange(rows, dtype=np.int64) * _STRIDE % _MOBILES
    second, rest = np.divmod(order, 10_000_000)
    numbers = 33_600_000_000 + _SECOND_DIGITS[second] * 10_000_000 + rest
    foreign = _FOREIGN[order % len(_FOREIGN)] * 1_000_000 + order // 8 % 1_000_000
    numbers = np.where(shapes == 5, foreign, numbers)
    numbers[shapes == 7] = 0
    twice = np.flatnonzero(random.random(rows) < 0.03)
    earlier = (random.random(len(twice)) * twice).astype(np.int64)
    numbers[twice], shapes[twice] = numbers[earlier], shapes[earlier]
    return numbers, shapes


def _written(numbers: Numbers, shapes: Numbers, random: np.random.Generator) -> pl.Series:
    """Write the numbers as they stand in files."""
    digits, shape = pl.col("number").cast(pl.String), pl.col("shape")
    national = pl.lit("0") + digits.str.slice(2)
    pairs = [national.str.slice(start, 2) for start in range(0, 10, 2)]
    junk = _picked(pl.Series(_JUNK), len(numbers), random)
    frame = pl.DataFrame({"number": numbers, "shape": shapes, "junk": junk})
    written = (
        pl.when(shape == 1)
        .then(national)
        .when(shape == 2)
        .then(pl.concat_str(pairs, separator=" "))
        .when(shape == 3)
        .then(pl.concat_str(pairs, separator="."))
        .when(shape == 4)
        .then(pl.lit("00") + digits)
        .when(shape == 7)
        .then("junk")
        .otherwise(pl.lit("+") + digits)
    )
    return frame.select(written.alias("phone")).to_series()


def _words(count: int, syllables: int, random: np.random.Generator) -> pl.Series:
    """Make up words, some of them with a letter GSM 7-bit lacks."""
    picked = random.choice(_SYLLABLES, (count, syllables))
    rare = random.random(count) < _RARE_SHARE
    picked[rare, 0] = random.choice(_RARE, int(rare.sum()))
    return pl.Series(["".join(word) for word in picked.tolist()])


def _picked(words: pl.Series, rows: int, random: np.random.Generator) -> pl.Series:
    return words.gather(random.integers(0, len(words), rows))


def _dates(rows: int, random: np.random.Generator) -> pl.Series:
    return pl.Series(random.integers(20_000, 20_400, rows), dtype=pl.Int32).cast(pl.Date)
