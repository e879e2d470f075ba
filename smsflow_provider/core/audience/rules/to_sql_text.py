"""
Texts in SQL: how they are written, so that no server's mode reads them otherwise, and compared.

A literal holds neither a backslash nor a control character, and where ``''`` is not the one way
to write a quote, no quote: those are written by their number and joined to the rest. So it means
the same with ``standard_conforming_strings``, ``NO_BACKSLASH_ESCAPES`` and their like on or off.
Per cent signs are not doubled: the statement is for drivers that are given no parameters.

Texts are compared by code point. In SQL Server a character beyond U+FFFF counts as two for ``?``.
"""

from __future__ import annotations

import re
from functools import reduce

from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import PADDING, Dialect
from smsflow_provider.core.audience.rules.fold import table_for
from smsflow_provider.core.audience.rules.plan import Fold, Matches, Place
from smsflow_provider.core.audience.rules.to_sql_statement import call
from smsflow_provider.core.errors import AudienceError

_CONTROLS = re.compile(r"([\x00-\x1f\x7f\\])")
_CONTROLS_AND_QUOTE = re.compile(r"([\x00-\x1f\x7f\\'])")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
#: Where a quote inside a literal is not simply doubled.
_QUOTE_BY_NUMBER = frozenset(
    {Dialect.BIGQUERY, Dialect.DATABRICKS, Dialect.REDSHIFT, Dialect.SNOWFLAKE}
)
#: Longer pieces joined by ``+`` would be cut off by SQL Server, if none is of unlimited length.
_TSQL_LONGEST = 2000
#: Put behind both sides where a database ignores spaces at the end.
_STOP = "."
_ESCAPE = "!"
#: Pieces of a text that are joined in one go.
_ROW = 100
_COLLATIONS: dict[Dialect, exp.Expr] = {
    Dialect.POSTGRES: exp.to_identifier("C", quoted=True),
    Dialect.DUCKDB: exp.to_identifier("C", quoted=True),
    Dialect.SQLITE: exp.var("BINARY"),
    Dialect.MYSQL: exp.var("utf8mb4_bin"),
    Dialect.TSQL: exp.var("Latin1_General_100_BIN2"),
    Dialect.SNOWFLAKE: exp.Literal.string("utf8"),
    Dialect.BIGQUERY: exp.Literal.string(""),
}


def write_text(value: str, *, dialect: Dialect) -> exp.Expr:
    """
    Write a text, so that it is read as exactly this one.

    Raises:
        AudienceError: It holds NUL or half a character (a lone surrogate).
    """
    if _UNWRITABLE.search(value):
        raise AudienceError("a text of the rules cannot be written in SQL: NUL or half a character")
    unsafe = _CONTROLS_AND_QUOTE if dialect in _QUOTE_BY_NUMBER else _CONTROLS
    pieces = [piece for piece in unsafe.split(value) if piece] or [""]
    written = [
        _by_number(piece, dialect) if unsafe.fullmatch(piece) else _plain(piece, dialect)
        for piece in pieces
    ]
    if dialect is Dialect.TSQL and len(value) > _TSQL_LONGEST:
        for first in range(0, len(written), _ROW):
            written[first] = exp.cast(written[first], "NVARCHAR(MAX)", dialect="tsql")
    return _joined(written)


def _joined(pieces: list[exp.Expr]) -> exp.Expr:
    """Join many pieces in rows of some, so that no database finds it too deep."""
    if len(pieces) <= _ROW:
        return reduce(join_texts, pieces)
    rows = [pieces[first : first + _ROW] for first in range(0, len(pieces), _ROW)]
    return _joined([exp.paren(reduce(join_texts, row), copy=False) for row in rows])


def join_texts(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Put one text behind the other; empty if one of them is."""
    return exp.DPipe(this=left, expression=right)


def _plain(piece: str, dialect: Dialect) -> exp.Expr:
    if dialect is Dialect.TSQL:
        return exp.National(this=piece)
    return exp.Literal.string(piece)


def _by_number(character: str, dialect: Dialect) -> exp.Expr:
    number = exp.Literal.number(ord(character))
    if dialect is Dialect.MYSQL:
        return exp.Chr(expressions=[number], charset=exp.var("utf8mb4"))
    name = {Dialect.SQLITE: "CHAR", Dialect.TSQL: "NCHAR"}.get(dialect, "CHR")
    return exp.Anonymous(this=name, expressions=[number])


def exact(text: exp.Expr, *, dialect: Dialect) -> exp.Expr:
    """Make a text that is compared by code point, whatever the column's collation is."""
    if dialect is Dialect.REDSHIFT:
        kind = exp.Literal.string("case_sensitive")
        return exp.Anonymous(this="COLLATE", expressions=[text, kind])
    if dialect is Dialect.DATABRICKS:
        return exp.cast(exp.cast(text, "BINARY"), "STRING", dialect="databricks")
    if dialect in {Dialect.POSTGRES, Dialect.DUCKDB}:
        text = exp.cast(text, "TEXT")
    elif dialect is Dialect.TSQL:
        text = exp.cast(text, "NVARCHAR(MAX)", dialect="tsql")
    elif dialect is Dialect.MYSQL:
        wide = exp.DataType(this=exp.DType.CHARACTER_SET, kind=exp.var("utf8mb4"))
        text = exp.Cast(this=text, to=wide)
    return exp.Collate(this=text, expression=_COLLATIONS[dialect].copy())


def is_text(text: exp.Expr, values: tuple[str, ...], *, dialect: Dialect) -> exp.Expr:
    """Compare an exact text: it is one of *values*."""
    stop = _STOP if dialect in PADDING else ""
    closed = join_texts(text, write_text(stop, dialect=dialect)) if stop else text
    written = [write_text(value + stop, dialect=dialect) for value in values]
    if len(written) == 1:
        return exp.EQ(this=closed, expression=written[0])
    return exp.In(this=closed, expressions=written)


def holds_text(text: exp.Expr, value: str, *, place: Place, dialect: Dialect) -> exp.Expr:
    """Compare an exact text: it has *value*, which is not empty, at *place*."""
    if place is Place.ANYWHERE:
        # PostgreSQL's POSITION takes a collation only in parentheses.
        where = exp.paren(text, copy=False) if dialect is Dialect.POSTGRES else text
        found = exp.StrPosition(this=where, substr=write_text(value, dialect=dialect))
        return exp.GT(this=found, expression=exp.Literal.number(0))
    length = len(value.encode("utf-16-le")) // 2 if dialect is Dialect.TSQL else len(value)
    return is_text(_end_of(text, length, place=place, dialect=dialect), (value,), dialect=dialect)


def _end_of(text: exp.Expr, length: int, *, place: Place, dialect: Dialect) -> exp.Expr:
    number = exp.Literal.number(length)
    if dialect is Dialect.SQLITE:
        from_start: list[exp.Expr] = [text, exp.Literal.number(1), number]
        from_end: list[exp.Expr] = [text, exp.Neg(this=number)]
        arguments = from_start if place is Place.START else from_end
        return exp.Anonymous(this="SUBSTR", expressions=arguments)
    side = exp.Left if place is Place.START else exp.Right
    return side(this=text, expression=number)


def matches_text(text: exp.Expr, test: Matches, *, dialect: Dialect) -> exp.Expr:
    """Compare an exact text: all of it has the form of the pattern."""
    if dialect is Dialect.SQLITE:
        glob = "".join(_glob(piece) for piece in test.pieces())
        return exp.Glob(this=text, expression=write_text(glob, dialect=dialect))
    escape = "\\" if dialect is Dialect.BIGQUERY else _ESCAPE
    # Some databases refuse an escape that is not needed, so only what is special is escaped.
    special = f"%_{escape}[" if dialect is Dialect.TSQL else f"%_{escape}"
    like = "".join(_like(piece, special, escape=escape) for piece in test.pieces())
    found = exp.Like(this=text, expression=write_text(like, dialect=dialect))
    if dialect is Dialect.BIGQUERY:
        return found
    return exp.Escape(this=found, expression=exp.Literal.string(escape))


def _glob(piece: tuple[str, bool]) -> str:
    character, is_wild = piece
    return f"[{character}]" if not is_wild and character in "*?[" else character


def _like(piece: tuple[str, bool], special: str, *, escape: str) -> str:
    character, is_wild = piece
    if is_wild:
        return "%" if character == "*" else "_"
    return escape + character if character in special else character


def fold_text(
    text: exp.Expr, kind: Fold, *, against: tuple[str, ...], dialect: Dialect
) -> exp.Expr:
    """
    Fold an exact text, as far as it matters to a comparison with *against*.

    MySQL has no ``TRANSLATE`` and takes ``REGEXP_REPLACE``, a letter at a time. SQLite has neither
    and few levels of parentheses: there a recursive query walks through the text.
    """
    table = table_for(kind, against)
    if not table:
        return text
    if dialect is Dialect.SQLITE:
        return _walk(text, table)
    if dialect is Dialect.MYSQL:
        return exact(_replace_classes(text, table), dialect=dialect)
    return _translate(text, table, dialect=dialect)


def _translate(text: exp.Expr, table: dict[str, str], *, dialect: Dialect) -> exp.Expr:
    """Write one character for one; for two and for none a stand-in first, which then goes."""
    stand_ins: dict[str, str] = {}
    news = [new if len(new) == 1 else stand_ins.setdefault(new, old) for old, new in table.items()]
    folded: exp.Expr = exp.Translate(
        this=text,
        from_=write_text("".join(table), dialect=dialect),
        to=write_text("".join(news), dialect=dialect),
    )
    for new, stand_in in stand_ins.items():
        folded = exp.Replace(
            this=folded,
            expression=write_text(stand_in, dialect=dialect),
            replacement=write_text(new, dialect=dialect),
        )
    return folded


def _replace_classes(text: exp.Expr, table: dict[str, str]) -> exp.Expr:
    classes: dict[str, str] = {}
    for old, new in table.items():
        classes[new] = classes.get(new, "") + old
    for new, olds in classes.items():
        text = exp.RegexpReplace(
            this=text,
            expression=exp.Literal.string(f"[{olds}]"),
            replacement=exp.Literal.string(new),
        )
    return text


def _walk(text: exp.Expr, table: dict[str, str]) -> exp.Expr:
    """Take the first character of the rest again and again, and keep what stands for it."""
    rest, kept = exp.column("rest"), exp.column("kept")
    first = call("SUBSTR", rest, 1, 1)
    place = call("INSTR", "".join(table), first)
    news = "".join(new.ljust(2) for new in table.values())
    start = exp.Sub(
        this=exp.Mul(this=exp.Literal.number(2), expression=place), expression=_number(1)
    )
    changed = call("RTRIM", call("SUBSTR", news, start, 2))
    kept_on = exp.Case(this=place.copy(), ifs=[exp.If(this=_number(0), true=first.copy())])
    kept_on.set("default", changed)
    step = exp.select(join_texts(kept, kept_on), call("SUBSTR", rest, 2))
    step = step.from_("walk").where(exp.NEQ(this=rest, expression=exp.Literal.string("")))
    walk = exp.union(exp.select(exp.Literal.string(""), text), step, distinct=False)
    done = exp.select(kept).from_("walk")
    done = done.where(exp.EQ(this=rest, expression=exp.Literal.string("")))
    return done.with_("walk(kept, rest)", as_=walk, recursive=True).subquery()


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)
