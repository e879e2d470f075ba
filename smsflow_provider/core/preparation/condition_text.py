"""
The text of a condition: which words of SQL it may use, and which columns it names.

Reads the text only and loads no column library, so that a wrong condition is refused where it is
written, when a DAG is parsed. What it means is decided by ``conditions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from smsflow_provider.core.document.problem import near


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Characters a condition may have. A longer one is a program, and belongs in the query.
LONGEST: Final = 1_000

#: Functions over the values of one row. None of them looks at other rows, at the clock or at
#: chance, and none makes a long text of a short one.
FUNCTIONS: Final = _set_of(
    """
    abs ceil floor round sign mod coalesce ifnull nullif greatest least if lower upper trim
    ltrim rtrim length char_length left right substr substring strpos position starts_with
    ends_with concat initcap split_part regexp_like cast try_cast extract date_part date year
    month day
    """
)

_OPERATORS: Final = _set_of("and or not in like ilike rlike regexp between when then else")
_WORDS: Final = _OPERATORS | _set_of(
    "case end is null true false distinct from as both leading trailing for"
)
#: Words that are known in their place only, and elsewhere the names of columns.
_PLACED: Final = _set_of(
    """
    interval timestamp time boolean bool int integer smallint bigint double float real decimal
    numeric varchar text char century decade dow doy epoch hour isodow isoyear microsecond
    millisecond minute quarter second week precision
    """
)
_NO_SUCH: Final = {
    "over": "a condition is about one row, not about its neighbours: rank people in the query",
    "select": "a condition is about one row: join other tables in the query of the audience",
    "exists": "a condition is about one row: join other tables in the query of the audience",
    "any": "write IN (…)",
    "all": "write IN (…)",
    "some": "write IN (…)",
    "columns": "name each column",
    "exclude": "name each column",
    "replace": "rewrite texts in the query of the audience",
}
_CLOCKS: Final = _set_of(
    "current_time current_timestamp localtime localtimestamp now today getdate"
)

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[^\W\d]\w*)
      | (?P<remark>--|/\*)
      | (?P<sign>::|\|\||<=>|!~~?\*?|~~?\*?|<>|!=|<=|>=|[-+*/%(),<>=])
    """,
    re.VERBOSE,
)


class Kind(StrEnum):
    """What a token is."""

    SPACE = "space"
    TEXT = "text"
    NAME = "name"
    NUMBER = "number"
    WORD = "word"
    REMARK = "remark"
    SIGN = "sign"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a condition."""

    kind: Kind
    text: str


def tokens_of(text: str) -> list[Token]:
    """
    Cut *text* into pieces; joined, they are the text again.

    Example:
        >>> [token.text for token in tokens_of("age>=18")]
        ['age', '>=', '18']
    """
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        kind = Kind(str(match.lastgroup)) if match else Kind.OTHER
        piece = match.group() if match else text[place]
        found.append(Token(kind, piece))
        place += len(piece)
    return found


def check_text(text: str) -> list[str]:
    """
    Say what keeps *text* from being an expression over one row.

    Refused: other statements, functions outside ``FUNCTIONS``, windows and sums over rows, the
    clock (except ``CURRENT_DATE``, which is the day of the preparation), chance, remarks.

    Returns:
        All problems, as sentences. Empty: it may still be no SQL, and name unknown columns.

    Example:
        >>> check_text("lower(city) = 'lyon' AND visits > 3")
        []
        >>> check_text("avg(visits) > 1")
        ["unknown function 'avg'"]
    """
    if len(text) > LONGEST:
        return [f"is longer than {LONGEST} characters: compute it in the query of the audience"]
    tokens = [token for token in tokens_of(text) if token.kind is not Kind.SPACE]
    if not tokens:
        return ["must not be empty"]
    return list(dict.fromkeys(_problems_of(tokens)))


def _problems_of(tokens: list[Token]) -> Iterator[str]:
    for place, token in enumerate(tokens):
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.kind is Kind.WORD:
            yield from _problem_of_word(token.text, is_called=following == "(")
        elif token.kind is Kind.NAME and (token.text == '"*"' or token.text.startswith('"^')):
            yield f"{token.text} is a pattern of columns: name each column"
        elif token.kind is Kind.NAME and following == "(":
            yield f"unknown function {token.text}"
        elif token.kind is Kind.REMARK:
            yield f"{token.text!r} begins a remark: put it outside"
        elif token.kind is Kind.OTHER:
            yield _problem_of_other(token.text)


def _problem_of_word(word: str, *, is_called: bool) -> Iterator[str]:
    plain = word.lower()
    if plain in _CLOCKS:
        yield f"{word!r} differs at each look: CURRENT_DATE is the day of the preparation"
    elif plain in _NO_SUCH and (is_called or plain not in {"columns", "exclude", "replace"}):
        yield f"{word!r} cannot be used: {_NO_SUCH[plain]}"
    elif is_called and plain not in FUNCTIONS | _OPERATORS | _PLACED:
        hint = near(plain, FUNCTIONS)
        yield f"unknown function {word!r}" + (f" ({hint})" if hint else "")


def _problem_of_other(char: str) -> str:
    if char in "'\"":
        return f"a {char} is not closed"
    if char == ".":
        return "'.' cannot be used: columns have no table in front of them"
    return f"{char!r} cannot be used"


def names_in(text: str) -> frozenset[str]:
    """
    Name the columns that *text* surely means: words that are nothing else, and quoted names.

    Example:
        >>> sorted(names_in('age > 18 AND "First name" IS NOT NULL'))
        ['First name', 'age']
    """
    tokens = [token for token in tokens_of(text) if token.kind is not Kind.SPACE]
    return frozenset(
        _unquoted(token)
        for token, after in pairwise([*tokens, Token(Kind.SIGN, "")])
        if after.text != "(" and _is_column(token)
    )


def _is_column(token: Token) -> bool:
    if token.kind is Kind.NAME:
        return True
    known = _WORDS | _PLACED | FUNCTIONS | {"current_date"}
    return token.kind is Kind.WORD and token.text.lower() not in known


def _unquoted(token: Token) -> str:
    return token.text[1:-1].replace('""', '"') if token.kind is Kind.NAME else token.text


def unknown_names(text: str, *, columns: Iterable[str]) -> list[str]:
    """
    Say which names of *text* are no column, with the near name.

    Example:
        >>> unknown_names("agee > 18", columns=["age", "city"])
        ["unknown column 'agee' (did you mean 'age'?)"]
    """
    known = list(columns)
    unknown = sorted(names_in(text) - set(known))
    return [
        f"unknown column {name!r}" + (f" ({hint})" if (hint := near(name, known)) else "")
        for name in unknown
    ]


def with_day(text: str, *, day: date) -> str:
    """
    Write *day* where the text says ``CURRENT_DATE``.

    Example:
        >>> with_day("born < CURRENT_DATE - INTERVAL '18 years'", day=date(2026, 11, 22))
        "born < DATE '2026-11-22' - INTERVAL '18 years'"
    """
    written = f"DATE '{day.isoformat()}'"
    return "".join(
        written if token.kind is Kind.WORD and token.text.lower() == "current_date" else token.text
        for token in tokens_of(text)
    )
