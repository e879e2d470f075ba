"""A file of numbers for a list, handed in as text: read whole, with all that is wrong at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number_list import Raw, read_rows, sorted_out

#: Wrong lines that are named one by one; of more, the number is.
SHOWN: Final = 200

#: Says what is wrong with a row beside its number.
Check = Callable[[Raw], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """What a file says."""

    #: Rows with their numbers, E.164 without the plus.
    good: Sequence[tuple[Raw, int]] = field(repr=False)
    #: ``line 3: too short``, in the order of the file; never a number.
    problems: Sequence[str]

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return len(self.good) + len(self.problems)


def read_list(
    text: str, *, column: str, facts: Sequence[str], region: str | None, check: Check
) -> ReadList:
    r"""
    Read a CSV with a header, or one number a line without one.

    Args:
        text: The whole file.
        column: The column of numbers.
        facts: Other columns to read.
        region: Country of national numbers.
        check: Says what is wrong with a row beside its number.

    Raises:
        ConfigError: It has no such column, no row, or is no CSV; or an unknown region.

    Example:
        >>> found = read_list("phone\n+33612345678\n12\n", column="phone", facts=[],
        ...                   region=None, check=lambda _: None)
        >>> found.rows, found.problems
        (2, ['line 3: no region (give a region)'])
    """
    try:
        raws = list(read_rows(io.StringIO(text, newline=""), column=column, facts=facts))
    except csv.Error:
        raise ConfigError("the file is no CSV") from None
    if not raws:
        raise ConfigError("the file has no number")
    good, bad = sorted_out(raws, region=region, place="line", advice="give a region")
    wrong = {raw.line: problem for raw, _ in good if (problem := check(raw))}
    problems = [*bad, *(f"line {line}: {problem}" for line, problem in wrong.items())]
    return ReadList(
        good=[one for one in good if one[0].line not in wrong],
        problems=sorted(problems, key=_line_of),
    )


def _line_of(problem: str) -> int:
    return int(problem.removeprefix("line ").partition(":")[0])
