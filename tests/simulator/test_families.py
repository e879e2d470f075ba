"""The families of the simulator over real HTTP: what each lets us know, and its faults."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.gateways.base import Asked, Found, HttpCallback, Known, Page
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.simulator import Family, QueryDialect, SimulatorDialect
from smsflow_provider.core.model import Message, Outcome, OutcomeKind, Receipt, ReceiptKind
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.simulator import RunningSimulator

KEY = "the key"


class Ear:
    """Listens on a port of its own and keeps what it is called with."""

    def __init__(self) -> None:
        self.calls: list[HttpCallback] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                url = f"{ear.url}{self.path}"
                message_id = self.path.partition("m=")[2]
                ear.calls.append(
                    HttpCallback(
                        message_id=message_id, url=url, headers=dict(self.headers), body=body
                    )
                )
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def wait_for(self, count: int) -> list[HttpCallback]:
        end = time.monotonic() + 20
        while len(self.calls) < count and time.monotonic() < end:
            time.sleep(0.01)
        return list(self.calls)


@pytest.fixture
def ear() -> Iterator[Ear]:
    listening = Ear()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with RunningSimulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    """A simulator that got nothing yet and behaves as by default, with quick receipts."""
    running.forget()
    running.behave(
        **{**Behaviour().as_dict(), "receipt_delay_min_s": 0, "receipt_delay_max_s": 0.01}
    )
    return running


def message(number: int, ear: Ear | None = None, **changed: Any) -> Message:
    made = example_message(number, **changed)
    if ear is None:
        return made
    return made._replace(callback_url=f"{ear.url}/receipts?m={made.id}")


def send(simulator: RunningSimulator, *batches: Sequence[Message]) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with HttpTransport.of(simulator.settings) as transport:
            gateway = HttpGateway(SimulatorDialect(simulator.settings), transport)
            return [one for batch in batches for one in await gateway.send(batch)]

    return asyncio.run(run())


def look_up(simulator: RunningSimulator, *messages: Message) -> list[Found]:
    asked = [Asked(message=one, handed_over_at=utc_now()) for one in messages]
    dialect = QueryDialect(simulator.settings)

    async def run() -> list[Found]:
        async with HttpTransport.of(simulator.settings) as transport:
            answer = await HttpGateway(dialect, transport).ask(dialect.write_lookup(asked))
            return dialect.read_lookup(asked, answer)

    return asyncio.run(run())


def poll(simulator: RunningSimulator, cursor: str = "") -> Page:
    dialect = SimulatorDialect(simulator.settings)

    async def run() -> Page:
        async with HttpTransport.of(simulator.settings) as transport:
            answer = await HttpGateway(dialect, transport).ask(dialect.write_poll(cursor))
            return dialect.read_poll(cursor, answer)

    return asyncio.run(run())


def receipts_of(simulator: RunningSimulator, calls: Sequence[HttpCallback]) -> list[Receipt]:
    dialect = SimulatorDialect(simulator.settings)
    return [one for call in calls if (one := dialect.read_callback(call)) is not None]


#: What each family says: in its answer the gateway's own id; in its receipts ours, and its own.
SAID = {
    Family.BATCH: (True, True, True),
    Family.PLAIN: (False, False, False),
    Family.ECHO: (False, True, False),
    Family.QUERY: (True, True, True),
    Family.OWN_IDS: (True, True, True),
    Family.BY_REF: (True, False, True),
    Family.SIGNED: (True, True, True),
}


@pytest.mark.parametrize("family", Family)
def test_a_family_says_no_more_than_its_kind(
    simulator: RunningSimulator, ear: Ear, family: Family
) -> None:
    simulator.behave(family=family.value, delivered_share=1)
    (outcome,) = send(simulator, [message(1, ear)])
    (call,) = ear.wait_for(1)
    row = json.loads(call.body)
    (receipt,) = receipts_of(simulator, [call])

    assert OutcomeKind.ACCEPTED is outcome.kind
    assert SAID[family] == (bool(outcome.gateway_ref), "id" in row, "ref" in row)
    assert ("1-1-1", ReceiptKind.DELIVERED) == (receipt.message_id, receipt.kind)


@pytest.mark.parametrize("family", [Family.PLAIN, Family.ECHO, Family.BY_REF])
def test_some_families_take_one_message_at_a_time(
    simulator: RunningSimulator, family: Family
) -> None:
    batch = {"messages": [{"id": str(n), "to": "+33612345678", "text": "x"} for n in (1, 2)]}
    simulator.behave(family=family.value)
    answer = httpx.post(
        f"{simulator.url}/v1/messages",
        json=batch,
        headers={"Authorization": f"Bearer {KEY}"},
        trust_env=False,
    )

    assert (400, 0) == (answer.status_code, simulator.counts()["messages"])
    assert 1 == SimulatorDialect(simulator.settings).max_batch


def test_what_was_taken_refused_and_never_seen_is_told_apart(simulator: RunningSimulator) -> None:
    simulator.behave(family="query", refused_digits="2", delivered_share=1)
    send(simulator, [message(1), message(2)])
    simulator.wait_for(lambda counts: counts["receipts_waiting"] == 0)
    taken, refused, unseen = look_up(simulator, message(1), message(2), message(3))

    assert [Known.TAKEN, Known.NOT_TAKEN, Known.NOT_TAKEN] == [
        one.known for one in (taken, refused, unseen)
    ]
    assert taken.receipt is not None
    assert (ReceiptKind.DELIVERED, "sim-") == (taken.receipt.kind, taken.gateway_ref[:4])


def test_a_message_shows_late_where_the_gateway_lags(simulator: RunningSimulator) -> None:
    simulator.behave(family="query", lookup_delay_s=0.5)
    send(simulator, [message(1)])

    assert Known.NOT_TAKEN is look_up(simulator, message(1))[0].known
    time.sleep(0.6)
    assert Known.TAKEN is look_up(simulator, message(1))[0].known


def test_the_dialect_waits_longer_than_the_simulator_lags_by_default() -> None:
    assert Behaviour().lookup_delay_s < QueryDialect.lookup_after_s


@pytest.mark.parametrize("family", ["batch", "plain", "echo", "by_ref", "signed"])
def test_other_families_cannot_be_asked(simulator: RunningSimulator, family: str) -> None:
    simulator.behave(family=family)
    with pytest.raises(RefusedError):
        look_up(simulator, message(1))


def test_questions_fail_by_their_share(simulator: RunningSimulator) -> None:
    simulator.behave(family="query", lookup_failing_share=1)
    with pytest.raises(Exception, match="http_503"):
        look_up(simulator, message(1))


def test_a_second_message_with_the_same_id_is_refused_as_a_duplicate(
    simulator: RunningSimulator,
) -> None:
    simulator.behave(family="own_ids", lost_share=1)
    (lost,) = send(simulator, [message(1)])
    simulator.behave(lost_share=0)
    again, other = send(simulator, [message(1), message(2)])

    assert OutcomeKind.UNKNOWN is lost.kind
    assert (OutcomeKind.ACCEPTED, "duplicate") == (again.kind, again.code)
    assert (OutcomeKind.ACCEPTED, "") == (other.kind, other.code)
    counts = simulator.counts()
    assert (2, 0, 1) == (counts["messages"], counts["duplicates"], counts["duplicates_refused"])


def test_an_id_that_was_refused_or_forgotten_is_no_duplicate(simulator: RunningSimulator) -> None:
    simulator.behave(family="own_ids", refused_digits="1")
    send(simulator, [message(1)])
    simulator.behave(refused_digits="")
    (accepted,) = send(simulator, [message(1)])
    simulator.behave(remembers_s=0)
    (again,) = send(simulator, [message(1)])

    assert ["", ""] == [accepted.code, again.code]
    assert Known.NOT_TAKEN is look_up(simulator, message(1))[0].known


@pytest.mark.parametrize("family", ["batch", "by_ref"])
def test_receipts_can_be_asked_for_page_by_page(simulator: RunningSimulator, family: str) -> None:
    simulator.behave(family=family, reports_accepted=True)
    outcomes = send(simulator, *([message(number)] for number in range(1, 6)))
    simulator.wait_for(lambda counts: counts["receipts_waiting"] == 0)
    page = poll(simulator)
    after = poll(simulator, page.cursor)

    assert (10, [], page.cursor) == (len(page.receipts), list(after.receipts), after.cursor)
    assert {one.gateway_ref for one in outcomes} == {one.gateway_ref for one in page.receipts}
    ids = {one.message_id for one in page.receipts}
    assert ids == ({""} if family == "by_ref" else {one.message_id for one in outcomes})
    assert 10 > len(poll(simulator, "3").receipts)


@pytest.mark.parametrize("family", ["plain", "echo"])
def test_other_families_are_not_polled(simulator: RunningSimulator, family: str) -> None:
    simulator.behave(family=family)
    with pytest.raises(RefusedError):
        poll(simulator)


def test_a_person_writes_back_when_told_to(simulator: RunningSimulator, ear: Ear) -> None:
    simulator.behave(family="signed")
    url = f"{ear.url}/replies"
    given = {"sender": "+33612345678", "recipient": "36111", "text": "Arrêt svp 🙏"}
    ref = simulator.reply(url, **given)
    simulator.reply(url, **given, ref=ref)
    calls = ear.wait_for(2)
    dialect = SimulatorDialect(simulator.settings)
    replies = [dialect.read_reply(call) for call in calls]

    assert replies[0] == replies[1]
    assert replies[0] is not None
    assert ("+33612345678", "36111", "Arrêt svp 🙏", ref) == (
        replies[0].sender,
        replies[0].recipient,
        replies[0].body,
        replies[0].gateway_ref,
    )
    assert all(dialect.is_signed(call) for call in calls)
    assert not dialect.is_signed(replace(calls[0], body=calls[0].body + b" "))


def test_half_a_reply_is_told_what_lacks_and_nobody_is_called(
    simulator: RunningSimulator,
) -> None:
    answer = httpx.post(
        f"{simulator.url}/v1/replies",
        json={"url": "http://x", "from": 7, "txt": "secret"},
        headers={"Authorization": f"Bearer {KEY}"},
        trust_env=False,
    )

    assert 400 == answer.status_code
    assert {"text", "to", "txt", "from"} == set(answer.json()["wrong"])
    assert "secret" not in answer.text
    assert 0 == simulator.counts()["replies"]


def test_each_part_is_reported_by_itself(simulator: RunningSimulator, ear: Ear) -> None:
    simulator.behave(reports_parts=True, delivered_share=0.5)
    batch = [message(number, ear, parts=3) for number in range(1, 6)]
    send(simulator, [*batch, message(9, ear, parts=1)])
    receipts = receipts_of(simulator, ear.wait_for(16))

    parts = {(one.message_id, one.part, one.parts) for one in receipts}
    assert {(one.id, part, 3) for one in batch for part in (1, 2, 3)} | {("1-1-9", 0, 0)} == parts
    assert {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED} == {one.kind for one in receipts}


def test_early_receipts_come_before_the_answer(simulator: RunningSimulator, ear: Ear) -> None:
    simulator.behave(early_share=1, repeated_share=1, receipt_delay_max_s=5)
    send(simulator, [message(1, ear), message(2, ear)])

    assert 4 == len(ear.calls)


def test_shuffled_receipts_come_the_other_way_round(simulator: RunningSimulator, ear: Ear) -> None:
    simulator.behave(shuffled_share=1, reports_accepted=True, receipt_delay_min_s=0.01)
    send(simulator, [message(1, ear)])
    receipts = receipts_of(simulator, ear.wait_for(2))

    assert ReceiptKind.ACCEPTED is receipts[-1].kind
    assert ReceiptKind.ACCEPTED is not receipts[0].kind


def test_too_many_parts_are_turned_away_and_told_when_to_come_again(
    simulator: RunningSimulator,
) -> None:
    simulator.behave(parts_per_s=5)
    outcomes = send(simulator, *([message(n, parts=2)] for n in (1, 2, 3)))

    assert ["accepted", "accepted", "not_sent"] == [one.kind.value for one in outcomes]
    assert 1.0 == outcomes[2].retry_after_s


def test_the_rate_is_that_of_the_busiest_second_by_sender_and_in_all(
    simulator: RunningSimulator,
) -> None:
    send(simulator, [message(1, parts=3, sender="A"), message(2, parts=2, sender="B")])
    send(simulator, [message(3, parts=1, sender="A")])

    assert {"all": 6, "senders": {"A": 4, "B": 2}} == simulator.rate()
    simulator.forget()
    assert {"all": 0, "senders": {}} == simulator.rate()
