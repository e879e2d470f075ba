"""The characters that an author wrote into a template, and where they stand in its file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smsflow_provider.core.content.body import make_sandbox
from smsflow_provider.core.content.filters import FILTERS

#: What of a template can end up in a text: the words between the tags, and quoted ones in them.
_WRITTEN: Final = frozenset({"data", "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A stretch of text that the author wrote."""

    text: str
    #: Of its first character, counted from 1; lines of the file, columns in code points.
    line: int
    column: int

    def place_of(self, offset: int) -> tuple[int, int]:
        """Tell line and column of the character at *offset*."""
        newlines = self.text.count("\n", 0, offset)
        if not newlines:
            return self.line, self.column + offset
        return self.line + newlines, offset - self.text.rfind("\n", 0, offset)


def written_in(body: str, *, first_line: int = 1) -> Iterator[Written]:
    """
    Find what the author of *body* wrote, without tags, comments and names of fields.

    Args:
        body: A Jinja text that can be parsed.
        first_line: Line of the file at which it begins.

    Yields:
        The stretches in order. Quoted words in tags are among them, with their quotes, whether
        the text shows them or only compares with them.

    Example:
        >>> [(one.text, one.column) for one in written_in("Hé {{ name or 'toi' }}")]
        [('Hé ', 1), ("'toi'", 15)]
    """
    starts = [0, *(index + 1 for index, char in enumerate(body) if char == "\n")]
    position = 0
    for _, kind, value in make_sandbox(FILTERS).lex(body):
        # A tag with a minus takes white space away from the stretch before it, hence the search.
        found = body.find(value, position)
        if found < 0:
            continue
        position = found + len(value)
        if kind in _WRITTEN and value:
            row = bisect_right(starts, found) - 1
            yield Written(text=value, line=row + first_line, column=found - starts[row] + 1)
