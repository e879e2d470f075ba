"""Why was this person texted, or not?"""

from __future__ import annotations

import json
from io import StringIO

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.why import why
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send


def test_a_person_who_was_texted_is_found_with_the_state(store: Store) -> None:
    make_prepared(store, count=3)
    before = why(store, "d1", phone=33600000002)
    approve(store)
    run_send(store, RecordingGateway())
    after = why(store, "d1", recipient_id="r2")

    assert ["prepared"] == [one["state"] for one in before["messages"]]
    assert [(2, "accepted")] == [(one["position"], one["state"]) for one in after["messages"]]
    assert [] == after["exclusions"]
    assert "33600000002" not in json.dumps([before, after])


def test_a_person_who_was_left_out_is_found_with_the_reason(store: Store) -> None:
    make_prepared(store, count=3)

    by_number = why(store, "d1", phone=33699999999)
    unreadable = why(store, "d1", recipient_id="x1")

    assert ["opted_out"] == [one["reason"] for one in by_number["exclusions"]]
    assert [("invalid_number", "too_short")] == [
        (one["reason"], one["detail"]) for one in unreadable["exclusions"]
    ]


def test_somebody_nobody_targeted_is_found_nowhere(store: Store) -> None:
    make_prepared(store, count=3)

    answer = why(store, "d1", phone=33611111111)

    assert ([], []) == (answer["messages"], answer["exclusions"])
    with pytest.raises(NotFoundError):
        why(store, "d2", phone=33611111111)


@pytest.mark.parametrize("who", [{}, {"phone": 33600000001, "recipient_id": "r1"}])
def test_one_question_is_about_one_person(store: Store, who: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="phone or a recipient_id"):
        why(store, "d1", **who)  # type: ignore[arg-type]


def test_the_command_answers_in_words_and_in_json(
    store: Store,
    store_dsn: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_prepared(store, count=3)
    place = ["--delivery", "d1", "--store", store_dsn]

    assert 0 == main(["why", "06 00 00 00 02", "--region", "FR", *place])
    words = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", StringIO("06 00 00 00 02\n"))
    assert 0 == main(["why", "-", "--region", "FR", *place])
    assert words == capsys.readouterr().out
    assert 0 == main(["why", "--recipient", "x1", "--json", *place])
    document = json.loads(capsys.readouterr().out)
    assert 1 == main(["why", "+33611111111", *place])
    nobody = capsys.readouterr().out
    assert 1 == main(["why", "12", "--region", "FR", *place])
    wrong = capsys.readouterr().err

    assert "A message of 1 part for recipient r2: prepared." in words
    assert "too_short" == document["exclusions"][0]["detail"]
    assert 1 == main(["why", "06 00 00 00 02", *place])
    national = capsys.readouterr().err

    assert "do: write them with + and the country code, or say their region" in national
    assert "Nobody like that" in nobody
    assert "numbers that cannot be texted" in wrong
