"""What a benchmark of preparation found, and what it should have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: How many times as fast as the row-by-row reference a preparation must be.
LEAST_SPEEDUP: Final = 15.0
#: How many times as long as reading the people and writing the rows it may take.
MOST_FLOOR_RATIO: Final = 4.5
#: Memory of the process and of the one that renders for it, in MB of 1,000,000 bytes.
MOST_PEAK_MB: Final = 600.0
#: How many times as much memory five times as many people may take.
MOST_GROWTH: Final = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareResult:
    """One benchmark of preparation; the medians of its rounds."""

    rows: int
    #: Of the product.
    seconds: float
    #: Of the row-by-row reference, scaled to all rows. None: not measured.
    reference_s: float | None
    #: Rows the reference was measured with.
    reference_rows: int
    #: Of reading the people and writing the rows. None: not measured.
    floor_s: float | None
    peak_mb: float
    #: Seconds of each step of the product, in their order.
    steps: Mapping[str, float]
    excluded: int
    to_deliver: int

    @property
    def speedup(self) -> float | None:
        """How many times as fast as the reference the product is."""
        return None if self.reference_s is None else self.reference_s / self.seconds

    @property
    def floor_ratio(self) -> float | None:
        """How many times as long as the floor the product takes."""
        return None if self.floor_s is None else self.seconds / self.floor_s

    @property
    def slowest_step(self) -> str:
        """The step that takes longest."""
        return max(self.steps, key=lambda name: self.steps[name], default="")

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values, rounded for people."""
        return {
            "rows": self.rows,
            "seconds": _rounded(self.seconds),
            "speedup": _rounded(self.speedup),
            "floor_ratio": _rounded(self.floor_ratio),
            "peak_mb": round(self.peak_mb, 1),
            "steps": {name: _rounded(seconds) for name, seconds in self.steps.items()},
            "slowest_step": self.slowest_step,
            "reference_s": _rounded(self.reference_s),
            "reference_rows": self.reference_rows,
            "floor_s": _rounded(self.floor_s),
            "excluded": self.excluded,
            "to_deliver": self.to_deliver,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One ratio beside its limit."""

    what: str
    found: float
    limit: float
    #: The found one must not be below the limit, instead of not above.
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the limit holds."""
        return self.found >= self.limit if self.is_least else self.found <= self.limit

    def line(self) -> str:
        """Write a line of the table."""
        sign = "at least" if self.is_least else "at most"
        answer = "ok" if self.is_met else "MISSED"
        return f"{self.what:<44} {self.found:9.2f}  {sign:<8} {self.limit:7.1f}  {answer}"


def verdicts_of(result: PrepareResult, larger: PrepareResult) -> list[Verdict]:
    """Judge a whole result, and the memory of one with five times as many people."""
    growth = larger.peak_mb / result.peak_mb
    return [
        Verdict(
            what="times the speed of the row-by-row reference",
            found=result.speedup or 0.0,
            limit=LEAST_SPEEDUP,
            is_least=True,
        ),
        Verdict(
            what="times as long as reading and bare COPY",
            found=result.floor_ratio or float("inf"),
            limit=MOST_FLOOR_RATIO,
        ),
        Verdict(what="peak memory in MB", found=result.peak_mb, limit=MOST_PEAK_MB),
        Verdict(what="times that memory for 5 times as many", found=growth, limit=MOST_GROWTH),
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
