"""Plain texts on a real store: once to each, whatever happens between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smsflow_provider.core.delivery.direct import DirectText, send_direct
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import ConfigError, SmsflowError
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import DeliveryKind, Origin, OutcomeKind
from smsflow_provider.core.store.approvals import find_approval
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, list_deliveries
from smsflow_provider.testing.gateway import RecordingGateway
from tests.sending import check_sums, make_sender

ORIGIN = Origin(dag_id="ops.nightly", run_id="r1", task_id="tell")
DIALECT = SimulatorDialect(SimulatorSettings(base_url="http://fake"))
ANN, BOB = 33612345601, 33612345602


def make_direct(**changed: Any) -> DirectText:
    told = {"label": "ops.tell", "to": (ANN, BOB), "text": "It is down", "gateway": "sms_gateway"}
    return DirectText(**(told | changed))


def run_direct(store: Store, gateway: RecordingGateway, **changed: Any) -> dict[str, Any]:
    return asyncio.run(_send(store, gateway, make_direct(**changed)))


async def _send(store: Store, gateway: RecordingGateway, direct: DirectText) -> dict[str, Any]:
    return await send_direct(
        store,
        direct,
        origin=ORIGIN,
        author="dag:ops.nightly",
        dialect=DIALECT,
        sender=make_sender(gateway, lease_s=0.2),
    )


def sent(gateway: RecordingGateway) -> list[tuple[str, str]]:
    return [(message.to, message.body) for message in gateway.messages]


def test_a_text_goes_once_to_each_and_its_author_is_recorded(store: Store) -> None:
    gateway = RecordingGateway()

    result = run_direct(store, gateway, sender="OPS")

    assert [(f"+{ANN}", "It is down"), (f"+{BOB}", "It is down")] == sent(gateway)
    assert {"OPS"} == {message.sender for message in gateway.messages}
    assert ("finished", 2, 2) == (result["state"], result["targeted"], result["accepted"])
    check_sums(result)
    delivery = find_delivery(store, delivery_id_of(ORIGIN))
    approval = find_approval(store, delivery)
    assert approval is not None
    assert (DeliveryKind.DIRECT, "dag:ops.nightly", "author") == (
        delivery.kind,
        approval.decided_by,
        approval.via,
    )


def test_tried_again_it_sends_nothing_and_takes_no_changed_text(store: Store) -> None:
    first = run_direct(store, RecordingGateway())
    again = RecordingGateway()

    result = run_direct(store, again, text="Something else", to=(ANN, BOB, BOB + 1))

    assert [] == again.messages
    assert first == result


def test_a_try_that_was_ended_on_the_way_is_gone_on_with(store: Store) -> None:
    """The answer never came: nobody knows, so nobody is texted a second time."""
    slow = RecordingGateway(delay_s=60)

    async def play() -> None:
        sending = asyncio.create_task(_send(store, slow, make_direct()))
        async with asyncio.timeout(30):
            while not slow.messages:  # noqa: ASYNC110  a fake has no event to wait for
                await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(play())
    again = RecordingGateway()
    result = run_direct(store, again)

    assert [] == again.messages
    assert ("finished", 2) == (result["state"], result["unknown"])
    check_sums(result)


def test_a_colleague_who_opted_out_of_campaigns_is_texted_all_the_same(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("INSERT INTO smsflow_opt_outs (phone) VALUES (%s)", (ANN,))
    gateway = RecordingGateway()

    run_direct(store, gateway)

    assert [f"+{ANN}", f"+{BOB}"] == [to for to, _ in sent(gateway)]


def test_what_cannot_be_sent_leaves_no_delivery(store: Store) -> None:
    gateway = RecordingGateway()

    with pytest.raises(ConfigError) as caught:
        run_direct(store, gateway, to=tuple(range(ANN, ANN + 101)), text=" ")

    assert 2 == len(caught.value.facts["problems"])  # type: ignore[arg-type]
    assert str(ANN) not in str(caught.value)
    assert [] == gateway.messages
    assert [] == list_deliveries(store)


def test_what_the_gateway_did_not_take_goes_again_within_one_try(store: Store) -> None:
    gateway = RecordingGateway(script=[OutcomeKind.NOT_SENT] * 3)

    result = run_direct(store, gateway)

    assert (2, 5) == (result["accepted"], len(gateway.messages))


def test_two_tries_at_once_send_one_text_to_each(store: Store) -> None:
    """A worker that was taken for dead: its try may end in an error, but not in a second text."""
    gateway = RecordingGateway(delay_s=0.05)

    async def play() -> list[object]:
        both = [_send(store, gateway, make_direct()) for _ in range(2)]
        return list(await asyncio.gather(*both, return_exceptions=True))

    results = asyncio.run(play())

    assert [] == gateway.repeated()
    assert 2 >= len({message.to for message in gateway.messages}) == len(gateway.messages)
    assert all(isinstance(one, dict | SmsflowError) for one in results)
    after = run_direct(store, gateway)
    assert [f"+{ANN}", f"+{BOB}"] == sorted(to for to, _ in sent(gateway))
    assert ("finished", 2) == (after["state"], after["accepted"])


def test_no_number_and_no_text_is_in_the_log_the_figures_or_the_report(store: Store) -> None:
    result = run_direct(store, RecordingGateway())

    with store.transaction() as connection:
        log = connection.execute("SELECT problem, facts FROM smsflow_log").fetchall()
        rows = connection.execute(
            "SELECT figures, settings, audience, template FROM smsflow_deliveries"
        ).fetchall()
    text = f"{log}{rows}{result}{report(store, delivery_id_of(ORIGIN))}"
    assert "336" not in text
    assert "down" not in text


def test_parts_are_those_of_the_gateway(store: Store) -> None:
    body = "a" * 66 + "\N{GRINNING FACE}" + "b" * 66

    assert 6 == run_direct(store, RecordingGateway(), text=body)["parts"]
