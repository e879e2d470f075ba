"""
The same preparation as people write it first: pandas, one row after the other.

Every library as its documentation shows it, with its defaults: ``phonenumbers`` parses, judges
and formats each number, Jinja renders each text, pandas reads and writes the tables. A test
proves that the messages are those of the product.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import phonenumbers
from jinja2 import Template

from smsflow_provider.core.content.encoding import GSM_CHARACTERS

_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long the reference took."""

    #: What does not grow with the rows: reading the opt-out list.
    fixed_s: float
    #: All else, for the rows of the sample.
    sample_s: float
    rows: int

    def scaled_s(self, rows: int) -> float:
        """Seconds for *rows* rows, each like those of the sample."""
        return self.fixed_s + self.sample_s * rows / self.rows


def prepare_row_by_row(sample: Path, *, dsn: str, body: str, region: str) -> Measured:
    """
    Prepare the people of the Parquet file *sample*.

    Leaves the tables ``reference_messages`` and ``reference_exclusions``, anew.

    Args:
        sample: A file as ``make_people`` makes it.
        dsn: A database with the store's opt-outs.
        body: The text, as Jinja.
        region: Country of national numbers.
    """
    import pandas as pd  # noqa: PLC0415  heavy, and used here only
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        began_s = time.perf_counter()
        opted_out = set(pd.read_sql("SELECT phone FROM smsflow_opt_outs", engine)["phone"])
        read_s = time.perf_counter()
        frame = pd.read_parquet(sample)
        messages, exclusions = _decide(
            frame.to_dict("records"), opted_out=opted_out, template=Template(body), region=region
        )
        for name, rows in (("messages", messages), ("exclusions", exclusions)):
            written = pd.DataFrame(rows)
            written.to_sql(f"reference_{name}", engine, if_exists="replace", index=False)
        ended_s = time.perf_counter()
    finally:
        engine.dispose()
    return Measured(fixed_s=read_s - began_s, sample_s=ended_s - read_s, rows=len(frame))


def _decide(
    rows: list[dict[str, Any]], *, opted_out: set[int], template: Template, region: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []
    exclusions: list[dict[str, Any]] = []
    seen: set[int] = set()
    for number, row in enumerate(rows, start=1):
        phone = _phone_of(row["phone"], region=region)
        reason = _reason_of(row["phone"], phone, opted_out=opted_out, seen=seen)
        person = {"recipient_id": row["recipient_id"], "phone": phone}
        if reason:
            exclusions.append({"row_number": number, **person, "reason": reason})
            continue
        assert phone is not None
        seen.add(phone)
        body = template.render(**row)
        encoding, parts = _measured(body)
        position = len(messages) + 1
        messages.append(
            {"position": position, **person, "body": body, "encoding": encoding, "parts": parts}
        )
    return messages, exclusions


def _phone_of(raw: str, *, region: str) -> int | None:
    try:
        parsed = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return int(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:])


def _reason_of(raw: str, phone: int | None, *, opted_out: set[int], seen: set[int]) -> str:
    if not raw.strip():
        return "no_address"
    if phone is None:
        return "invalid_number"
    if phone in opted_out:
        return "opted_out"
    return "duplicate" if phone in seen else ""


def _measured(text: str) -> tuple[str, int]:
    """Tell the encoding and the parts; no pair of this text lies at the end of a part."""
    if all(char in GSM_CHARACTERS for char in text):
        units = sum(2 if char in _EXTENSION else 1 for char in text)
        return "gsm7", 1 if units <= 160 else -(-units // 153)
    units = len(text.encode("utf-16-be")) // 2
    return "ucs2", 1 if units <= 70 else -(-units // 67)
