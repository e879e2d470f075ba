"""Proofs on a real store, through a gateway that records."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from smsflow_provider.core.delivery.overdue import close_overdue
from smsflow_provider.core.delivery.proof import make_proof, send_proof
from smsflow_provider.core.delivery.proof_request import Proof
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import (
    ConfigError,
    IllegalMoveError,
    NotApprovedError,
    NotFoundError,
    SmsflowError,
)
from smsflow_provider.core.gateways.base import Feature
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import DeliveryKind, Message, Origin, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import find_approval
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    ensure_delivery,
    find_delivery,
    list_deliveries,
    read_log,
)
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.proofs import list_proofs
from smsflow_provider.core.store.samples import Pick
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, make_sender, run_send

ANN, BOB = 33612345601, 33612345602
DIALECT = SimulatorDialect(SimulatorSettings(base_url="http://fake"))


class PlainDialect(SimulatorDialect):
    """Takes one part of GSM-7 a text."""

    name: ClassVar[str] = "plain"
    features: ClassVar[frozenset[Feature]] = SimulatorDialect.features - {Feature.MULTIPART}


class SmallDialect(SimulatorDialect):
    """Takes ten texts at once."""

    max_batch: ClassVar[int] = 10


def proof_of(**changed: Any) -> Proof:
    return Proof(**({"key": "k1", "to": (ANN,), "recipients": ("r2",)} | changed))


async def send_one(
    store: Store, gateway: RecordingGateway, proof: Proof, **sender: Any
) -> dict[str, Any]:
    dialect = sender.pop("dialect", DIALECT)
    return await send_proof(
        store,
        "d1",
        proof,
        author="maria",
        dialect=dialect,
        sender=make_sender(gateway, lease_s=0.2, **sender),
    )


def run_proof(
    store: Store, gateway: RecordingGateway | None = None, *, sender: Any = None, **changed: Any
) -> dict[str, Any]:
    gateway = gateway or RecordingGateway()
    return asyncio.run(send_one(store, gateway, proof_of(**changed), **(sender or {})))


def sent(gateway: RecordingGateway) -> list[tuple[str, str]]:
    return [(message.to, message.body) for message in gateway.messages]


def keep_samples(store: Store, samples: object) -> None:
    """Write down which messages of ``d1`` stand in for all, as a preparation does."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET figures = figures || %s::jsonb WHERE id = 'd1'",
            (json.dumps({"samples": samples}),),
        )


def own_log(store: Store) -> list[tuple[str, dict[str, Any]]]:
    rows = read_log(store, find_delivery(store, "d1"))
    return [(row["problem"], row["facts"]) for row in rows if row["event"] == "proof_sent"]


# What is sent


def test_a_proof_sends_the_prepared_text_of_a_recipient_to_the_test_numbers(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway()

    result = run_proof(store, gateway, to=(ANN, BOB))

    assert [(f"+{ANN}", "PROOF #1 Hello 2"), (f"+{BOB}", "PROOF #1 Hello 2")] == sent(gateway)
    assert {"ACME"} == {message.sender for message in gateway.messages}
    assert ("proof", "finished", 2) == (result["kind"], result["state"], result["accepted"])
    assert "PROOF #1 of Sale" == result["label"]
    check_sums(result)


def test_a_proof_without_its_mark_is_letter_for_letter_what_people_get(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway()

    run_proof(store, gateway, mark=False, recipients=("r1", "r3"))

    assert ["Hello 1", "Hello 3"] == [body for _, body in sent(gateway)]


def test_recipients_keep_the_order_in_which_they_are_named(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway()

    run_proof(store, gateway, mark=False, recipients=("r3", "r1", "r3"))

    assert ["Hello 3", "Hello 1"] == [body for _, body in sent(gateway)]


def test_messages_drawn_are_different_ones_and_the_same_for_the_same_seed(store: Store) -> None:
    make_prepared(store, count=40)
    drawn = []
    for key, seed in (("a", "s"), ("b", "s"), ("c", "other"), ("d", "")):
        gateway = RecordingGateway()
        run_proof(store, gateway, key=key, seed=seed, random=5, recipients=(), mark=False)
        drawn.append([body for _, body in sent(gateway)])

    assert drawn[0] == drawn[1] != drawn[2] != drawn[3]
    assert [5] * 4 == [len(set(bodies)) for bodies in drawn]


def test_no_more_messages_are_drawn_than_there_are(store: Store) -> None:
    make_prepared(store, count=2)
    gateway = RecordingGateway()

    run_proof(store, gateway, random=9, recipients=())

    assert 2 == len(gateway.messages)


def test_without_a_choice_every_pick_is_sent_once(store: Store) -> None:
    make_prepared(store, count=9)
    samples = {"longest": 4, "shortest": 2, "dearest": 4, "encodings": {"gsm7": 1, "ucs2": 7}}
    keep_samples(store, {"first": [1, 2, 3], **samples, "parts": {"1": 1, "2": 4}})
    gateway = RecordingGateway()

    result = run_proof(store, gateway, recipients=(), mark=False)

    assert ["Hello 4", "Hello 2", "Hello 1", "Hello 7"] == [body for _, body in sent(gateway)]
    assert 4 == result["proof"]["messages"]


def test_a_pick_sends_what_it_stands_for(store: Store) -> None:
    make_prepared(store, count=9)
    keep_samples(store, {"longest": 4, "languages": {"fr": 1, "de": 8}})
    gateway = RecordingGateway()

    run_proof(store, gateway, recipients=(), picks=(Pick.EACH_LANGUAGE,), mark=False)

    assert ["Hello 1", "Hello 8"] == sorted(body for _, body in sent(gateway))


def test_samples_of_an_earlier_version_are_picked_together(store: Store) -> None:
    make_prepared(store, count=9)
    keep_samples(store, [1, 2, 7])
    gateway = RecordingGateway()

    run_proof(store, gateway, recipients=(), picks=(Pick.LONGEST,), mark=False)

    assert ["Hello 1", "Hello 2", "Hello 7"] == [body for _, body in sent(gateway)]


def test_a_preparation_that_kept_no_samples_shows_its_first_message(store: Store) -> None:
    make_prepared(store, count=9)
    gateway = RecordingGateway()

    run_proof(store, gateway, recipients=(), mark=False)

    assert ["Hello 1"] == [body for _, body in sent(gateway)]


def test_the_report_tells_the_parts_with_and_without_the_mark(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_messages SET body = %s WHERE preparation = %s",
            ("x" * 155, delivery.preparation),
        )

    marked = run_proof(store, to=(ANN, BOB), recipients=("r1",))
    plain = run_proof(store, to=(ANN, BOB), recipients=("r1",), key="k2", mark=False)

    assert (4, 2) == (marked["parts"], marked["proof"]["parts_unmarked"])
    assert (2, 2) == (plain["parts"], plain["proof"]["parts_unmarked"])


# Numbers of proofs


def test_proofs_are_counted_for_each_delivery(store: Store) -> None:
    make_prepared(store, count=1)
    make_prepared(store, count=1, delivery_id="d2")

    first = run_proof(store, recipients=("r1",))
    second = run_proof(store, recipients=("r1",), key="k2")
    other = make_proof(store, "d2", proof_of(recipients=("r1",)), author="maria", dialect=DIALECT)

    assert [1, 2, 1] == [first["proof"]["no"], second["proof"]["no"], other.proof_no]
    assert 3 == len({first["delivery"], second["delivery"], other.id})


def test_two_proofs_at_once_get_two_numbers(store: Store) -> None:
    make_prepared(store, count=1)

    async def play() -> list[Delivery]:
        proofs = [proof_of(key=f"k{n}", recipients=("r1",)) for n in range(8)]
        return await asyncio.gather(
            *(
                asyncio.to_thread(make_proof, store, "d1", one, author="m", dialect=DIALECT)
                for one in proofs
            )
        )

    assert list(range(1, 9)) == sorted(made.proof_no or 0 for made in asyncio.run(play()))


def test_a_proof_that_cannot_be_sent_takes_no_number_and_leaves_no_trace(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_messages SET body = %s WHERE preparation = %s",
            ("x" * 155, delivery.preparation),
        )
    plain = PlainDialect(SimulatorSettings(base_url="http://fake"))

    with pytest.raises(ConfigError) as caught:
        run_proof(store, recipients=("r1",), sender={"dialect": plain})

    assert ["mark: the gateway plain lacks multipart"] == caught.value.facts["problems"]
    assert [] == list_proofs(store, delivery)
    assert [] == own_log(store)
    assert 1 == run_proof(store, recipients=("r1",), mark=False)["proof"]["no"]


# Once


def test_the_same_key_sends_nothing_again(store: Store) -> None:
    make_prepared(store, count=3)
    first = run_proof(store)
    again = RecordingGateway()

    assert first == run_proof(store, again)
    assert [] == again.messages
    assert 1 == len(own_log(store))


@pytest.mark.parametrize("changed", [{"to": (BOB,)}, {"recipients": ("r1",)}, {"mark": False}])
def test_a_key_names_one_proof_only(store: Store, changed: dict[str, Any]) -> None:
    make_prepared(store, count=3)
    run_proof(store)
    again = RecordingGateway()

    with pytest.raises(IllegalMoveError, match="another proof"):
        run_proof(store, again, **changed)

    assert [] == again.messages


def test_a_proof_killed_in_mid_send_is_in_doubt_and_not_sent_again(store: Store) -> None:
    make_prepared(store, count=3)
    slow = RecordingGateway(delay_s=60)

    async def play() -> None:
        sending = asyncio.create_task(send_one(store, slow, proof_of(to=(ANN, BOB))))
        async with asyncio.timeout(30):
            while not slow.messages:  # noqa: ASYNC110  a fake has no event to wait for
                await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(play())
    again = RecordingGateway()
    result = run_proof(store, again, to=(ANN, BOB))

    assert [] == again.messages
    assert ("finished", 2) == (result["state"], result["unknown"])
    check_sums(result)


def test_a_proof_that_was_numbered_and_no_more_is_gone_on_with(store: Store) -> None:
    make_prepared(store, count=3)
    made = make_proof(store, "d1", proof_of(), author="maria", dialect=DIALECT)
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM smsflow_approvals")
        connection.execute(
            "UPDATE smsflow_deliveries SET state = 'draft', fingerprint = NULL WHERE id = %s",
            (made.id,),
        )
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER ALL")
    gateway = RecordingGateway()

    result = run_proof(store, gateway)

    assert [(f"+{ANN}", "PROOF #1 Hello 2")] == sent(gateway)
    assert (1, 1) == (result["proof"]["no"], result["accepted"])
    assert 1 == len(own_log(store))


def test_two_tries_at_once_send_one_text_to_each(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway(delay_s=0.05)

    async def play() -> list[object]:
        both = [send_one(store, gateway, proof_of(to=(ANN, BOB))) for _ in range(2)]
        return list(await asyncio.gather(*both, return_exceptions=True))

    results = asyncio.run(play())
    after = run_proof(store, gateway, to=(ANN, BOB))

    assert all(isinstance(one, dict | SmsflowError) for one in results), results
    assert [f"+{ANN}", f"+{BOB}"] == sorted(to for to, _ in sent(gateway))
    assert (1, 2) == (after["proof"]["no"], after["accepted"])


def make_overdue(store: Store) -> None:
    """Let two hours pass for everything that was begun or approved."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET moved_at = moved_at - interval '2 hours',"
            " expires_at = expires_at - interval '2 hours'"
        )


def test_a_proof_that_nobody_finished_is_ended_by_maintenance(store: Store) -> None:
    """Killed with some texts under way and others not handed over yet."""
    delivery = make_prepared(store, count=100)
    small = SmallDialect(SimulatorSettings(base_url="http://fake"))
    slow = RecordingGateway(delay_s=60, dialect=small)
    begun = proof_of(recipients=(), random=100)

    async def play() -> None:
        sending = asyncio.create_task(send_one(store, slow, begun, connections=1))
        async with asyncio.timeout(30):
            while not slow.messages:  # noqa: ASYNC110  a fake has no event to wait for
                await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(play())
    early = close_overdue(store, actor="maintain", proofs=True, lease_s=0.0)
    make_overdue(store)
    ended = close_overdue(store, actor="maintain", proofs=True, lease_s=0.0)
    again = close_overdue(store, actor="maintain", proofs=True, lease_s=0.0)

    assert [0, 1, 0] == [early, ended, again]
    ((proof, figures),) = list_proofs(store, delivery)
    assert DeliveryState.FINISHED is proof.state
    # Ten were under way and ten more were marked, to leave on the same connection.
    assert (10, 20, 80) == (len(slow.messages), figures["unknown"], figures["expired"])
    after = RecordingGateway()
    assert ("finished", []) == (
        run_proof(store, after, recipients=(), random=100)["state"],
        after.messages,
    )


def test_a_proof_that_nobody_began_expires_and_is_not_sent_late(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    made = make_proof(store, "d1", proof_of(), author="maria", dialect=DIALECT)
    make_overdue(store)

    assert 1 == close_overdue(store, actor="maintain", proofs=True)
    assert [DeliveryState.EXPIRED] == [one.state for one, _ in list_proofs(store, delivery)]
    assert DeliveryState.READY is find_delivery(store, "d1").state
    assert "expired" == report(store, made.id)["state"]


def test_a_proof_that_somebody_sends_is_left_to_them(store: Store) -> None:
    make_prepared(store, count=3)
    made = make_proof(store, "d1", proof_of(), author="maria", dialect=DIALECT)
    make_overdue(store)
    ledger = claim(store, made, owner="somebody", lease_s=10)
    assert ledger is not None

    assert 0 == close_overdue(store, actor="maintain", proofs=True)
    ledger.release()


# Apart from the campaign


def test_a_proof_is_in_no_figure_of_its_campaign(store: Store) -> None:
    make_prepared(store, count=3)
    before = report(store, "d1")
    run_proof(store)

    assert before == report(store, "d1")
    assert ["d1"] == [one.id for one, _ in list_deliveries(store, kind=DeliveryKind.CAMPAIGN)]
    approve(store)
    gateway = RecordingGateway()
    run_send(store, gateway)
    assert ["Hello 1", "Hello 2", "Hello 3"] == sorted(body for _, body in sent(gateway))


def test_a_proof_approves_itself_and_not_the_campaign(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    result = run_proof(store)
    approval = find_approval(store, find_delivery(store, result["delivery"]))

    assert approval is not None
    assert ("maria", "author") == (approval.decided_by, approval.via)
    assert find_approval(store, delivery) is None
    assert DeliveryState.READY is find_delivery(store, "d1").state


def test_the_log_of_the_campaign_says_who_sent_which_proof(store: Store) -> None:
    make_prepared(store, count=3)
    run_proof(store, to=(ANN, BOB))
    ((problem, facts),) = own_log(store)

    assert "PROOF #1 goes to 2 numbers" == problem
    assert {"by": "maria", "proof": 1, "numbers": 2, "messages": 1} == {
        name: facts[name] for name in ("by", "proof", "numbers", "messages")
    }


def test_no_number_and_no_text_is_in_the_logs_the_figures_or_the_report(store: Store) -> None:
    make_prepared(store, count=3)
    result = run_proof(store, to=(ANN, BOB))

    with store.transaction() as connection:
        log = connection.execute("SELECT problem, facts FROM smsflow_log").fetchall()
        rows = connection.execute(
            "SELECT label, figures, settings, audience, template FROM smsflow_deliveries"
        ).fetchall()
    text = f"{log}{rows}{result}"
    assert "336" not in text.replace(str(result["proof"]), "")
    assert "61234" not in text
    assert "Hello" not in text


def test_proofs_are_listed_with_the_delivery_they_show(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    run_proof(store)
    run_proof(store, key="k2")

    assert [2, 1] == [proof.proof_no for proof, _ in list_proofs(store, delivery)]
    assert [1, 1] == [figures["accepted"] for _, figures in list_proofs(store, delivery)]
    assert [] == list_proofs(store, list_proofs(store, delivery)[0][0])


# What holds for a proof, and what does not


def test_opt_outs_and_quarantine_do_not_hold_it_up_and_are_told(store: Store) -> None:
    make_prepared(store, count=3)
    with store.transaction() as connection:
        connection.execute("INSERT INTO smsflow_opt_outs (phone) VALUES (%s)", (ANN,))
        connection.execute(
            "INSERT INTO smsflow_opt_outs (phone, scope) VALUES (%s, 'sender:ACME'), (%s, 'other')",
            (ANN, BOB),
        )
        connection.execute("INSERT INTO smsflow_quarantine (phone) VALUES (%s)", (BOB,))
    gateway = RecordingGateway()

    result = run_proof(store, gateway, to=(ANN, BOB))

    assert 2 == len(gateway.messages) == result["accepted"]
    assert (1, 1) == (result["proof"]["opted_out"], result["proof"]["quarantined"])
    log = read_log(store, find_delivery(store, result["delivery"]))
    warned = [row["problem"] for row in log if row["level"] == "warning"]
    assert [
        "1 of the test numbers is opted out: a proof goes there all the same",
        "1 of the test numbers is in quarantine: a proof goes there all the same",
    ] == warned


def test_a_list_of_the_programme_counts_whatever_its_capitals(store: Store) -> None:
    make_prepared(store, count=3)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET template = %s::jsonb",
            (json.dumps({"settings": {"programme": "Loyalty"}}),),
        )
        connection.execute(
            "INSERT INTO smsflow_opt_outs (phone, scope)"
            " VALUES (%s, 'programme:loyalty'), (%s, 'programme:other')",
            (ANN, BOB),
        )

    assert 1 == run_proof(store, to=(ANN, BOB))["proof"]["opted_out"]


def test_the_allow_list_of_the_environment_holds_for_a_proof_too(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway()

    result = run_proof(store, gateway, to=(ANN, BOB), sender={"allowed": frozenset({BOB})})

    assert [f"+{BOB}"] == [to for to, _ in sent(gateway)]
    assert (1, 1) == (result["accepted"], result["cancelled"])
    assert "not_on_allow_list" == result["causes"][0]["code"]


def test_a_proof_of_a_dry_run_hands_nothing_over(store: Store) -> None:
    make_prepared(store, count=3, dry_run=True)
    gateway = RecordingGateway()

    result = run_proof(store, gateway)

    assert [] == gateway.messages
    assert (True, 1) == (result["dry_run"], result["cancelled"])


# What is refused


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"to": ()}, "to: give at least one test number"),
        ({"to": tuple(range(ANN, ANN + 101))}, "to: 101 numbers, the most are 100"),
        ({"to": (ANN, ANN)}, "to: a number is given twice"),
        ({"key": ""}, "key: give one of 1 to 255 characters"),
        ({"key": "k" * 256}, "key: give one of 1 to 255 characters"),
        ({"random": 101}, "random: draws 0 to 100 messages, not 101"),
        ({"random": -1}, "random: draws 0 to 100 messages, not -1"),
        ({"recipients": ("r1",) * 101}, "recipients: 101 of them, the most are 100"),
        (
            {"recipients": ("r1", "x1", "+33612345678")},
            "recipients: no message for those at these places: 2, 3",
        ),
        (
            {"recipients": (), "picks": (Pick.DEAREST,)},
            "picks: the preparation knows no dearest message",
        ),
        (
            {"recipients": (), "random": 3, "to": tuple(range(ANN, ANN + 34))},
            "to: 3 messages to 34 numbers are 102 texts, the most are 100",
        ),
    ],
)
def test_a_proof_that_is_wrong_is_refused_with_the_reason(
    store: Store, changed: dict[str, Any], problem: str
) -> None:
    delivery = make_prepared(store, count=5)
    gateway = RecordingGateway()

    with pytest.raises(ConfigError) as caught:
        run_proof(store, gateway, **changed)

    assert [problem] == caught.value.facts["problems"]
    assert [] == gateway.messages
    assert [] == list_proofs(store, delivery)


def test_all_problems_are_told_at_once(store: Store) -> None:
    with pytest.raises(ConfigError) as caught:
        run_proof(store, to=(), key="", random=-1)

    assert 3 == len(caught.value.facts["problems"])  # type: ignore[arg-type]


def test_what_is_not_prepared_has_no_proof(store: Store) -> None:
    make_draft(store)

    with pytest.raises(NotApprovedError, match="prepare the delivery first") as caught:
        run_proof(store)

    assert "draft" == caught.value.facts["state"]
    with pytest.raises(NotFoundError):
        make_proof(store, "d9", proof_of(), author="maria", dialect=DIALECT)


def make_draft(store: Store) -> None:
    origin = Origin(dag_id="shop.sale", run_id="r1", task_id="sms")
    kind = DeliveryKind.CAMPAIGN
    ensure_delivery(store, "d1", kind=kind, label="Sale", origin=origin, actor="test")


def test_a_delivery_without_messages_has_no_proof(store: Store) -> None:
    make_prepared(store, count=0)

    with pytest.raises(NotApprovedError, match="no message"):
        run_proof(store, recipients=())


def test_a_proof_is_about_the_content_that_was_looked_at(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    gateway = RecordingGateway()

    with pytest.raises(NotApprovedError, match="review it again"):
        run_proof(store, gateway, fingerprint="0" * 64)
    run_proof(store, gateway, fingerprint=delivery.fingerprint)

    assert 1 == len(gateway.messages)


def test_a_proof_sent_once_is_found_again_after_another_preparation(store: Store) -> None:
    """A repeated request gets its answer, and nothing new leaves."""
    delivery = make_prepared(store, count=3)
    first = run_proof(store, fingerprint=delivery.fingerprint)
    make_prepared(store, count=2)
    gateway = RecordingGateway()

    assert first == run_proof(store, gateway, fingerprint=delivery.fingerprint)
    assert [] == gateway.messages


def test_only_a_campaign_has_proofs(store: Store) -> None:
    make_prepared(store, count=3)
    first = run_proof(store)

    with pytest.raises(IllegalMoveError, match="only a campaign"):
        make_proof(store, first["delivery"], proof_of(), author="maria", dialect=DIALECT)


def test_nobody_sends_a_proof(store: Store) -> None:
    make_prepared(store, count=3)

    with pytest.raises(NotApprovedError, match="somebody"):
        make_proof(store, "d1", proof_of(), author=" ", dialect=DIALECT)


@pytest.mark.parametrize("state", ["rejected", "sending", "finished", "stopped"])
def test_what_was_decided_or_sent_can_still_be_proved(store: Store, state: str) -> None:
    make_prepared(store, count=3)
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER ALL")
        connection.execute("UPDATE smsflow_deliveries SET state = %s", (state,))
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER ALL")
    gateway = RecordingGateway()

    run_proof(store, gateway)

    assert 1 == len(gateway.messages)
    assert state == find_delivery(store, "d1").state.value


def test_messages_that_are_not_kept_any_more_have_no_proof(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    with store.transaction() as connection:
        connection.execute(f"DROP TABLE smsflow_messages_p{delivery.preparation}".encode())

    with pytest.raises(NotFoundError, match="not kept"):
        run_proof(store, recipients=(), random=1)


def test_a_delivery_prepared_again_while_it_is_read_has_no_proof_of_the_old_texts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_prepared(store, count=3)
    read = find_delivery(store, "d1")
    make_prepared(store, count=2)
    monkeypatch.setattr(
        "smsflow_provider.core.delivery.proof.find_delivery", lambda *_: replace(read)
    )

    with pytest.raises((NotApprovedError, NotFoundError)):
        run_proof(store, recipients=("r1",))

    assert [] == list_proofs(store, find_delivery(store, "d1"))


# What the gateway says


def test_what_the_gateway_refuses_is_failed_in_the_proof_only(store: Store) -> None:
    make_prepared(store, count=3)
    gateway = RecordingGateway(script=[OutcomeKind.FAILED])

    result = run_proof(store, gateway, to=(ANN, BOB))

    assert (1, 1) == (result["failed"], result["accepted"])
    assert 0 == report(store, "d1")["failed"]


def test_a_proof_has_message_ids_of_its_own(store: Store) -> None:
    """Receipts of a proof must not be taken for those of the campaign."""
    make_prepared(store, count=3)
    proving, sending = RecordingGateway(), RecordingGateway()
    run_proof(store, proving, recipients=(), random=3)
    approve(store)
    run_send(store, sending)

    def ids(messages: list[Message]) -> set[str]:
        return {message.id for message in messages}

    assert (3, 3) == (len(ids(proving.messages)), len(ids(sending.messages)))
    assert not ids(proving.messages) & ids(sending.messages)
