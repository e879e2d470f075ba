"""Templates over REST: what is in the folder, and texts that are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Store
from tests.airflow.running import headers_of


@pytest.fixture
def folder(templates: Path, airflow_store: Store) -> Path:
    """The folder with one good template and one that cannot be used."""
    del airflow_store
    (templates / "broken.sms.j2").write_text("---\nsendr: ACME\n---\nHi {{ name\n")
    return templates


def preview(server: TestClient, name: str = "sale", **body: Any) -> Any:
    path = f"/smsflow/api/v1/templates/{name}/preview"
    return server.post(path, headers=headers_of("vera"), json=body)


def test_the_list_tells_what_is_wrong_with_each(server: TestClient, folder: Path) -> None:
    del folder
    answer = server.get("/smsflow/api/v1/templates", headers=headers_of("vera")).json()
    broken, sale = answer["templates"]
    assert answer["is_readable"]
    assert (sale["label"], sale["sender"], sale["problems"]) == ("Spring sale", "ACME", [])
    assert broken["problems"][0].startswith("broken.sms.j2:2: sendr: unknown setting")


def test_a_template_comes_with_rows_that_fill_it(server: TestClient, folder: Path) -> None:
    del folder
    one = server.get("/smsflow/api/v1/templates/sale", headers=headers_of("vera")).json()
    assert one["texts"][0]["text"].startswith("Xylophone sale")
    tried = preview(server, rows=one["example_rows"]).json()
    assert [row["problem"] for row in tried["rows"]] == [""] * 3


def test_a_text_that_is_tried_is_measured_as_it_would_leave(
    server: TestClient, folder: Path
) -> None:
    before = (folder / "sale.sms.j2").read_text()
    tried = preview(server, body="{{ first_name }} ę" + "x" * 80, rows=[{"first_name": "Zoe"}, {}])
    row, missing = tried.json()["rows"]
    assert (row["encoding"], row["parts"], row["part_starts"]) == ("ucs2", 2, [67])
    assert row["unicode"] == [{"at": 4, "character": "ę"}]
    assert missing["problem"] == "the field 'first_name' is missing"
    assert (folder / "sale.sms.j2").read_text() == before


def test_a_text_that_cannot_be_used_says_where_it_is_wrong(
    server: TestClient, folder: Path
) -> None:
    del folder
    tried = preview(server, body="Hi\n{{ first_name", rows=[{}])
    assert tried.status_code == 200
    assert tried.json()["problems"][0].startswith("text:2: body: ")
    assert preview(server, "broken", rows=[{}]).status_code == 409
    assert preview(server, "none", rows=[{}]).status_code == 404
    assert preview(server, rows=[{}] * 21).status_code == 422


def test_rows_that_lack_a_column_of_a_setting_name_the_setting(
    server: TestClient, folder: Path
) -> None:
    settings = "sender: ACME\nsender_expression: shop"
    (folder / "shops.sms.j2").write_text(f"---\n{settings}\n---\nHi\n")
    lacking, whole = (preview(server, "shops", rows=[row]) for row in ({}, {"shop": "Lyon"}))

    assert [200, 200] == [each.status_code for each in (lacking, whole)]
    assert ["sender_expression: unknown column 'shop'"] == lacking.json()["problems"]
    assert [] == lacking.json()["rows"]
    assert "Lyon" == whole.json()["rows"][0]["sender"]


def test_what_is_no_text_is_refused_with_its_field(server: TestClient, folder: Path) -> None:
    del folder
    path = "/smsflow/api/v1/templates/sale/preview"
    headers = {**headers_of("vera"), "Content-Type": "application/json"}
    for body, field in (
        (r'{"rows": [{"first_name": "\ud800"}]}', "first_name"),
        (r'{"rows": [{}], "body": "\ud800"}', "body"),
        (r'{"rows": [{"\ud800": "x"}]}', "rows"),
        (r'{"rows": [{"first_name": [1]}]}', "first_name"),
    ):
        answer = server.post(path, headers=headers, content=body)
        assert (422, "application/problem+json") == (
            answer.status_code,
            answer.headers["content-type"],
        )
        assert [field] == [each["field"] for each in answer.json()["problems"]]


def test_a_text_without_end_ends(server: TestClient, folder: Path) -> None:
    del folder
    body = "{{ first_name * 99999999 }}"
    row = preview(server, body=body, rows=[{"first_name": "x" * 1000}]).json()
    assert row["problems"] or row["rows"][0]["problem"]


def test_a_folder_that_is_not_here_is_said(
    server: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__TEMPLATES", str(folder / "elsewhere"))
    answer = server.get("/smsflow/api/v1/templates", headers=headers_of("vera")).json()
    assert answer == {"is_readable": False, "templates": []}
