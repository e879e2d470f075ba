"""Error tables, read from text and turned into errors."""

from __future__ import annotations

import pytest

from smsflow_provider.core.errors import ConfigError, MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.error_table import (
    ErrorClass,
    ErrorRow,
    ErrorTable,
    Hardness,
    table_names,
)
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


def problems_of(text: str, *, file: str = "errors.csv") -> object:
    with pytest.raises(ConfigError, match="an error table cannot be read") as raised:
        ErrorTable.read(text, file=file)
    return raised.value.facts["problems"]


def test_all_that_is_wrong_is_told_at_once_with_file_line_and_near_word() -> None:
    text = (
        "code,class,hardness,meaning\n*,refused,none,x\n1,refusde,none,x\n"
        '\n2,refused,sofft,"a, b"\n3,refused\n4,lost,none,a, b\n*,refused,none,x\n,,,\n'
    )

    assert [
        "errors.csv:3: no class is 'refusde' (did you mean 'refused'?)",
        "errors.csv:5: no hardness is 'sofft' (did you mean 'soft'?)",
        "errors.csv:6: has no hardness",
        "errors.csv:7: has more cells than the header: quote a meaning that holds a comma",
        "errors.csv:7: no class is 'lost'",
        "errors.csv:8: the code '*' is written twice",
        "errors.csv:9: has no code",
        "errors.csv:9: has no class",
        "errors.csv:9: has no hardness",
    ] == problems_of(text)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "code,class,hardness,meaning\n1,refused,none,x\n",
            ["no default: add a row with the code *"],
        ),
        (
            "code,clas,hardness\n*,refused,none\n",
            ["has no column 'class' (did you mean 'clas'?)", "has no column 'meaning'"],
        ),
        ("", [f"has no column {name!r}" for name in ("code", "class", "hardness", "meaning")]),
    ],
)
def test_a_table_without_its_columns_or_its_default_is_none(text: str, problems: list[str]) -> None:
    assert [f"errors.csv: {one}" for one in problems] == problems_of(text)
    assert [f"the table: {one}" for one in problems] == problems_of(text, file="")


def test_a_shipped_table_that_is_not_there_is_named_with_the_near_one() -> None:
    with pytest.raises(ConfigError, match="no such error table") as raised:
        ErrorTable.of("twillio")

    assert ["twilio"] == raised.value.facts["near"]
    assert table_names() == raised.value.facts["known"]


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
