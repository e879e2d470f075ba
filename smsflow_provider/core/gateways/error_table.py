"""What a vendor's error codes mean, as data: one CSV file a gateway, with a stated default."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Self

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, RefusedError


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
    def read(cls, text: str) -> Self:
        """
        Read a table: CSV with the columns ``code``, ``class``, ``hardness``, ``meaning``. The row
        with the code ``*`` is the default.

        Raises:
            ValueError: A row that cannot be read, a code written twice, or no default; it names
                the line.
        """
        rows: dict[str, ErrorRow] = {}
        for line, found in enumerate(csv.DictReader(io.StringIO(text)), start=2):
            row = _row_of(found, line=line)
            if row.code in rows:
                raise ValueError(f"line {line}: the code {row.code} is written twice")
            rows[row.code] = row
        if "*" not in rows:
            raise ValueError("no default: add a row with the code *")
        return cls(rows={k: v for k, v in rows.items() if k != "*"}, default=rows["*"])

    @classmethod
    def of(cls, name: str) -> Self:
        """Read the table of this package with *name*, such as ``twilio``."""
        return cls.read((files(__package__) / "tables" / f"{name}.csv").read_text("utf-8"))

    def find(self, code: str) -> ErrorRow:
        """Say what *code* means; the default for one nobody knows."""
        return self.rows.get(code, self.default)

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
                wrong = f"misconfigured:{code}"
                return RefusedError("the connection or the account is wrong", code=wrong)
            case ErrorClass.UNKNOWN:
                return MaybeSentError("the gateway cannot say", code=code)


def _row_of(found: Mapping[str, str], *, line: int) -> ErrorRow:
    try:
        return ErrorRow(
            code=found["code"].strip(),
            error_class=ErrorClass(found["class"].strip()),
            hardness=Hardness(found["hardness"].strip()),
            meaning=(found.get("meaning") or "").strip(),
        )
    except (AttributeError, KeyError, ValueError):
        raise ValueError(f"line {line}: needs code, class, hardness and meaning") from None
