"""Error tables, read from text and turned into errors."""

from __future__ import annotations

import pytest

from smsflow_provider.core.errors import MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.error_table import ErrorClass, ErrorRow, ErrorTable, Hardness
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.model import Outcome, OutcomeKind

TEXT = """code,class,hardness,meaning
*,refused,none,anything else
1,throttled,none,too fast
2,temporary,soft,the phone is full
3,refused,hard,no such number
4,misconfigured,none,no such sender
5,unknown,none,it cannot say
"""
TABLE = ErrorTable.read(TEXT)


def outcome(code: str, *, retry_after_s: float | None = None) -> Outcome:
    return outcome_of(TABLE.error_of(code, retry_after_s=retry_after_s), message_id="1-1-1")


def test_a_table_has_its_rows_and_its_default() -> None:
    assert {"1", "2", "3", "4", "5"} == set(TABLE.rows)
    assert ErrorRow(
        code="3",
        error_class=ErrorClass.REFUSED,
        hardness=Hardness.HARD,
        meaning="no such number",
    ) == TABLE.find("3")
    assert "anything else" == TABLE.find("6").meaning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,class,hardness,meaning\n1,refused,none,x\n", "no default"),
        ("code,class,hardness,meaning\n*,refused,none,x\n1,lost,none,x\n", "line 3"),
        ("code,class,hardness,meaning\n*,refused,none,x\n1,refused\n", "line 3"),
        ("code,class,hardness,meaning\n1,refused,none,x\n1,refused,none,x\n", "line 3"),
        ("", "no default"),
    ],
)
def test_a_table_that_cannot_be_read_names_the_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ErrorTable.read(text)


@pytest.mark.parametrize(
    ("code", "error", "kind", "written"),
    [
        ("1", NotSentError, OutcomeKind.NOT_SENT, "1"),
        ("2", NotSentError, OutcomeKind.NOT_SENT, "2"),
        ("3", RefusedError, OutcomeKind.FAILED, "3"),
        ("4", RefusedError, OutcomeKind.FAILED, "misconfigured:4"),
        ("5", MaybeSentError, OutcomeKind.UNKNOWN, "5"),
        ("6", RefusedError, OutcomeKind.FAILED, "6"),
    ],
)
def test_each_class_becomes_its_error(
    code: str, error: type[Exception], kind: OutcomeKind, written: str
) -> None:
    assert type(TABLE.error_of(code)) is error
    assert (kind, written) == (outcome(code).kind, outcome(code).code)


def test_a_busy_gateway_is_everybodys_and_a_full_phone_is_its_own() -> None:
    assert [False, True] == [outcome("1").is_own, outcome("2").is_own]
    assert [7.0, 7.0, None] == [
        outcome(code, retry_after_s=7.0).retry_after_s for code in ("1", "2", "3")
    ]
