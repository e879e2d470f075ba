from __future__ import annotations

from typing import Any

import pytest

from smsflow_provider.core.audience.choice import SourceKind, choose_source
from smsflow_provider.core.audience.http_options import PageStyle
from smsflow_provider.core.audience.limits import USUAL_ROWS, USUAL_TIME
from smsflow_provider.core.audience.saved_name import name_problem, read_name
from smsflow_provider.core.errors import AudienceError


def find_people() -> None:
    """Stands for a user's function."""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"audience": "vip@3"}, SourceKind.AUDIENCE),
        ({"sql": "SELECT 1", "conn_id": "crm", "parameters": {"a": 1}}, SourceKind.SQL),
        ({"rules": [{}], "dimension": "customers", "columns": ["city"]}, SourceKind.RULES),
        ({"table": "people", "conn_id": "crm", "id_column": "id"}, SourceKind.TABLE),
        ({"file": "people.csv", "save_as": "vip"}, SourceKind.FILE),
        ({"file": "f", "time_limit": USUAL_TIME, "row_limit": USUAL_ROWS}, SourceKind.FILE),
        ({"python_callable": find_people, "op_kwargs": {"a": 1}}, SourceKind.CALLABLE),
        ({"file": "people.csv", "sql": "", "op_kwargs": {}, "save_as": None}, SourceKind.FILE),
        *[({"file": "f", "on_empty": one}, SourceKind.FILE) for one in ("fail", "skip")],
    ],
)
def test_one_source_is_chosen(settings: dict[str, Any], expected: SourceKind) -> None:
    assert expected is choose_source(settings)


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({}, [f"give one of {', '.join(SourceKind)}"]),
        ({"audience": ""}, [f"give one of {', '.join(SourceKind)}"]),
        (
            {"audience": "vip", "file": "f"},
            ["give one of audience, file, not all of them"],
        ),
        ({"sql": "SELECT 1"}, ["sql needs conn_id, the connection to ask"]),
        ({"file": "f", "conn_id": "crm"}, ["conn_id goes with rules or table or sql or http only"]),
        ({"file": "f", "parameters": [1]}, ["parameters goes with sql only"]),
        ({"file": "f", "op_kwargs": {"a": 1}}, ["op_kwargs goes with python_callable only"]),
        ({"rules": [{}]}, ["rules needs dimension, whom the rules are about"]),
        ({"table": "people"}, ["table needs conn_id, the connection to ask"]),
        (
            {"rules": [{}], "dimension": "d", "phone_column": "mobile", "id_column": "id"},
            [
                "phone_column does not go with rules: the dimension says it",
                "id_column does not go with rules: the dimension says it",
            ],
        ),
        ({"file": "f", "row_limit": 5}, ["row_limit goes with rules or table or sql only"]),
        (
            {"sql": "S", "conn_id": "c", "file_options": {"sheet": "a"}},
            ["file_options goes with file only"],
        ),
        (
            {"file": "f", "on_empty": "skp"},
            ["on_empty cannot be 'skp' (did you mean 'skip'?)"],
        ),
        (
            {"file": "f", "on_empty": None},
            ["on_empty cannot be 'None': it is one of fail, skip, continue"],
        ),
        ({"python_callable": "find_people"}, ["python_callable must be a function"]),
        (
            {"audience": "vip", "save_as": "vip2"},
            ["save_as does not go with audience, which is saved already"],
        ),
        (
            {"conn_id": "c", "http": {"endpoint": "/p", "pages": {"style": "pages"}}},
            [f"http.pages.style: is not a choice: it is one of {', '.join(PageStyle)}"],
        ),
        ({"file": "f", "phone_column": ""}, ["phone_column must not be empty"]),
    ],
)
def test_settings_that_do_not_go_together_are_told(
    settings: dict[str, Any], problems: list[str]
) -> None:
    with pytest.raises(AudienceError) as caught:
        choose_source(settings)
    assert problems == caught.value.facts["problems"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"file": "f", "file_options": {"delimitr": ";"}}, "did you mean 'delimiter'?"),
        ({"http": {"endpoint": "https://x"}, "conn_id": "api"}, "must not name a host"),
        ({"http": {"endpoint": "/people"}}, "http needs conn_id, the connection to ask"),
        ({"audience": "vip", "columns": ["a"]}, "columns goes with"),
        ({"file": "f", "columns": "city"}, "columns must be a list of names"),
    ],
)
def test_what_belongs_to_one_source_is_checked_with_it(
    settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        choose_source(settings)
    assert problem in str(caught.value.facts["problems"])


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(AudienceError) as caught:
        choose_source({"conn_id": "crm", "on_empty": "x", "save_as": "a b", "phone_column": ""})

    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    assert ["give", "conn_id", "on_empty", "phone_column", "save_as:"] == [
        problem.split()[0] for problem in problems
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("vip", ("vip", None)), (" vip@12 ", ("vip", 12)), ("team.vip-2_x", ("team.vip-2_x", None))],
)
def test_a_name_may_carry_a_version(text: str, expected: tuple[str, int | None]) -> None:
    assert expected == read_name(text)


@pytest.mark.parametrize("text", ["", "@3", "vip@", "vip@0", "vip@-1", "vip@x", "a b", "vip@1@2"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(AudienceError) as caught:
        read_name(text)
    assert text == caught.value.facts["name"]


def test_a_name_to_save_under_carries_no_version() -> None:
    assert name_problem("vip") is None
    assert name_problem("vip@3") is not None
    assert name_problem("x" * 101) is not None


def test_rules_that_rendered_to_nothing_are_nobody_and_not_everybody() -> None:
    with pytest.raises(AudienceError) as caught:
        choose_source({"rules": [], "dimension": "customers"})

    problems = caught.value.facts["problems"]
    assert [f"give one of {', '.join(SourceKind)}", "dimension goes with rules only"] == problems
