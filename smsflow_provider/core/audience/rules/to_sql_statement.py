"""What the parts of one statement share: its database, and names in it."""

from __future__ import annotations

import re
from itertools import count

from sqlglot import exp

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.errors import AudienceError

_NAME = re.compile(r"[^\x00-\x1f\x7f\\\ud800-\udfff]+")
_PLAIN = re.compile("[a-z_][a-z0-9_]*")


class Statement:
    """What all scopes of one statement share: the dialect, names, and links to one row."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        #: Links to one row that were walked, each once.
        self.ones: dict[tuple[str, tuple[str, ...]], str] = {}
        self._taken: set[str] = set()

    def name(self, wish: str) -> str:
        """
        Find a name for a table that no other has, whatever the database makes of its case.

        Raises:
            AudienceError: No database would take it as a name.
        """
        wish = wish or "linked"
        self.check(wish)
        names = (wish if number == 1 else f"{wish}_{number}" for number in count(1))
        name = next(name for name in names if name.lower() not in self._taken)
        self._taken.add(name.lower())
        return name

    def check(self, name: str) -> None:
        """
        Refuse what could end a quoted name before its end.

        Raises:
            AudienceError: No database would take it as a name.
        """
        # BigQuery is the one that would not read a doubled quote as one.
        if not _NAME.fullmatch(name) or (self.dialect is Dialect.BIGQUERY and "`" in name):
            raise AudienceError("this cannot be the name of a table or column", name=name)

    def identifier(self, name: str) -> exp.Identifier:
        """
        Write a name as the database calls it.

        Snowflake keeps in capitals what was made without quotes; so a name in small letters means
        one in capitals there.

        Raises:
            AudienceError: No database would take it as a name.
        """
        self.check(name)
        if self.dialect is Dialect.SNOWFLAKE and _PLAIN.fullmatch(name):
            name = name.upper()
        return exp.to_identifier(name, quoted=True)

    def table(self, name: str, *, alias: str) -> exp.Table:
        """Write a table, ``name``, ``schema.name`` or ``catalog.schema.name``, with its alias."""
        parts = [self.identifier(part) for part in name.split(".")]
        if len(parts) > 3:
            raise AudienceError("this cannot be the name of a table", name=name)
        catalog, db, this = [None] * (3 - len(parts)) + parts
        named = exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
        return exp.Table(this=this, db=db, catalog=catalog, alias=named)

    def column(self, name: str, *, alias: str) -> exp.Column:
        """Write a column of the table that is called *alias* here."""
        table = exp.to_identifier(alias, quoted=True)
        return exp.Column(this=self.identifier(name), table=table)


def named(value: exp.Expr, name: str) -> exp.Expr:
    """Write a value that is selected, with its name as it stands."""
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def nested(select: exp.Select, alias: str) -> exp.Subquery:
    """Write a statement that stands for a table, with the name it has there."""
    found = select.subquery(copy=False)
    found.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return found


def call(name: str, *arguments: exp.Expr | int | str) -> exp.Expr:
    """Call a function that only some databases have, by its name there."""
    given = [one.copy() if isinstance(one, exp.Expr) else _literal(one) for one in arguments]
    return exp.Anonymous(this=name, expressions=given)


def _literal(value: int | str) -> exp.Expr:
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value)


def is_null(value: exp.Expr) -> exp.Expr:
    """Ask whether there is no value."""
    return exp.Is(this=value.copy(), expression=exp.Null())


def is_not_null(value: exp.Expr) -> exp.Expr:
    """Ask whether there is a value."""
    return exp.not_(is_null(value), copy=False)
