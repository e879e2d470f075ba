"""``smsflow preview`` of a template, with rows from a file."""

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
max_parts: 2
language: lang
default_language: en
opt_out_mention: STOP 36111
---
Hello {{ name }}
--- fr
Bonjour {{ name }}
"""
PEOPLE = [
    {"id": "a1", "phone": "+33612345678", "name": "Zoê", "lang": "fr"},
    {"id": "a2", "phone": "+33612345679", "name": "M" * 150, "lang": "en"},
    {"id": "a3", "phone": "+33612345670", "name": "", "lang": "en"},
    {"id": "a4", "phone": "+33612345671", "name": "ê" * 140, "lang": "fr"},
]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template in two languages, and people in two formats."""
    path = tmp_path / "hi.sms.j2"
    path.write_text(TEMPLATE, encoding="utf-8")
    frame = pl.DataFrame(PEOPLE)
    frame.write_csv(tmp_path / "people.csv", separator=";", include_bom=True)
    frame.write_parquet(tmp_path / "people.parquet")
    return path


def preview(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["preview", *map(str, words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def read(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(preview(capsys, *words, "--json")[1])
    return document


def test_rows_are_shown_part_by_part(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = template.parent / "people.csv"
    code, out, _ = preview(capsys, template, "--data", people)

    assert 1 == code
    lines = out.splitlines()
    assert [
        "--- row 1, recipient a1, ucs2, 22 units, 1 part, from ACME, in fr",
        "Bonjour Zoê STOP 36111",
        "--- row 2, recipient a2, gsm7, 167 units, 2 parts, from ACME, in en",
        "[1/2] Hello " + "M" * 147,
        "[2/2] MMM STOP 36111",
        "--- row 3: no text: the field 'name' is missing",
        "--- row 4, recipient a4, ucs2, 159 units, 3 parts, from ACME, in fr, more than max_parts",
    ] == lines[:7]
    assert "+336" not in out


@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
def test_those_worth_looking_at_are_picked_of_all_rows(
    template: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    picks = [f"--pick={word}" for word in ("longest", "each-language", "each_parts", "dearest")]
    document = read(capsys, template, "--data", template.parent / name, "--limit", 1, *picks)

    assert (4, 1) == (document["rows"], document["without_text"])
    assert [
        (2, ["longest", "en", "2 parts"]),
        (1, ["fr", "1 part"]),
        (4, ["3 parts", "dearest"]),
    ] == [(sample["row"], sample["picks"]) for sample in document["samples"]]


def test_recipients_are_found_by_their_ids(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = template.parent / "people.csv"
    words = [template, "--data", people, "--recipient", "a4", "--recipient", "a1"]
    code, out, err = preview(capsys, template, "--data", people, "--recipient", "a9")

    assert ["a1", "a4"] == [one["recipient_id"] for one in read(capsys, *words)["samples"]]
    assert [67, 134] == read(capsys, *words)["samples"][1]["part_starts"]
    assert (1, "") == (code, out)
    assert "no row is of these recipients" in err


def test_prices_tell_what_a_text_costs(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = "country,sender,price,currency,as_of\nFR,*,0.045,EUR,2026-11-01\n"
    (template.parent / "prices.csv").write_text(prices, encoding="utf-8")
    people = template.parent / "people.csv"
    words = [template, "--data", people, "--rules", template.parent, "--pick", "dearest"]

    assert "3 parts, from ACME, in fr, 0.135 EUR, more" in preview(capsys, *words)[1]


def test_the_gateway_says_how_texts_are_cut(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = f"name={'x' * 60}😀ê😀"
    by_kannel = preview(capsys, template, "--set", value, "--gateway", "sms_kannel")[1]

    assert "may be cut inside a character" in by_kannel
    assert (
        "may be" not in preview(capsys, template, "--set", value, "--gateway", "sms_simulator")[1]
    )


def test_an_unknown_pick_names_the_known(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        preview(capsys, template, "--pick", "cheapest")
    assert "none of longest, shortest, dearest, each-encoding" in capsys.readouterr().err


def test_a_file_without_rows_is_told(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = template.parent / "empty.parquet"
    pl.DataFrame(PEOPLE).clear().write_parquet(empty)

    code, _, err = preview(capsys, template, "--data", empty, "--pick", "longest")
    assert 1 == code
    assert "no rows" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--data", "people.csv", "--set", "name=Bo"], "from --data or from --set"),
        (["--data", "people.csv", "--recipient", "a1", "--pick", "longest"], "--recipient or"),
        (["--set", "name=Bo", "--rules", "."], "the folder holds no price table"),
        ([], "give rows with --data FILE, or one row with --set FIELD=VALUE"),
    ],
)
def test_what_would_be_ignored_or_is_lacking_is_told(
    template: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    expected: str,
) -> None:
    monkeypatch.chdir(template.parent)

    code, _, err = preview(capsys, template, *words)
    assert 1 == code
    assert expected in err


def test_a_template_that_is_not_there_is_told_with_the_near_name(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = preview(capsys, template.parent / "hii.sms.j2")

    assert 1 == code
    assert "no such template file" in err
    assert "did you mean 'hi.sms.j2'?" in err


def test_what_is_said_of_a_template_is_refused_for_a_delivery(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = preview(capsys, "sale-1", "--set", "name=Bo", "--rules", template.parent)

    assert 1 == code
    assert "options: ['--set', '--rules']" in err
