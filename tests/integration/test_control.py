"""Pause, resume and stop: who asks twice is told, what cannot be is refused with what can."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_delivery
from smsflow_provider.core.store.waves import hold_delivery
from tests.governed import lines_of, make_going, mark, move, settle


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], store_dsn: str) -> Any:
    """Run the command in this process, on this test's store: (exit code, stdout, stderr)."""

    def run_here(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--store", store_dsn])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_here


def test_a_pause_says_who_and_resuming_forgets_the_reason(store: Store) -> None:
    make_going(store, count=2)

    paused = pause(store, "d1", actor="ann")
    again = pause(store, "d1", actor="bob", reason=PauseReason.SWITCH)
    resumed = resume(store, "d1", actor="bob")

    assert ("paused", "person", "ann") == (paused.state, paused.pause_reason, paused.moved_by)
    assert ("person", "ann") == (again.pause_reason, again.moved_by)
    assert ("sending", "", "bob") == (resumed.state, resumed.pause_reason, resumed.moved_by)


def test_a_stopped_delivery_has_no_reason_to_wait(store: Store) -> None:
    make_going(store, count=2)
    pause(store, "d1", actor="ann")

    stopped = stop(store, "d1", actor="ann")

    assert ("stopped", "") == (stopped.state, stopped.pause_reason)
    assert stopped == stop(store, "d1", actor="bob")


@pytest.mark.parametrize("act", [pause, resume, stop], ids=lambda act: act.__name__)
def test_of_many_people_at_once_one_acts_and_all_are_told_the_same(store: Store, act: Any) -> None:
    delivery = make_going(store, count=2)
    if act is resume:
        move(store, delivery, "paused")

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda name: act(store, "d1", actor=name), "abcdef"))

    assert 1 == len({(each.state, each.moved_by, each.moved_at) for each in found})
    event = f"delivery_{found[0].state.value}"
    assert [{"by": found[0].moved_by}] == lines_of(store, delivery, event)


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_what_has_ended_is_neither_paused_nor_resumed(store: Store, state: str) -> None:
    move(store, make_going(store, count=2), state)

    with pytest.raises(IllegalMoveError):
        pause(store, "d1", actor="ann")
    with pytest.raises(IllegalMoveError, match="only a paused delivery can be resumed"):
        resume(store, "d1", actor="ann")

    assert state == find_delivery(store, "d1").state.value


def test_a_pause_is_all_or_nothing(store: Store) -> None:
    move(store, make_going(store, count=2), "finished")

    with store.transaction() as connection:
        delivery = read_delivery(connection, "d1", lock=True)
        with pytest.raises(IllegalMoveError):
            hold_delivery(
                connection,
                delivery,
                reason=PauseReason.FAILURES,
                actor="worker",
                event="x",
                problem="x",
            )

    assert ("finished", "") == (
        find_delivery(store, "d1").state.value,
        find_delivery(store, "d1").pause_reason,
    )


def test_on_the_schema_of_the_former_version_people_are_in_control_too(store: Store) -> None:
    make_going(store, count=2)
    with store.transaction() as connection:
        connection.execute(
            "ALTER TABLE smsflow_deliveries DROP COLUMN pause_reason, DROP COLUMN wave,"
            " DROP COLUMN wave_until, DROP COLUMN wave_ended_at, DROP COLUMN judged_from"
        )
        connection.execute("DROP TABLE smsflow_switch")

    assert DeliveryState.PAUSED is pause(store, "d1", actor="ann").state
    assert DeliveryState.SENDING is resume(store, "d1", actor="ann").state
    assert DeliveryState.STOPPED is stop(store, "d1", actor="ann").state


def test_the_switch_on_the_command_line(run: Any, store: Store) -> None:
    make_going(store, count=2)

    assert (0, "Deliveries may be sent.\n", "") == run("switch", "show")
    code, off, _ = run("switch", "off", "--reason", "wrong price")
    assert 0 == code
    assert off.startswith("Everything is switched off.\nSwitched off by cli:")
    assert off.endswith("Reason: wrong price\nPaused by this: d1.\n")
    assert run("switch", "off")[1].endswith("Paused by this: nothing was being sent.\n")
    refused = run("resume", "d1")
    assert 1 == refused[0]
    assert "smsflow: everything is switched off" in refused[2]
    assert "by: cli:" in refused[2]
    assert "Nothing goes on by itself" in run("switch", "on")[1]
    assert DeliveryState.PAUSED is find_delivery(store, "d1").state
    assert (0, "d1 is sending.\n", "") == run("resume", "d1")


def test_resending_on_the_command_line(run: Any, store: Store) -> None:
    delivery = make_going(store, count=3)
    mark(store, delivery, 1, 2)
    settle(store, delivery, "failed", 1)
    settle(store, delivery, "accepted", 2)
    settle(store, delivery, "expired", 3)
    move(store, delivery, "finished")

    nothing = run("resend", "d1")
    done = run("resend", "d1", "--failed", "--expired")
    again = run("resend", "d1", "--failed")

    assert (1, "") == nothing[:2]
    assert "--failed, --expired or both" in nothing[2]
    assert 0 == done[0]
    assert "2 messages of d1 wait to go again." in done[1]
    assert "run the send task again" in done[1]
    assert "only a finished delivery can be sent again" in again[2]


def test_the_report_says_why_a_delivery_waits(run: Any, store: Store) -> None:
    make_going(store, count=300, sending={"waves": {"shares": ["1%"]}})
    pause(store, "d1", actor="ann")

    told = json.loads(run("report", "d1", "--json")[1])

    assert ("person", {"no": 1, "until": 3}) == (told["pause_reason"], told["wave"])
