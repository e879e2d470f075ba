"""Opt-outs and quarantine over REST: who may, what changes, what is noted, and no number shown."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.number_lists import opt_outs_of, quarantined_of
from smsflow_provider.core.store.opt_outs import add_opt_outs
from tests.airflow.running import headers_of

ACTIONS = ("search", "", "remove", "import", "export")
LISTS = ("opt-outs", "quarantine")


@pytest.fixture
def number(airflow_store: Store) -> int:
    """A number that no other test has."""
    del airflow_store
    return 33610000000 + uuid4().int % 9_000_000


def post(server: TestClient, path: str, *, user: str = "maria", **body: Any) -> Any:
    return server.post(f"/smsflow/api/v1/{path}", headers=headers_of(user), json=body)


def read(server: TestClient, path: str, *, user: str = "maria") -> Any:
    return server.get(f"/smsflow/api/v1/{path}", headers=headers_of(user))


def audit_of(store: Store, action: str) -> dict[str, Any]:
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT actor, facts FROM smsflow_audit WHERE action = %s ORDER BY no DESC LIMIT 1",
            [action],
        ).fetchone()
    assert row is not None
    return dict(row)


@pytest.mark.parametrize("list_", LISTS)
def test_a_viewer_neither_sees_nor_changes_a_list(
    server: TestClient, airflow_store: Store, list_: str
) -> None:
    del airflow_store
    seen = read(server, list_, user="vera").json()
    assert (seen["may_administer"], seen["entries"], seen["total"]) == (False, [], 0)
    for action in ACTIONS:
        path = f"{list_}/{action}".rstrip("/")
        body = {"csv": "1"} if action == "import" else {"number": "+33612345678", "reason": "why"}
        if action == "export":
            body = {}
        if action == "search":
            body.pop("reason")
        assert post(server, path, user="vera", **body).status_code == 403, path


def test_a_number_that_is_added_is_found_and_its_digits_are_nowhere(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    added = post(
        server,
        "opt-outs",
        number=f"0{number % 10**9}",
        region="FR",
        scope="sender:acme",
        reason="by mail",
    )
    assert (added.status_code, added.json()) == (201, {"changed": 1})

    found = post(server, "opt-outs/search", number=f"+{number}")
    (entry,) = found.json()["entries"]
    assert (entry["scope"], entry["reason"]) == ("sender:ACME", "by mail")
    assert (entry["source"], entry["is_own_wish"]) == ("dashboard", False)
    newest = read(server, "opt-outs?limit=1")
    assert newest.json()["entries"][0] == entry
    for told in (added, found, newest):
        assert str(number)[2:] not in told.text
    noted = audit_of(airflow_store, "opt_out_added")
    assert noted["actor"] == "maria"
    assert noted["facts"] == {"changed": 1, "scope": "sender:ACME", "reason": "by mail"}


def test_whoever_wrote_stop_is_taken_off_only_with_a_new_consent(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    add_opt_outs(airflow_store, [number], source="reply")
    body = {"number": f"+{number}", "reason": "asked in the shop"}

    refused = post(server, "opt-outs/remove", **body)
    assert (refused.status_code, len(opt_outs_of(airflow_store, number))) == (409, 1)
    assert "has_consented" in refused.json()["title"]

    done = post(server, "opt-outs/remove", **body, has_consented=True)
    assert (done.json(), opt_outs_of(airflow_store, number)) == ({"changed": 1}, [])
    assert audit_of(airflow_store, "opt_out_removed")["facts"]["has_consented"] is True


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"number": "12"}, "cannot be texted"),
        ({"number": "+33612345678", "scope": "sendr:ACME"}, "did you mean"),
        ({"number": "+33612345678", "reason": "06 12 34 56 78 called"}, "no phone number"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(
    server: TestClient, airflow_store: Store, body: dict[str, Any], words: str
) -> None:
    del airflow_store
    answer = post(server, "opt-outs", **body)
    assert answer.status_code == 422
    assert words in answer.text
    assert "12345678" not in answer.text
    assert "12 34 56 78" not in answer.text


def test_a_file_with_wrong_lines_names_them_all_and_imports_nothing(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    rows = [f"+{number},", "12,", f"+{number + 1},sendr:ACME", f"+{number},sender:ACME"]
    text = "\n".join(["phone,scope", *rows])

    tried = post(server, "opt-outs/import", csv=text).json()
    assert [one.partition(":")[0] for one in tried["problems"]] == ["line 3", "line 4"]
    assert (tried["rows"], tried["added"], tried["is_dry_run"]) == (4, 2, True)
    refused = post(server, "opt-outs/import", csv=text, dry_run=False)
    assert (refused.status_code, refused.json()["lines"]) == (422, tried["problems"])
    assert str(number) not in refused.text
    assert opt_outs_of(airflow_store, number) == []


def test_a_good_file_changes_just_what_was_told_before(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    add_opt_outs(airflow_store, [number])
    text = "\n".join([f"+{number}", f"+{number + 1}", f"+{number + 1}"])

    told = post(server, "opt-outs/import", csv=text).json()
    done = post(server, "opt-outs/import", csv=text, dry_run=False).json()

    assert (told["added"], told["already"]) == (done["added"], done["already"]) == (1, 2)
    assert audit_of(airflow_store, "opt_outs_imported")["facts"]["rows"] == 3


def test_an_export_runs_no_formula_and_is_noted(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    add_opt_outs(airflow_store, [number], reason="=HYPERLINK(1)")
    answer = post(server, "opt-outs/export")
    assert answer.headers["content-type"].startswith("text/csv")
    (line,) = [one for one in answer.text.splitlines() if one.startswith(f"+{number}")]
    assert line.split(",")[2] == "'=HYPERLINK(1)"
    assert audit_of(airflow_store, "opt_outs_exported")["actor"] == "maria"


def test_pages_of_the_newest_go_on_by_moments(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    for place in range(3):
        add_opt_outs(airflow_store, [number + place])
    first = read(server, "opt-outs?limit=2").json()
    second = server.get(
        "/smsflow/api/v1/opt-outs",
        params={"limit": 1, "before": first["next"]},
        headers=headers_of("maria"),
    ).json()
    assert first["total"] >= 3
    assert len(first["entries"]) == 2
    assert second["entries"][0]["created_at"] < first["entries"][1]["created_at"]


def test_a_number_goes_into_quarantine_and_out_again(
    server: TestClient, airflow_store: Store, number: int
) -> None:
    assert post(server, "quarantine", number=f"+{number}", reason="dead").json() == {"changed": 1}
    found = post(server, "quarantine/search", number=f"+{number}").json()
    assert (found["entry"]["reason"], found["region"]) == ("dead", "FR")
    assert read(server, "quarantine?limit=1").json()["entries"][0]["reason"] == "dead"
    assert post(server, "quarantine/remove", number=f"+{number}").status_code == 422
    gone = post(server, "quarantine/remove", number=f"+{number}", reason="works again")
    assert (gone.json(), quarantined_of(airflow_store, number)) == ({"changed": 1}, None)
    told = post(server, "quarantine/import", csv=f"+{number}\n").json()
    done = post(server, "quarantine/import", csv=f"+{number}\n", dry_run=False).json()
    assert (told["added"], done["added"]) == (1, 1)
    assert f"+{number}," in post(server, "quarantine/export").text
