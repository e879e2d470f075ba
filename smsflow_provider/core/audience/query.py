"""People from a database: any DB-API connection, read a batch at a time."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyarrow as pa

from smsflow_provider.core.audience.deadline import Deadline, is_of
from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.audience.source import BATCH_ROWS
from smsflow_provider.core.errors import AudienceError

#: Values for the placeholders of a query, in the style of the driver.
Parameters = Mapping[str, Any] | Sequence[Any] | None

#: Name of our cursor in the database's own list of cursors. One per connection, so never twice.
CURSOR_NAME = "smsflow_audience"


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """How one driver hands out a large result without holding all of it."""

    #: The driver's module.
    driver: str
    #: What a reader of the documentation should know.
    how: str
    #: Makes the cursor. None: the plain cursor already does it.
    open_cursor: Callable[[Any], Any] | None = None
    #: True when the tests of this package run it against a real server.
    is_tested: bool = False


def _named_psycopg2(connection: Any) -> Any:
    # Says its class, or a connection made for dictionary rows would hand those out.
    plain = import_module("psycopg2.extensions").cursor
    return connection.cursor(CURSOR_NAME, cursor_factory=plain)


def _named_psycopg(connection: Any) -> Any:
    tuple_row = import_module("psycopg.rows").tuple_row
    return connection.cursor(CURSOR_NAME, row_factory=tuple_row)


def _unbuffered_pymysql(connection: Any) -> Any:
    return connection.cursor(import_module("pymysql.cursors").SSCursor)


def _unbuffered_mysqldb(connection: Any) -> Any:
    return connection.cursor(import_module("MySQLdb.cursors").SSCursor)


_SERVER = "server-side cursor"
_NATURE = "plain cursor, `fetchmany`: the driver streams by nature"
_PAGES = "plain cursor, `fetchmany`: the driver fetches the result in pages"

#: Every driver we know something about. All others: a plain cursor and ``fetchmany``.
STREAMING = (
    Streaming(
        driver="psycopg2", how=f"{_SERVER} (named)", open_cursor=_named_psycopg2, is_tested=True
    ),
    Streaming(
        driver="psycopg", how=f"{_SERVER} (named)", open_cursor=_named_psycopg, is_tested=True
    ),
    Streaming(driver="sqlite3", how=_NATURE, is_tested=True),
    Streaming(driver="pymysql", how=f"{_SERVER} (`SSCursor`)", open_cursor=_unbuffered_pymysql),
    Streaming(driver="MySQLdb", how=f"{_SERVER} (`SSCursor`)", open_cursor=_unbuffered_mysqldb),
    Streaming(driver="mysql.connector", how=_NATURE),
    Streaming(driver="oracledb", how=_NATURE),
    Streaming(driver="pyodbc", how=_NATURE),
    Streaming(driver="snowflake.connector", how=_PAGES),
    Streaming(driver="trino", how=_PAGES),
)

_OTHERS = "plain cursor, `fetchmany`: memory is as the driver has it"


def streaming_table() -> str:
    """Print ``STREAMING`` as the Markdown table of the documentation."""
    head = ["| driver | how a large result is read | run in our tests |", "| --- | --- | --- |"]
    known = [(f"`{one.driver}`", one.how, one.is_tested) for one in STREAMING]
    lines = [
        f"| {name} | {how} | {'yes' if is_tested else 'no'} |"
        for name, how, is_tested in [*known, ("any other", _OTHERS, False)]
    ]
    return "\n".join([*head, *lines]) + "\n"


class QueryBatches:
    """
    A source over one query.

    The query runs in a transaction of its own connection, which is rolled back: it can read only
    what others have committed, and changes nothing on databases that roll back. One statement; a
    server-side cursor takes SELECT, WITH or VALUES only.

    Args:
        connect: Opens a DB-API connection; it is closed at the end.
        sql: The query, with placeholders in the style of the driver.
        parameters: Values for them. None: the query is taken as it is, per cent signs too.
        label: What errors call the connection.
        rows: Rows per batch.
        limits: What the query may cost. Beyond it, reading ends with an error.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        sql: str,
        parameters: Parameters = None,
        label: str,
        rows: int = BATCH_ROWS,
        limits: Limits = Limits(),  # noqa: B008  frozen
    ) -> None:
        self._connect = connect
        self._sql = sql.strip().rstrip(";").rstrip()
        self._parameters = parameters or None
        self._label = label
        self._rows = rows
        self._limits = limits

    @property
    def label(self) -> str:
        """The connection's name."""
        return self._label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        with closing(self._connect()) as connection:
            try:
                with self._deadline(connection) as deadline:
                    yield from self._read(connection, deadline)
            finally:
                with suppress(*errors_of(connection), AttributeError):
                    connection.rollback()

    def _deadline(self, connection: Any) -> Deadline:
        return Deadline(
            connection,
            limit=self._limits.time,
            label=self._label,
            driver=driver_of(connection),
            errors=errors_of(connection),
        )

    def _read(self, connection: Any, deadline: Deadline) -> Iterator[pa.RecordBatch]:
        try:
            with closing(open_cursor(connection)) as cursor:
                deadline.watch(cursor)
                yield from self._batches_of(cursor, deadline)
        except AudienceError:
            raise
        except errors_of(connection) as error:
            deadline.check()
            raise AudienceError(
                "the query of the audience failed",
                source=self._label,
                cause=told_of(error, sql=self._sql, parameters=self._parameters),
            ) from None

    def _batches_of(self, cursor: Any, deadline: Deadline) -> Iterator[pa.RecordBatch]:
        self._execute(cursor)
        rows = cursor.fetchmany(self._rows)
        # A named cursor of psycopg2 knows its columns only after the first rows.
        names = self._names_of(cursor)
        count = len(rows)
        self._limits.check_rows(count, label=self._label)
        yield batch_of(names, _plain(rows, names))
        while rows := self._more(cursor, deadline):
            count += len(rows)
            self._limits.check_rows(count, label=self._label)
            yield batch_of(names, _plain(rows, names))

    def _more(self, cursor: Any, deadline: Deadline) -> Sequence[Any]:
        deadline.check()
        rows: Sequence[Any] = cursor.fetchmany(self._rows)
        return rows

    def _execute(self, cursor: Any) -> None:
        if self._parameters is None:
            cursor.execute(self._sql)
        else:
            cursor.execute(self._sql, self._parameters)

    def _names_of(self, cursor: Any) -> list[str]:
        if not cursor.description:
            raise AudienceError(
                "the query of the audience returns no rows: it must be a SELECT",
                source=self._label,
            )
        return [str(column[0]) for column in cursor.description]


def _plain(rows: Sequence[Any], names: Sequence[str]) -> Sequence[Sequence[Any]]:
    """Undo connections that are set to hand out dictionaries."""
    if rows and isinstance(rows[0], Mapping):
        return [[row[name] for name in names] for row in rows]
    return rows


def driver_of(connection: object) -> str:
    """Name the module a connection comes from, such as ``psycopg2.extensions``."""
    return type(connection).__module__


def open_cursor(connection: Any) -> Any:
    """Open the cursor that streams, where the driver has one; see ``STREAMING``."""
    module = driver_of(connection)
    for known in STREAMING:
        if known.open_cursor and is_of(module, known.driver):
            return known.open_cursor(connection)
    return connection.cursor()


def errors_of(connection: object) -> tuple[type[Exception], ...]:
    """
    Find the driver's ``Error``, which DB-API puts into the driver's module.

    Returns:
        It alone; ``Exception`` for a driver that has none.
    """
    pieces = driver_of(connection).split(".")
    for length in range(len(pieces), 0, -1):
        found = getattr(sys.modules.get(".".join(pieces[:length])), "Error", None)
        if isinstance(found, type) and issubclass(found, Exception):
            return (found,)
    return (Exception,)


_QUOTED = re.compile(r"""(?<!\w)(["'`])(.*?)\1""")
_NUMBER = re.compile(r"\d{4,}")
_HIDDEN = "..."


def told_of(error: BaseException, *, sql: str, parameters: Parameters = None) -> str:
    """
    Tell a driver's error without any value of a row or a parameter.

    The first line only; what it quotes stays if the query's own text has it (names of tables and
    columns), and is hidden if not (values). So are long numbers, and parameters wherever they are.

    Example:
        >>> told_of(ValueError('bad integer: "0612345678"'), sql="SELECT phone::int FROM c")
        'ValueError: bad integer: "..."'
    """
    line = (str(error).strip().splitlines() or [""])[0]
    line = _QUOTED.sub(lambda hit: _kept(hit, hit[2], sql), line)
    line = _NUMBER.sub(lambda hit: _kept(hit, hit[0], sql), line)
    for value in _texts_of(parameters):
        line = line.replace(value, _HIDDEN)
    return f"{type(error).__name__}: {line}"


def _kept(hit: re.Match[str], text: str, sql: str) -> str:
    return hit[0] if text in sql else hit[0].replace(text, _HIDDEN)


def _texts_of(parameters: Parameters) -> list[str]:
    values = parameters.values() if isinstance(parameters, Mapping) else parameters or ()
    # One or two characters say nothing about anybody, and would tear words apart.
    return sorted((text for text in map(str, values) if len(text) > 2), key=len, reverse=True)
