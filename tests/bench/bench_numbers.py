"""
How long it takes to read a phone number: the library, ``to_e164``, ``to_e164_many``, columns.

Prints figures and judges nothing. The column is mixed: 70 % plus and digits, 22 % national,
with separators or with ``00``, 5.5 % foreign, 2 % damaged or no numbers. All are French
or say where they are from. ``SMSFLOW_BENCH_NUMBERS`` sets the size (300,000); the two slow ways
read a sample of it.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

import phonenumbers
import polars as pl

from smsflow_provider.core.preparation.number import Number, to_e164, to_e164_many
from smsflow_provider.core.preparation.numbers import read_numbers
from smsflow_provider.core.preparation.time_zones import zones_of

Raws = TypeVar("Raws", bound=Sized)

COUNT = int(os.environ.get("SMSFLOW_BENCH_NUMBERS", "300000"))
SAMPLE = min(COUNT, 10_000)
ROUNDS = 5
BATCH = 50_000
FOREIGN = ("+4915123456789", "+447400123456", "+34612345678", "+393123456789", "+12015550123")


def make_column(count: int, *, seed: int) -> list[str]:
    """Make a mixed column; the same seed makes the same."""
    rng = random.Random(seed)
    shapes: list[Callable[[random.Random], str]] = [clean, written, foreign, junk]
    chosen = rng.choices(shapes, weights=[70, 22, 5.5, 2], k=count)
    return [shape(rng) for shape in chosen]


def clean(rng: random.Random) -> str:
    return f"+33{national(rng)}"


def written(rng: random.Random) -> str:
    """As people write it."""
    digits = national(rng)
    pairs = [f"0{digits[0]}", *(digits[at : at + 2] for at in range(1, 9, 2))]
    return rng.choice(
        ["".join(pairs), " ".join(pairs), ".".join(pairs), f"0033{digits}", f"33{digits}", digits]
    )


def foreign(rng: random.Random) -> str:
    """An example number of another country, with its last four digits changed."""
    return f"{rng.choice(FOREIGN)[:-4]}{rng.randrange(10_000):04d}"


def junk(rng: random.Random) -> str:
    """What stands in phone columns and is no number."""
    digits = national(rng)
    return rng.choice(
        ["", "n/a", "inconnu", digits[:5], f"+33{digits[:6]}", f"0{digits}12", f"+999{digits}"]
    )


def national(rng: random.Random) -> str:
    return f"{rng.choice('6667712349')}{rng.randrange(10**8):08d}"


def read_by_library(raws: Sequence[str]) -> list[str | None]:
    """Read row by row, as the library's own documentation does it."""
    return [_read_by_library(raw) for raw in raws]


def _read_by_library(raw: str) -> str | None:
    try:
        parsed = phonenumbers.parse(raw, "FR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def read_one_by_one(raws: Sequence[str]) -> list[Number]:
    return [to_e164(raw, region="FR") for raw in raws]


def read_in_batches(raws: Sequence[str]) -> None:
    """Read as preparation does: a batch is let go before the next one comes."""
    for start in range(0, len(raws), BATCH):
        to_e164_many(raws[start : start + BATCH], region="FR")


def read_columns(texts: pl.Series) -> None:
    """Read as preparation does, whole columns."""
    for start in range(0, len(texts), BATCH):
        read_numbers(texts.slice(start, BATCH), region="FR")


def find_zones(numbers: pl.DataFrame) -> None:
    for start in range(0, len(numbers), BATCH):
        zones_of(numbers.slice(start, BATCH))


def microseconds(read: Callable[[Raws], object], raws: Raws) -> float:
    """Time one pass, per number."""
    started = time.process_time()
    read(raws)
    return (time.process_time() - started) / len(raws) * 1e6


def peak_mb(read: Callable[[Sequence[str]], object], raws: Sequence[str]) -> float:
    tracemalloc.start()
    read(raws)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    column = make_column(COUNT, seed=1)
    sample = column[:SAMPLE]
    first = microseconds(read_in_batches, column[:1]) / 1e3
    texts = pl.Series(column)
    first_column = microseconds(read_columns, texts.head(1)) / 1e3
    read = read_numbers(texts, region="FR")
    rounds = [
        (
            microseconds(read_by_library, sample),
            microseconds(read_one_by_one, sample),
            microseconds(read_in_batches, column),
            microseconds(read_columns, texts),
            microseconds(find_zones, read),
        )
        for _ in range(ROUNDS)
    ]
    medians = (statistics.median(one) for one in zip(*rounds, strict=True))
    library, single, many, columns, zones = medians
    print(f"{COUNT:,} mixed numbers, median of {ROUNDS} rounds, processor time per number")
    print(f"{'library row by row':<24} {library:8.2f} us")
    print(f"{'to_e164 row by row':<24} {single:8.2f} us  {library / single:6.1f} x as fast")
    print(f"{'to_e164_many':<24} {many:8.2f} us  {library / many:6.1f} x as fast")
    print(f"{'read_numbers, columns':<24} {columns:8.2f} us  {library / columns:6.1f} x as fast")
    print(f"{'zones_of, columns':<24} {zones:8.2f} us")
    batch = column[:BATCH]
    print(f"{'the first number':<24} {first:8.2f} ms, patterns made for its calling code")
    print(f"{'the first in a column':<24} {first_column:8.2f} ms, and the plan of its region")
    print(f"{'a batch of 50,000':<24} {peak_mb(read_in_batches, batch):8.2f} MB at its peak")


if __name__ == "__main__":
    main()
