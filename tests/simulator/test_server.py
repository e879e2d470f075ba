"""The simulator over real HTTP, as its dialect and a tester see it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from smsflow_provider.core.delivery.tokens import Signer, callback_url
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.model import Message, Outcome, OutcomeKind, ReceiptKind
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import make_app
from smsflow_provider.receiver.calls import Item
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.simulator.server import listen
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.serving import ServedApp
from smsflow_provider.testing.simulator import RunningSimulator

KEY = "the key"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with RunningSimulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    """A simulator that got nothing yet and behaves as by default."""
    running.forget()
    running.behave(**Behaviour().as_dict())
    return running


def send(simulator: RunningSimulator, *batches: Sequence[Message], **limits: Any) -> list[Outcome]:
    settings = replace(simulator.settings, **limits)

    async def run() -> list[Outcome]:
        async with HttpTransport.of(settings) as transport:
            gateway = HttpGateway(SimulatorDialect(settings), transport)
            answers = [await gateway.send(batch) for batch in batches]
            return [outcome for answer in answers for outcome in answer]

    return asyncio.run(run())


def client(simulator: RunningSimulator, *, key: str = KEY) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=simulator.url, headers=headers, trust_env=False)


def test_what_is_sent_is_listed_as_it_was(simulator: RunningSimulator) -> None:
    message = example_message(1, body='Été 🎉\n "x" ', sender="Shop", parts=3)
    (outcome,) = send(simulator, [message])
    (listed,) = simulator.messages()

    assert OutcomeKind.ACCEPTED is outcome.kind
    assert {
        "id": message.id,
        "to": message.to,
        "sender": "Shop",
        "text": message.body,
        "encoding": "gsm7",
        "parts": 3,
        "status": "accepted",
        "ref": outcome.gateway_ref,
        "expires_at": None,
        "callback_url": None,
    } == {name: value for name, value in listed.items() if name not in {"number", "taken_at"}}


def test_a_hundred_messages_go_in_one_request(simulator: RunningSimulator) -> None:
    batch = [example_message(number) for number in range(1, 101)]
    outcomes = send(simulator, batch)

    assert [each.id for each in batch] == [each.message_id for each in outcomes]
    assert (100, 1) == (simulator.counts()["messages"], simulator.counts()["requests"])


def test_the_same_id_twice_shows_as_a_duplicate(simulator: RunningSimulator) -> None:
    send(simulator, [example_message(1)], [example_message(2)], [example_message(1)])

    assert (3, 2, 1) == tuple(
        simulator.counts()[name] for name in ("messages", "distinct", "duplicates")
    )
    assert ["1-1-1", "1-1-2", "1-1-1"] == [each["id"] for each in simulator.messages()]


def test_refused_numbers_fail_and_the_others_pass(simulator: RunningSimulator) -> None:
    simulator.behave(refused_digits="2")
    outcomes = send(simulator, [example_message(number) for number in (1, 2, 3)])

    assert [OutcomeKind.ACCEPTED, OutcomeKind.FAILED, OutcomeKind.ACCEPTED] == [
        each.kind for each in outcomes
    ]
    assert "number_denied" == outcomes[1].code
    assert 1 == simulator.counts()["refused"]


@pytest.mark.parametrize(
    ("how", "code"), [("reset", "reset"), ("close", "closed"), ("silence", "timeout")]
)
def test_a_lost_answer_is_doubt_and_the_message_was_taken(
    simulator: RunningSimulator, how: str, code: str
) -> None:
    simulator.behave(lost_share=1, lost_how=how)
    (outcome,) = send(simulator, [example_message()], connect_timeout_s=0.3, answer_timeout_s=0.3)

    assert (OutcomeKind.UNKNOWN, code) == (outcome.kind, outcome.code)
    assert (1, 1) == (simulator.counts()["accepted"], simulator.counts()["lost_answers"])


def test_a_failing_answer_is_doubt_and_the_message_was_taken(simulator: RunningSimulator) -> None:
    simulator.behave(failing_share=1)
    (outcome,) = send(simulator, [example_message()])

    assert (OutcomeKind.UNKNOWN, "http_503") == (outcome.kind, outcome.code)
    assert 1 == simulator.counts()["accepted"]


def test_throttled_messages_were_not_taken_and_are_told_when_to_come_again(
    simulator: RunningSimulator,
) -> None:
    simulator.behave(messages_per_s=2)
    outcomes = send(simulator, *[[example_message(number)] for number in range(1, 5)])

    assert [OutcomeKind.ACCEPTED] * 2 + [OutcomeKind.NOT_SENT] * 2 == [
        each.kind for each in outcomes
    ]
    assert [None, None, 1.0, 1.0] == [each.retry_after_s for each in outcomes]
    assert (2, 2) == (simulator.counts()["messages"], simulator.counts()["throttled"])


def test_latency_delays_the_answer_but_not_the_taking(simulator: RunningSimulator) -> None:
    simulator.behave(latency_s=5)
    (outcome,) = send(simulator, [example_message()], connect_timeout_s=0.2, answer_timeout_s=0.2)

    assert OutcomeKind.UNKNOWN is outcome.kind
    assert 1 == simulator.counts()["messages"]


def test_receipts_reach_the_receiver(simulator: RunningSimulator) -> None:
    signer = Signer([b"a key for this very test"])
    stored: list[ReceivedReceipt] = []

    async def append(items: Sequence[Item]) -> None:
        stored.extend(each for each in items if isinstance(each, ReceivedReceipt))

    simulator.behave(
        reports_accepted=True, delivered_share=0.5, receipt_delay_min_s=0, receipt_delay_max_s=0.1
    )
    with ServedApp(make_app(signer=signer, append=append)) as served:
        batch = [_reporting(number, served.url, signer) for number in range(1, 51)]
        send(simulator, batch)
        simulator.wait_for(lambda counts: counts["receipts_sent"] == 100)

    ids = {message.id for message in batch}
    last = [each for each in stored if each.kind is not ReceiptKind.ACCEPTED]
    assert ids == {each.message_id for each in last}
    assert (50, 100) == (len(last), len(stored))
    assert {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED} == {each.kind for each in last}


def _reporting(number: int, base: str, signer: Signer) -> Message:
    message = example_message(number)
    url = callback_url(base, conn_type="sms_simulator", message_id=message.id, signer=signer)
    return message._replace(callback_url=url)


def test_the_same_seed_refuses_the_same_messages() -> None:
    def refused() -> list[str]:
        behaviour = Behaviour(refused_share=0.3)
        with RunningSimulator(behaviour, seed=42) as simulator:
            outcomes = send(simulator, [example_message(number) for number in range(1, 51)])
        return [each.message_id for each in outcomes if each.kind is OutcomeKind.FAILED]

    assert refused() == refused() != []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages"),
        ("GET", "/v1/messages"),
        ("DELETE", "/v1/messages"),
        ("GET", "/v1/counts"),
        ("GET", "/v1/behaviour"),
        ("PUT", "/v1/behaviour"),
    ],
)
def test_everything_but_health_needs_the_key(
    simulator: RunningSimulator, method: str, path: str
) -> None:
    with client(simulator, key="another") as http:
        assert 401 == http.request(method, path).status_code
        assert 200 == http.get("/health").status_code


def test_a_wrong_key_refuses_the_batch(simulator: RunningSimulator) -> None:
    settings = replace(simulator.settings, password=Secret("no"))

    async def run() -> list[Outcome]:
        async with HttpTransport() as transport:
            return await HttpGateway(SimulatorDialect(settings), transport).send(
                [example_message()]
            )

    assert ["http_401"] == [each.code for each in asyncio.run(run())]
    assert 0 == simulator.counts()["messages"]


@pytest.mark.parametrize(
    ("method", "path", "content", "words"),
    [
        ("POST", "/v1/messages", b"{", "not JSON"),
        ("POST", "/v1/messages", b"\xff", "not JSON"),
        ("POST", "/v1/messages", b'{"messages": [{}]}', "messages[0].id: is missing"),
        ("PUT", "/v1/behaviour", b"[]", "must be a JSON object"),
        ("PUT", "/v1/behaviour", b'{"latncy_s": 1}', "latency_s"),
        ("PUT", "/v1/behaviour", b'{"latency_s": -1}', "latency_s: must lie between 0 and 600"),
        ("GET", "/v1/messages?limit=x", b"", "limit: must be a whole number"),
        ("GET", "/v1/messages?after=-1", b"", "after: must be a whole number"),
        ("GET", "/v1/messages?limit=99999", b"", "limit: must be a whole number from 0 to 10000"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    simulator: RunningSimulator, method: str, path: str, content: bytes, words: str
) -> None:
    with client(simulator) as http:
        answer = http.request(method, path, content=content)

    assert 400 == answer.status_code
    assert words in answer.text


def test_a_bad_change_of_behaviour_changes_nothing(simulator: RunningSimulator) -> None:
    with client(simulator) as http:
        http.put("/v1/behaviour", json={"latency_s": 0.5, "lost_share": 7})

        assert Behaviour().as_dict() == http.get("/v1/behaviour").json()


def test_forgetting_clears_messages_and_counts_but_not_the_behaviour(
    simulator: RunningSimulator,
) -> None:
    simulator.behave(messages_per_s=50)
    send(simulator, [example_message()])
    simulator.forget()

    assert [] == simulator.messages()
    assert {0} == set(simulator.counts().values())
    with client(simulator) as http:
        assert 50 == http.get("/v1/behaviour").json()["messages_per_s"]


def test_a_taken_port_is_a_clear_error() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="the port is taken") as caught:
            listen("127.0.0.1", port)

    assert {"host": "127.0.0.1", "port": port} == caught.value.facts


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="cannot listen there"):
        listen("192.0.2.1", 0)
