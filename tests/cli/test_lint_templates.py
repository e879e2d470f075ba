"""``smsflow lint`` on templates, with and without people to fill them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from smsflow_provider.cli.main import main

TEMPLATE = """\
---
sender: ACME
max_parts: 1
---
Hello {{ first_name }}, 20% off… {% include "end" %}
"""
NO_SAVING = "it saves no part here"
DOTS = "punctuation writes '...'"
NO_MENTION = (
    "a marketing text that does not say how to opt out"
    " (write it, or set opt_out_mention: STOP 36111)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A template, a block and a file of people."""
    (tmp_path / "sale.sms.j2").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "end.j2").write_text("à bientôt\n", encoding="utf-8")
    people = "id;phone;first_name\n1;0612345678;Ann\n2;0612345679;Maximilian Wolfgang Amadeus\n"
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[str]]:
    code = main(["lint", *map(str, words)])
    return code, capsys.readouterr().out.splitlines()


def read(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    main(["lint", *map(str, words), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_notes_are_told_and_change_no_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(capsys, folder / "sale.sms.j2")

    path, block = folder / "sale.sms.j2", folder / "blocks" / "end.j2"
    assert 0 == code
    why = "is not GSM-7: a part holds 70 units instead of 160"
    level = "transliteration:"
    assert [
        f"{block}:1: body: note: 'ô' (U+00F4) at 1:8 {why} ({level} full writes 'o'; {NO_SAVING})",
        f"{path}:5: body: note: '…' (U+2026) at 5:32 {why} ({level} {DOTS}; {NO_SAVING})",
        f"{path}:5: body: note: {NO_MENTION}",
        "no problems in 1 file",
    ] == lines


def test_strict_counts_notes_as_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(capsys, folder / "sale.sms.j2", "--strict")[0]


def test_the_longest_values_of_a_file_are_tried(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(capsys, folder / "sale.sms.j2", "--audience", folder / "people.csv")

    assert 0 == code
    (folder / "people.csv").write_text(f"first_name\n{'M' * 60}\n", encoding="utf-8")
    code, lines = run(capsys, folder / "sale.sms.j2", "--audience", folder / "people.csv")
    assert 1 == code
    assert (
        f"{folder}/sale.sms.j2:5: body: the text can have 2 parts (86 units of ucs2) where"
        " max_parts is 1 (transliteration: full makes the text 1 part instead of 2)"
    ) == lines[0]
    assert not any("MMM" in line or line.startswith("no problems") for line in lines)


def test_a_parquet_file_serves_as_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pl.DataFrame({"frist_name": ["Ann"]}).write_parquet(folder / "people.parquet")
    code, lines = run(capsys, folder, "--audience", folder / "people.parquet")

    assert 1 == code
    assert (
        f"{folder}/sale.sms.j2: body: the audience has no column 'first_name'"
        " (did you mean 'frist_name'?)"
    ) == lines[0]


@pytest.mark.parametrize(("columns", "code"), [("first_name, city", 0), ("name", 1), ("", 1)])
def test_columns_can_be_named_without_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str], columns: str, code: int
) -> None:
    assert code == run(capsys, folder / "sale.sms.j2", "--columns", columns)[0]


def test_a_length_can_be_given_and_counts_more_than_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "sale.sms.j2"

    assert 0 == run(capsys, path, "--longest", "first_name=30")[0]
    assert 1 == run(capsys, path, "--longest", "first_name=60")[0]
    words = ["--longest", "first_name=60", "--audience", folder / "people.csv"]
    assert 1 == run(capsys, path, *words)[0]


@pytest.mark.parametrize("wrong", ["first_name", "=40", "first_name=x", "a=0", "a=5000", "a=²"])
def test_a_length_that_cannot_be_read_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    assert 1 == main(["lint", str(folder), "--longest", wrong])
    assert "write --longest FIELD=LENGTH" in capsys.readouterr().err


def test_a_file_of_people_that_is_not_there_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["lint", str(folder), "--audience", "gone.csv"])
    assert "the audience's file is not there" in capsys.readouterr().err


def test_the_document_tells_problems_and_notes_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read(capsys, folder / "sale.sms.j2", "--columns", "name")

    assert 1 == document["files"]
    assert ["body"] == [problem["field"] for problem in document["problems"]]
    assert ["not_gsm", "not_gsm", "no_opt_out_mention"] == [
        note["check"] for note in document["notes"]
    ]
    assert [1, 5, 5] == [note["line"] for note in document["notes"]]


def test_a_template_that_cannot_be_read_gets_no_notes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.sms.j2").write_text("---\nsendr: ACME\n---\nê {{ name }\n", encoding="utf-8")
    document = read(capsys, folder / "bad.sms.j2")

    assert 2 == len(document["problems"])
    assert [] == document["notes"]


def test_a_block_of_two_templates_is_told_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.sms.j2").write_text(TEMPLATE, encoding="utf-8")
    notes = read(capsys, folder)["notes"]

    assert 1 == sum(note["file"].endswith("end.j2") for note in notes)
