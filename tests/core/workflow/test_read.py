from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import WorkflowError
from smsflow_provider.core.workflow.read import id_in, parse_workflow, read_file, read_workflow
from smsflow_provider.core.workflow.spec import BuildAudience, SmsDelivery

DATA = Path(__file__).parents[2] / "data" / "workflows"

# What everything_wrong.yaml must be told, as a user sees it after the name of the file.
EXPECTED = (DATA / "everything_wrong.txt").read_text(encoding="utf-8").splitlines()


def told(text: str) -> list[str]:
    return [str(problem) for problem in parse_workflow(text, file="w.yaml").problems]


def test_every_problem_of_a_file_is_told_at_once_with_its_line_and_near_name() -> None:
    path = DATA / "everything_wrong.yaml"

    found = [str(problem) for problem in read_file(path).problems]

    assert [f"{path}:{line}" for line in EXPECTED] == found


def test_a_right_file_becomes_the_workflow_it_says() -> None:
    workflow = read_workflow(DATA / "right.yaml")

    customers, sms = workflow.activities["customers"], workflow.activities["sms"]
    assert isinstance(customers, BuildAudience)
    assert isinstance(sms, SmsDelivery)
    assert {"city": "{{ params.city }}"} == customers.parameters
    assert timedelta(days=2, hours=12) == sms.review_within
    assert ("claire",) == sms.reviewers
    assert date(2026, 3, 1) == workflow.start_date
    assert "marketing.store_opening" == workflow.id


def test_reading_a_wrong_file_raises_one_error_with_all_its_problems() -> None:
    with pytest.raises(WorkflowError) as caught:
        read_workflow(DATA / "everything_wrong.yaml")

    listed = caught.value.facts["problems"]
    assert isinstance(listed, list)
    assert len(EXPECTED) == len(listed)
    assert f"{len(listed)} problems in" in caught.value.problem


BODY = """\
id: a.b
activities:
  people: {kind: build_audience, file: people.csv}
  sms:
    kind: sms_delivery
    audience: people
    template: sale
"""


def test_problems_of_the_plan_have_lines_too() -> None:
    assert [
        "w.yaml:8: activities.sms.label: unknown parameter 'x' (declare it under params)"
    ] == told(BODY + "    label: '{{ params.x }}'\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("template: sale", "tmplate: sale"),
            [
                "4: activities.sms.template: is missing",
                ("7: activities.sms.tmplate: unknown field 'tmplate' (did you mean 'template'?)"),
            ],
        ),
        (
            ("template: sale", "template: 42"),
            [
                (
                    "7: activities.sms.template: should be a valid string,"
                    " found a value of type int (put it in quotes)"
                ),
            ],
        ),
        (
            ("template: sale", "template: [a]"),
            ["7: activities.sms.template: should be a valid string, found a list"],
        ),
        (("template: sale", "template: ''"), ["7: activities.sms.template: must not be empty"]),
        (
            ("kind: build_audience, file: people.csv", "kind: build_audience"),
            [
                (
                    "3: activities.people: needs exactly one source, found none"
                    " (one of audience, rules, table, sql, file, http, reference, callable)"
                ),
            ],
        ),
        (
            ("  sms:", "  s.m:"),
            [
                (
                    "4: activities.s.m: 's.m' cannot name an activity"
                    " (use letters, digits, '_' and '-', at most 200)"
                ),
            ],
        ),
        (
            ("id: a.b", "id: a.b\nschedule: weekly"),
            ["2: schedule: should be a valid dictionary or instance of Schedule, found a text"],
        ),
        (
            ("id: a.b", "id: a.b\nschedule: {crom: '@weekly'}"),
            [
                "2: schedule.cron: is missing",
                "2: schedule.crom: unknown field 'crom' (did you mean 'cron'?)",
            ],
        ),
        (
            ("id: a.b", "id: a.b\nstart_date: soon"),
            [
                (
                    "2: start_date: should be a valid date or datetime, input is too short,"
                    " found a text"
                ),
            ],
        ),
        (
            ("id: a.b", "id: a.b\nparams: {n: {type: integer, exclusiveMinimun: 3}}"),
            [
                (
                    "2: params.n.exclusiveMinimun: unknown field 'exclusiveMinimun'"
                    " (did you mean 'exclusiveMinimum'?)"
                ),
            ],
        ),
    ],
)
def test_one_mistake_is_one_clear_sentence(change: tuple[str, str], expected: list[str]) -> None:
    assert sorted(f"w.yaml:{each}" for each in expected) == sorted(told(BODY.replace(*change)))


@pytest.mark.parametrize("text", ["- id: a.b", "just a text", "42"])
def test_a_file_that_holds_something_else_says_how_to_start(text: str) -> None:
    assert [
        "w.yaml:1: must hold one workflow (start with id: <team>.<campaign>, then activities:)"
    ] == told(text)


def test_an_empty_file_says_so() -> None:
    assert ["w.yaml:1: the file is empty"] == told("\n")


def test_activities_that_are_no_mapping_are_refused() -> None:
    assert ["w.yaml:2: activities: should be a valid dictionary, found a list"] == told(
        "id: a.b\nactivities: [sms]"
    )


def test_a_file_that_is_not_there_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (problem,) = read_file(tmp_path / "gone.yaml").problems

    assert f"{tmp_path / 'gone.yaml'}: no such file or directory" == str(problem)


def test_a_folder_is_no_workflow(tmp_path: Path) -> None:
    (problem,) = read_file(tmp_path).problems

    assert "is a directory" == problem.text


def test_bytes_that_are_not_utf_8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("id: a.b\nlabel: été\n".encode("latin-1"))

    assert [f"{path}:2: is not UTF-8 (save it as UTF-8)"] == [
        str(problem) for problem in read_file(path).problems
    ]


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_text(BODY, encoding="utf-8-sig")

    assert "a.b" == read_workflow(path).id


def test_a_file_far_too_large_is_not_even_parsed(tmp_path: Path) -> None:
    path = tmp_path / "dump.yaml"
    path.write_bytes(b"x" * 1_000_001)

    assert ["is too large"] == [each.text for each in read_file(path).problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BODY, "a.b"),
        ("id: a.b\nactivities: nonsense", "a.b"),
        ("labl: x\nid: a.b", "a.b"),
        ("id: [a]", None),
        ("id: a.b\n  broken: [", None),
        ("", None),
    ],
)
def test_the_id_is_found_whatever_else_is_wrong(text: str, expected: str | None) -> None:
    assert expected == id_in(text)


@given(st.text(max_size=60))
def test_any_text_is_a_workflow_or_has_a_problem(text: str) -> None:
    reading = parse_workflow(text)

    assert (reading.workflow is None) == bool(reading.problems)


@given(st.integers(0, 60), st.text(max_size=6))
def test_a_damaged_workflow_never_raises(at: int, patch: str) -> None:
    damaged = BODY[:at] + patch + BODY[at + len(patch) :]

    reading = parse_workflow(damaged, file="w.yaml")

    assert (reading.workflow is None) == bool(reading.problems)
    assert all("w.yaml" == problem.file for problem in reading.problems)
