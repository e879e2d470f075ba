"""What a vendor's error codes mean, as data: one CSV file a gateway, with a stated default."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Self

from smsflow_provider.core.errors import (
    ConfigError,
    GatewayError,
    MaybeSentError,
    NotSentError,
    RefusedError,
)

_COLUMNS: Final = ("code", "class", "hardness", "meaning")
#: What stands before a code that says that the connection or the account is wrong.
_WRONG_CONNECTION: Final = "misconfigured:"


class ErrorClass(StrEnum):
    """What becomes of a message that met an error."""

    #: Certainly not taken, and the gateway is busy: everything waits, then goes again.
    THROTTLED = "throttled"
    #: Certainly not taken, for a reason of this message that may pass: it alone goes again later.
    TEMPORARY = "temporary"
    #: Refused for good: this message fails.
    REFUSED = "refused"
    #: The connection or the account is wrong, not the message: the sender stops, nothing fails.
    MISCONFIGURED = "misconfigured"
    #: Nobody can tell whether it was taken.
    UNKNOWN = "unknown"


class Hardness(StrEnum):
    """What an error says about the number."""

    #: It will never get a text: quarantined at once.
    HARD = "hard"
    #: Whoever has it has opted out at the gateway: opted out here too, and not quarantined.
    OPT_OUT = "opt_out"
    #: It may get one another day: counted.
    SOFT = "soft"
    #: Nothing.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One code of one vendor."""

    code: str
    error_class: ErrorClass
    hardness: Hardness
    #: For people; no sentence of the vendor's.
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """The codes of one vendor, and what any other code means."""

    rows: Mapping[str, ErrorRow]
    default: ErrorRow

    @classmethod
    def read(cls, text: str, *, file: str = "") -> Self:
        r"""
        Read a table: CSV with the columns ``code``, ``class``, ``hardness``, ``meaning``. The row
        with the code ``*`` is the default. Empty lines are passed over.

        Args:
            file: What people call the file, for errors.

        Raises:
            ConfigError: ``facts["problems"]`` lists everything to mend, each with the file, the
                line, and the near word where there is one.

        Example:
            >>> table = ErrorTable.read("code,class,hardness,meaning\n*,refused,none,any other")
            >>> table.find("7").meaning
            'any other'
        """
        reader = csv.DictReader(io.StringIO(text))
        problems = _missing_columns(reader.fieldnames or (), file=file)
        rows: dict[str, ErrorRow] = {}
        for found in () if problems else reader:
            at = f"{file}:{reader.line_num}" if file else f"line {reader.line_num}"
            row, wrong = _row_of(found)
            if row and row.code in rows:
                wrong.append(f"the code {row.code!r} is written twice")
            if row:
                rows.setdefault(row.code, row)
            problems += [f"{at}: {one}" for one in wrong]
        if "*" not in rows and not problems:
            problems.append(f"{file or 'the table'}: no default: add a row with the code *")
        if problems:
            raise ConfigError("an error table cannot be read", problems=problems)
        return cls(rows={k: v for k, v in rows.items() if k != "*"}, default=rows["*"])

    @classmethod
    def of(cls, name: str) -> Self:
        """
        Read the table of this package with *name*, such as ``twilio``.

        Raises:
            ConfigError: There is none of that name; the facts name the near one, and all.
        """
        if name not in (known := table_names()):
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError("there is no such error table", name=name, near=near, known=known)
        text = (_tables() / f"{name}.csv").read_text("utf-8")
        return cls.read(text, file=f"tables/{name}.csv")

    def find(self, code: str) -> ErrorRow:
        """Say what *code* means; the default for one nobody knows."""
        return self.rows.get(code, self.default)

    def meaning_of(self, code: str) -> str:
        """
        Give the words for a code as it stands in the store; empty: no row is about it.

        Example:
            >>> ErrorTable.of("twilio").meaning_of("misconfigured:20003")
            'wrong login or the key may not do this'
        """
        row = self.rows.get(code.removeprefix(_WRONG_CONNECTION))
        return row.meaning if row else ""

    def error_of(self, code: str, *, retry_after_s: float | None = None) -> GatewayError:
        """
        Make the error that an answer with *code* is, about the one message it is about.

        The code stays with it as it is; behind ``misconfigured:`` where the connection is wrong,
        so that `status.is_hopeless` knows it and the sender stops instead of failing everybody.

        Args:
            code: The gateway's own, at most 48 characters, no free text.
            retry_after_s: Seconds the gateway asked us to wait; goes with what may go again.
        """
        match self.find(code).error_class:
            case ErrorClass.THROTTLED:
                return NotSentError("the gateway is busy", code=code, retry_after_s=retry_after_s)
            case ErrorClass.TEMPORARY:
                return NotSentError(
                    "not this message, not now", code=code, retry_after_s=retry_after_s, is_own=True
                )
            case ErrorClass.REFUSED:
                return RefusedError("the gateway refused the message", code=code)
            case ErrorClass.MISCONFIGURED:
                wrong = f"{_WRONG_CONNECTION}{code}"
                return RefusedError("the connection or the account is wrong", code=wrong)
            case ErrorClass.UNKNOWN:
                return MaybeSentError("the gateway cannot say", code=code)


def table_names() -> list[str]:
    """Name the tables of this package."""
    return sorted(
        one.name.removesuffix(".csv") for one in _tables().iterdir() if one.name.endswith(".csv")
    )


def _tables() -> Traversable:
    return files(__package__) / "tables"


def _missing_columns(given: Sequence[str], *, file: str) -> list[str]:
    """Name each column that is not there, and the one that was perhaps meant for it."""
    others = [one for one in given if one not in _COLUMNS]
    return [
        f"{file or 'the table'}: has no column {name!r}{_near(name, others)}"
        for name in _COLUMNS
        if name not in given
    ]


def _row_of(found: Mapping[str | None, Any]) -> tuple[ErrorRow | None, list[str]]:
    """Read one row. None, and all that is wrong with it, if it cannot be read."""
    cells = {name: (found.get(name) or "").strip() for name in _COLUMNS}
    wrong = [f"has no {name}" for name in ("code", "class", "hardness") if not cells[name]]
    if None in found:
        wrong.append("has more cells than the header: quote a meaning that holds a comma")
    for name, kind in (("class", ErrorClass), ("hardness", Hardness)):
        words = [one.value for one in kind]
        if cells[name] and cells[name] not in words:
            wrong.append(f"no {name} is {cells[name]!r}{_near(cells[name], words)}")
    if wrong:
        return None, wrong
    row = ErrorRow(
        code=cells["code"],
        error_class=ErrorClass(cells["class"]),
        hardness=Hardness(cells["hardness"]),
        meaning=cells["meaning"],
    )
    return row, []


def _near(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
