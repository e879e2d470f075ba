from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.core.audience.file_options import PLAIN, BadLines, read_file_options
from smsflow_provider.core.audience.text_encoding import likely_encodings
from smsflow_provider.core.errors import AudienceError


def problems_of(error: AudienceError) -> list[str]:
    problems = error.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_what_is_not_said_is_found_out() -> None:
    assert PLAIN == read_file_options(None) == read_file_options({"encoding": "", "sheet": None})


def test_all_options_are_read() -> None:
    given = {"delimiter": ";", "encoding": "cp1252", "sheet": "People", "bad_lines": "skip"}
    found = read_file_options(given)

    assert (";", "cp1252", "People") == (found.delimiter, found.encoding, found.sheet)
    assert BadLines.SKIP is found.bad_lines


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"delimitr": ";"}, "unknown name 'delimitr' (did you mean 'delimiter'?)"),
        ({"delimiter": ";;"}, "delimiter: must be one character"),
        ({"delimiter": '"'}, "delimiter: must be one character"),
        ({"encoding": "cp12525"}, "encoding: nobody knows 'cp12525' (did you mean"),
        ({"encoding": "hex"}, "encoding: nobody knows 'hex'"),
        ({"bad_lines": "skp"}, "bad_lines: cannot be 'skp' (did you mean 'skip'?)"),
        ({"sheet": 3}, "sheet: must be a text"),
    ],
)
def test_what_cannot_be_is_told_with_the_near_name(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(AudienceError) as caught:
        read_file_options(given)
    assert problem in "".join(problems_of(caught.value))


def test_all_problems_of_options_are_told_at_once() -> None:
    with pytest.raises(AudienceError) as caught:
        read_file_options({"delimiter": "", "encoding": "x", "bad_lines": "y", "sheet": None})
    assert 2 == len(problems_of(caught.value))


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("Zażółć gęślą jaźń", "cp1250", "cp1250"),
        ("Привет, Москва", "cp1251", "cp1251"),
        ("山田太郎", "shift_jis", "shift_jis"),
    ],
)
def test_the_encoding_a_text_was_written_in_is_among_the_likely(
    text: str, encoding: str, expected: str
) -> None:
    names = [told.split()[0] for told in likely_encodings(text.encode(encoding))]
    assert expected in names
