"""Files, APIs and other tasks' audiences as sources of a build task, in this process."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.core.audience.http_options import read_http_options
from smsflow_provider.core.audience.read import read_audience
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.hooks.http_source import HttpSource
from smsflow_provider.operators.build_audience import BuildAudienceOperator

PEOPLE = [{"id": n, "phone": f"+3361234567{n}", "city": "Lyon", "note": "x"} for n in range(5)]


@pytest.fixture(autouse=True)
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "artifacts"
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", str(folder))
    return folder


class People(BaseHTTPRequestHandler):
    """Hands out two people a page, to whoever knows the password."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        start = int(parse_qs(url.query).get("start", ["0"])[0])
        if self.headers.get("Authorization") is None:
            self.answer(401, {"phone": PEOPLE[0]["phone"]})
        elif url.path == "/moved":
            self.answer(302, {})
        elif url.path == "/packed":
            self.send(gzip.compress(b"[" + b" " * (80 << 20) + b"]", 1), "Content-Encoding", "gzip")
        elif url.path == "/cut":
            self.send(b"[]", "Content-Length", "3")
        elif url.path == "/drip":
            self.drip()
        else:
            links = {"next": f"/people?start={start + 2}"} if start + 2 < len(PEOPLE) else {}
            self.answer(
                200, {"data": PEOPLE[start : start + 2], "links": links, "all": len(PEOPLE)}
            )

    def answer(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Location", "http://other.example/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send(self, body: bytes, name: str, value: str) -> None:
        self.send_response(200)
        self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """Send a byte now and then, for as long as somebody listens."""
        with suppress(OSError):
            self.send(b"[", "Content-Type", "application/json")
            while True:
                sleep(0.02)
                self.wfile.write(b" ")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), People)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    connect(monkeypatch, "api", port=port, login="me", password="secret")
    return "api"


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **said: object) -> None:
    connection = {"conn_type": "http", "host": "127.0.0.1", **said}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def run(**settings: Any) -> dict[str, Any]:
    operator = BuildAudienceOperator(task_id="people", **settings)
    ti = SimpleNamespace(
        dag_id="team.sale", run_id="run", task_id="people", map_index=-1, try_number=1
    )
    return operator.execute(cast("Any", {"ti": ti}))


def frame_of(xcom: dict[str, Any]) -> pl.DataFrame:
    def open_file(uri: str) -> Any:
        return cast("Any", ObjectStoragePath(uri)).open("rb")

    reference = AudienceReference.from_dict(xcom)
    return pl.concat(read_audience(reference, open_file=open_file, check_content=True))


PAGES = {"style": "link", "at": "links.next"}


def test_an_api_is_read_to_its_last_page_with_the_login_of_the_connection(api: str) -> None:
    http = {"endpoint": "/people", "rows": "data", "total": "all", "pages": PAGES}

    found = frame_of(run(http=http, conn_id=api, id_column="id", columns=["city"]))
    assert [(str(one["id"]), one["phone"], "Lyon") for one in PEOPLE] == found.rows()


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [("/packed", "too large"), ("/cut", "did not answer"), ("/drip", "too slowly")],
)
def test_an_answer_that_is_packed_too_well_cut_off_or_endless_is_none(
    api: str, endpoint: str, problem: str
) -> None:
    options = read_http_options({"endpoint": endpoint, "retries": 0, "timeout_s": 5})
    source = HttpSource(api, options=options, most_seconds=0.1 if "drip" in endpoint else 60)

    with pytest.raises(AudienceError, match=problem):
        list(source.batches())


def test_nothing_of_an_answer_or_an_address_is_told(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect(monkeypatch, "open_api", port=port)
    caplog.set_level(logging.DEBUG, logger="smsflow_provider")
    http = {"endpoint": "/people", "query": {"phone": "0612345678"}}

    with pytest.raises(AudienceError, match="login") as caught:
        run(http=http, conn_id="open_api")
    for told in (str(caught.value), caplog.text):
        assert "123456" not in told


def test_a_redirect_is_not_followed(api: str) -> None:
    with pytest.raises(AudienceError, match="somewhere else"):
        run(http={"endpoint": "/moved"}, conn_id=api)


def test_an_api_out_of_reach_is_told_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "gone", port=1)
    http = {"endpoint": "/people", "query": {"phone": "0612345678"}, "retries": 0}

    with pytest.raises(AudienceError, match="did not answer") as caught:
        run(http=http, conn_id="gone")
    assert "0612345678" not in str(caught.value)
    assert "ConnectionError" == caught.value.facts["cause"]


def test_a_database_is_no_api(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "crm", conn_type="sqlite", host="/nowhere.db")

    with pytest.raises(AudienceError, match="not an HTTP API"):
        run(http={"endpoint": "/people"}, conn_id="crm")


def test_bad_lines_of_a_file_are_left_out_and_logged_by_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("id;name;phone\n1;José;06\n2;x\n3;Zoë;07\n".encode("cp1252"))
    options = {"encoding": "cp1252", "delimiter": ";", "bad_lines": "skip"}
    caplog.set_level(logging.WARNING)

    found = frame_of(run(file=str(file), file_options=options, columns=["name"]))
    assert [("1", "06", "José"), ("2", "07", "Zoë")] == found.rows()
    assert "Bad lines left out: 1, the first: line 3: 2 cells instead of 3" in caplog.text


def test_a_missing_column_of_a_file_is_told_with_the_near_one(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("phone,city\n06,Lyon\n")

    with pytest.raises(AudienceError, match=r"did you mean 'city'\?"):
        run(file=str(file), columns=["ctiy"])


def test_options_that_cannot_be_fail_the_task_for_good() -> None:
    with pytest.raises(AirflowFailException, match="did you mean 'delimiter'"):
        run(file="people.csv", file_options={"delimter": ";"})


def test_the_audience_of_another_task_is_taken_whole_or_by_columns(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("recipient_id,phone,city,note\nA,06,Lyon,x\nB,07,Paris,y\n")
    first = run(file=str(file))

    assert first["fingerprint"] == run(reference=first)["fingerprint"]
    second = run(reference=json.dumps(first), columns=["city"])
    assert [("A", "06", "Lyon"), ("B", "07", "Paris")] == frame_of(second).rows()


def test_an_audience_that_changed_since_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("phone\n06\n")
    reference = {**run(file=str(file)), "fingerprint": "0" * 64}

    with pytest.raises(AudienceError, match="has changed"):
        run(reference=reference)


def test_a_text_that_is_no_reference_says_how_to_pass_one() -> None:
    with pytest.raises(AirflowFailException, match="tojson"):
        run(reference="{'uri': 'x'}")
