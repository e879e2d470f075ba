"""
Rules with nothing left open: every column found, every value final, every date a day.

``bind`` makes a plan out of rules as people write them; ``to_sql`` and ``to_frame`` carry it out.
Both must find the same people, so what a node means is said here, once.

A node is true or false of a row, never unknown. A comparison with an empty value (null) is false,
negated or not; only ``IsNull`` is true of it. ``Except`` is the exact opposite of its node: of a
row with an empty value, *except city is Paris* is true.

Texts are compared by code point, never by the database's collation; a fold is the table of
``fold``, never the database's own idea of lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

#: A value of a rule. Text has no NUL; moments have a zone if their column has one.
Value = str | int | Decimal | bool | date | datetime


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    #: Decimal or floating point.
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    #: A point in time, with a zone.
    MOMENT = "moment"
    #: Date and time of day without a zone.
    LOCAL_MOMENT = "local_moment"


class Fold(StrEnum):
    """What of a text does not count when it is compared."""

    NOTHING = "nothing"
    CASE = "case"
    ACCENTS = "accents"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A step from one table to a linked one: rows belong together where all pairs are equal."""

    #: The link's name in the dimension.
    name: str
    #: The linked table as the database calls it, ``schema.table`` or ``table``.
    table: str
    #: ``(column here, column there)``; an empty value belongs to nothing. Whether two texts are the
    #: same is the database's own equality, which its indexes go by; in frames, by code point.
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table a node is about, or of a table that it has one row of."""

    #: Links to one row, walked from that table. Without a row there, the value is empty. With
    #: several, nobody could say which: a database finds nobody, frames are refused.
    hops: tuple[Hop, ...] = ()
    #: As the database calls it.
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """A column of the key of a linked table."""

    #: As the database calls it.
    name: str
    #: None: the dimension does not say; then texts are ordered by the database's collation.
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Equals:
    """The value is exactly this one."""

    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these: one or more, each once."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The value lies between two ends of which one may be open (None). Not for texts."""

    low: Value | None = None
    high: Value | None = None
    has_low: bool = True
    has_high: bool = True


class Place(StrEnum):
    """Where in a text another one stands."""

    START = "start"
    END = "end"
    ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The text has *text*, which is not empty, at a place."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Matches:
    """
    The whole text has this form.

    ``*`` stands for any characters or none (line breaks too), ``?`` for exactly one, all else
    for itself; a backslash takes the special meaning from the character behind it, and stands for
    itself at the very end.
    """

    pattern: str

    def pieces(self) -> list[tuple[str, bool]]:
        r"""
        Cut the pattern into characters, and say of each whether it is a wildcard.

        Example:
            >>> Matches(r"a*\*").pieces()
            [('a', False), ('*', True), ('*', False)]
        """
        found = re.findall(r"\\(.)|(.)", self.pattern, flags=re.DOTALL)
        return [(plain or other, not plain and other in "*?") for plain, other in found]


@dataclass(frozen=True, slots=True)
class IsNull:
    """There is no value."""


@dataclass(frozen=True, slots=True)
class Anniversary:
    """The date's month and day are one of these. Dates and local moments only."""

    #: ``(month, day)``, sorted.
    days: tuple[tuple[int, int], ...]


Test = Equals | OneOf | Between | Holds | Matches | IsNull | Anniversary


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A column passes a test. An empty value passes none but ``IsNull``, negated or not."""

    #: Where it stands in the rules as written, such as ``rules.all[1].any[0]``.
    path: str
    column: Column
    test: Test
    #: The value is there and does not pass. With ``IsNull``: there is a value.
    is_negated: bool = False
    #: For texts only; *test*'s own texts are folded already.
    fold: Fold = Fold.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """So many rows of a linked table, of those *where* is true of."""

    path: str
    link: Hop
    #: About the linked table. None: every linked row.
    where: Node | None = None
    #: 0 or more.
    at_least: int = 1
    #: None: no limit. Not below *at_least*.
    at_most: int | None = None


class Function(StrEnum):
    """What an aggregate computes from the values of linked rows; empty values do not count."""

    #: Rows, empty values or not; without a column. No rows: 0.
    COUNT = "count"
    #: No values: 0.
    SUM = "sum"
    #: No values: empty. So for the others below.
    AVERAGE = "average"
    LEAST = "least"
    GREATEST = "greatest"
    #: The value of the row that is last by *order*; of a tie the greatest by the linked table's
    #: key. Rows without a value in *order* do not count; the value itself may be empty.
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """What linked rows come to, passes a test. Counts and sums are not tested by ``IsNull``."""

    path: str
    link: Hop
    function: Function
    #: Of the linked table or a table it has one row of. None with ``count`` only.
    column: Column | None = None
    #: With ``last`` only: the column that orders, and the columns of the linked table's key.
    order: Column | None = None
    key: tuple[KeyPart, ...] = ()
    where: Node | None = None
    test: Test
    is_negated: bool = False
    fold: Fold = Fold.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every node is true. Without nodes: true."""

    path: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """At least one node is true. Without nodes: false."""

    path: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Except:
    """The node is not true."""

    path: str
    node: Node


Node = Compare | Has | Aggregate | All | Any | Except


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A column of the audience."""

    #: The audience's name for it; unique in the plan.
    name: str
    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One condition a person must pass, as it is counted and shown."""

    #: What it says, in words, with values: not for logs of tasks.
    words: str
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """People of one table for whom every step is true, in the order of the key."""

    #: As the database calls it, ``schema.table`` or ``table``.
    table: str
    #: Column that identifies a person; unique, never empty.
    key: str
    outputs: tuple[Output, ...]
    #: Consent first, then the rules' own conditions in their order.
    steps: tuple[Step, ...]

    def nodes(self) -> Iterator[Node]:
        """Walk what must be true, in order."""
        for step in self.steps:
            yield step.node
