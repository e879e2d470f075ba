"""``smsflow audience``: from a file of people to versions, and what differs between them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.store.audience_files import find_file
from smsflow_provider.core.store.audiences import find_audience, list_audiences
from smsflow_provider.core.store.connection import Store

Smsflow = Callable[..., str]
PEOPLE = "id;phone;city\na;+33612345671;Lyon\nb;+33612345672;Paris\n"


@pytest.fixture
def smsflow(
    store_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Smsflow:
    """Run a command that must end with *code*; what it printed on stdout and stderr."""
    monkeypatch.setenv("SMSFLOW_STORE", store_dsn)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "more.csv").write_text(
        "id;phone;city\nb;+33612345672;Nice\nc;+33612345673;Lyon\n", encoding="utf-8"
    )

    def run(words: str, *more: str, code: int = 0) -> str:
        given = ["audience", *words.split(), *more]
        if words.split(maxsplit=1)[0] in ("save", "update", "append", "delete", "diff", "export"):
            given += ["--artifacts", "kept"]
        assert code == main(given), capsys.readouterr().err
        said = capsys.readouterr()
        return str(said.out + said.err)

    return run


SAVE = "save vip people.csv --id-column id"
APPEND = "append vip more.csv --id-column id"


def test_people_of_a_file_are_saved_updated_and_appended_to(store: Store, smsflow: Smsflow) -> None:
    assert "vip@1: 2 added, 0 removed, 2 rows now.\n" == smsflow(SAVE, "--description", "The best")
    assert "vip@2: 2 added, 1 removed, 3 rows now.\n" == smsflow(APPEND)
    assert "vip@3: 2 added, 3 removed, 2 rows now.\n" == smsflow(SAVE.replace("save", "update"))

    shown = smsflow("show vip")
    assert shown.startswith("The best\nvip@3 ")
    assert shown.endswith("columns: recipient_id (text), phone (text), city (text)\n")
    assert "2 rows, update by " in smsflow("list")
    found = json.loads(smsflow("show vip@2 --json"))
    assert [(2, 3, "append")] == [(one["version"], one["count"], one["action"]) for one in found]
    made = find_file(store, find_audience(store, "vip").uri).made
    assert {"source": "file", "label": "people.csv", "format": "csv"}.items() <= made.items()


def test_a_slip_of_the_name_is_told_before_a_file_is_read(store: Store, smsflow: Smsflow) -> None:
    smsflow(SAVE)

    assert "'update' takes other people" in smsflow("save vip none.csv", code=1)
    for action in ("update", "append"):
        assert "near: ['vip']" in smsflow(f"{action} vpi none.csv", code=1)
    assert "no version is ever changed" in smsflow("update vip@1 none.csv", code=1)
    assert "there is no such file" in smsflow("update vip none.csv", code=1)
    assert ["vip"] == [one.name for one in list_audiences(store)]


def test_versions_are_compared_with_phones_masked(smsflow: Smsflow) -> None:
    smsflow(SAVE)
    assert "one version only" in smsflow("diff vip", code=1)
    assert "name two versions" in smsflow("diff vip@1", code=1)
    smsflow(APPEND)

    assert (
        "vip@1 to vip@2, by recipient_id: 1 added, 0 removed, 1 changed, 1 the same\n"
        "  added c +33·······73\n"
        "  changed b +33·······72: city\n"
    ) == smsflow("diff vip")
    told = json.loads(smsflow("diff vip@2 vip@1 --json"))
    assert (0, 1) == (told["added"], told["removed"])


def test_people_and_versions_are_deleted(store: Store, smsflow: Smsflow) -> None:
    smsflow(SAVE)
    smsflow(APPEND)
    assert "vip@3: 1 removed for 2 ids, 2 rows now.\n" == smsflow("delete vip --ids a nobody")
    assert "vip@4: 2 removed, 0 rows now.\n" == smsflow("delete vip --people vip@2")
    assert "vip@4: 0 removed for 1 id, 0 rows now.\n" == smsflow("delete vip --ids a")

    assert "1 version of vip deleted.\n" == smsflow("delete vip@4")
    assert 3 == find_audience(store, "vip").version
    assert "--every-version" in smsflow("delete vip", code=1)
    assert "no version is ever changed" in smsflow("delete vip@1 --ids a", code=1)
    assert [1, 2, 3] == json.loads(smsflow("delete vip --every-version --json"))["deleted"]
    assert "" == smsflow("list")
    assert "no saved audience" in smsflow("show vip", code=1)


def test_a_description_is_said_anew(store: Store, smsflow: Smsflow) -> None:
    smsflow(SAVE)
    smsflow("describe vip", "Those who buy most")
    smsflow(APPEND)

    assert "Those who buy most" == find_audience(store, "vip").description


def test_an_export_holds_whole_numbers_and_is_for_its_owner(
    tmp_path: Path, smsflow: Smsflow
) -> None:
    smsflow(SAVE)
    assert "2 entries written.\n" == smsflow("export vip out.csv")

    path = tmp_path / "out.csv"
    assert 0o600 == path.stat().st_mode & 0o777
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert [["recipient_id", "phone", "city"], ["a", "+33612345671", "Lyon"]] == rows[:2]
    assert smsflow("export vip@1").startswith("recipient_id,phone,city\n")


def test_bad_lines_are_left_out_only_when_that_is_said(tmp_path: Path, smsflow: Smsflow) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE + "c;d;e;f;g;h,i,j,k\n", encoding="utf-8")

    assert "bad_lines: skip" in smsflow(SAVE, code=1)
    assert "vip@1: 2 added" in smsflow(SAVE + " --bad-lines skip")
