"""What the Kannel dialect sends is what the carrier gets, on a real Kannel."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import GSM_CHARACTERS
from smsflow_provider.core.delivery.tokens import Signer, callback_url
from smsflow_provider.core.gateways.kannel import KannelDialect
from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.receipts import ReceivedReceipt
from smsflow_provider.receiver.app import make_app
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.serving import ServedApp
from tests.integration.kannel.sending import message_of, send_all
from tests.kannel_harness import Kannel

EXTENSION = "^{}\\[~]|€\f"
#: A carriage return is left out: fakesmsc drops it before a line break.
GSM = "".join(sorted(GSM_CHARACTERS - {"\r"}))

TEXTS = {
    "accents": "Été à Nîmes, ça va ? Où ? Ñandú",
    "gsm alphabet": GSM,
    "extension": f"{EXTENSION} {EXTENSION}",
    "euro": "Vos 5 € sont arrivés",
    "at": "@",
    "at in the middle": "a@b.example",
    "percent and plus": "100 %d %p %% %41 + 1+1=2 &amp; &t=1",
    "quotes": "\"double\" 'single' <b>&lt;</b>",
    "blanks at both ends": "  two before, two after  ",
    "line breaks": "one\ntwo\n\nthree",
    "line break at both ends": "\nmiddle\n",
    "hex digits": "41424344",
    "160 characters": "a" * 160,
    "161 characters": "a" * 161,
    "escape pair at the cut": "a" * 152 + "€" + "b" * 20,
    "many extension characters": "€[]{}~^|\\" * 40,
    "long gsm": "Bonjour à tous. " * 100,
    "emoji": "Bravo 🎉",
    "emoji only": "😀",
    "family": "👨‍👩‍👧‍👦 " * 6,
    "cut through an emoji": "a" * 66 + "😀" * 5,
    "only emoji, cut through": "b" + "😀" * 100,
    "70 units": "ê" * 70,
    "71 units": "ê" * 71,
    "chinese": "您好您的验证码是一二三四" * 8,
    "arabic": "مرحبا بك في متجرنا " * 5,
    "ucs2 blanks and breaks": "  ê\n\nê  ",
    "ucs2 signs": "ê %d %p + & <b> \" ' @ €",
}


def check_arrives(kannel: Kannel, texts: Sequence[str]) -> None:
    """Send *texts* and compare what the carrier got, byte for byte, in order, once each."""
    dialect = KannelDialect(kannel.settings)
    messages = [message_of(each, number=n, dialect=dialect) for n, each in enumerate(texts, 1)]
    outcomes = send_all(dialect, messages, settings=kannel.settings)
    received = kannel.wait_for(len(messages))

    assert {OutcomeKind.ACCEPTED} == {outcome.kind for outcome in outcomes}
    assert [each.body for each in messages] == [each.text for each in received]
    assert [each.to for each in messages] == [each.to for each in received]
    assert [each.encoding.value for each in messages] == [each.encoding for each in received]
    assert [each.parts for each in messages] == [each.parts for each in received]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_sent_is_what_the_carrier_gets(kannel: Kannel, text: str) -> None:
    check_arrives(kannel, [text])


# Control characters but the line break never reach a gateway; nor do halves of a pair.
ANY = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
TEXT = st.one_of(
    st.text(st.sampled_from(GSM), min_size=1, max_size=500),
    st.text(st.sampled_from(EXTENSION + "ab \n"), min_size=140, max_size=320),
    st.text(st.one_of(ANY, st.sampled_from("ê😀👩‍🚀 \n")), min_size=1, max_size=300),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_any_text_arrives_as_it_is(kannel: Kannel, texts: list[str]) -> None:
    kannel.forget()
    check_arrives(kannel, texts)


@pytest.mark.parametrize("sender", ["SHOP", "My Shop", "A+B&C", "36180", "+33612345678"])
def test_the_sender_arrives(kannel: Kannel, sender: str) -> None:
    send_all(
        KannelDialect(kannel.settings), [example_message(sender=sender)], settings=kannel.settings
    )

    assert [sender] == [each.sender for each in kannel.wait_for(1)]


def test_255_parts_arrive_and_none_is_cut_off(kannel: Kannel) -> None:
    dialect = KannelDialect(kannel.settings)
    message = message_of("0123456789" * 3901 + "12345", dialect=dialect)
    send_all(dialect, [message], settings=kannel.settings)
    (received,) = kannel.wait_for(1)

    assert (255, message.body) == (received.parts, received.text)


def test_a_kannel_left_at_its_default_cuts_long_texts_in_silence(tmp_path: Path) -> None:
    """Known limitation: the answer is the same, the rest of the text is gone."""
    with Kannel(tmp_path, max_messages=2) as kannel:
        dialect = KannelDialect(kannel.settings)
        message = message_of("0123456789" * 50, dialect=dialect)
        (outcome,) = send_all(dialect, [message], settings=kannel.settings)
        (received,) = kannel.wait_for(1)

    assert (OutcomeKind.ACCEPTED, 4) == (outcome.kind, message.parts)
    assert 2 == received.parts
    assert message.body.startswith(received.text)


def test_a_wrong_password_refuses_and_nothing_leaves(kannel: Kannel) -> None:
    wrong = replace(kannel.settings, username="nobody")
    (outcome,) = send_all(KannelDialect(wrong), [example_message()], settings=wrong)

    assert (OutcomeKind.FAILED, "authorization") == (outcome.kind, outcome.code)
    assert [] == kannel.wait_for(0)


def test_a_validity_is_taken(kannel: Kannel) -> None:
    soon = datetime.now(tz=UTC) + timedelta(minutes=5)  # noqa: TID251  Kannel's clock is real
    message = example_message(expires_at=soon)
    (outcome,) = send_all(KannelDialect(kannel.settings), [message], settings=kannel.settings)

    assert OutcomeKind.ACCEPTED == outcome.kind
    assert 1 == len(kannel.wait_for(1))


def test_a_full_queue_turns_messages_away_untaken(tmp_path: Path) -> None:
    """Only what was accepted reaches the carrier once it is back: a 503 took nothing."""
    with Kannel(tmp_path, queue_limit=1) as kannel:
        kannel.stop_carrier()
        dialect = KannelDialect(kannel.settings)
        messages = [message_of(f"text {n}", number=n, dialect=dialect) for n in range(1, 5)]
        outcomes = send_all(dialect, messages, settings=kannel.settings)
        kannel.start_carrier()
        received = kannel.wait_for(1)

    taken = [
        each.body
        for each, outcome in zip(messages, outcomes, strict=True)
        if outcome.kind is OutcomeKind.ACCEPTED
    ]
    assert taken == [each.text for each in received]
    assert {"3", "temporal_failure"} == {outcome.code for outcome in outcomes}
    assert {OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT} == {each.kind for each in outcomes}


def test_a_message_given_up_waiting_for_is_sent_all_the_same(kannel: Kannel) -> None:
    """Why a timeout is doubt: the answer was lost, the message was not."""
    impatient = replace(kannel.settings, connect_timeout_s=0.5, answer_timeout_s=0.5)
    kannel.pause()
    try:
        (outcome,) = send_all(
            KannelDialect(impatient), [example_message(body="late")], settings=impatient
        )
    finally:
        kannel.resume()
    received = kannel.wait_for(1)

    assert (OutcomeKind.UNKNOWN, "timeout") == (outcome.kind, outcome.code)
    assert ["late"] == [each.text for each in received]


def test_receipts_reach_the_receiver_once_each(kannel: Kannel) -> None:
    signer = Signer([b"a key for this very test"])
    stored: list[ReceivedReceipt] = []

    async def append(receipts: Sequence[ReceivedReceipt]) -> None:
        stored.extend(receipts)

    def wait_for(count: int) -> None:
        kannel.wait_until(lambda: len(stored) >= count, problem="the receipts did not come")

    with ServedApp(make_app(signer=signer, append=append)) as served:
        messages = [
            example_message(number)._replace(
                callback_url=callback_url(
                    f"{served.url}/a%20prefix",
                    conn_type="sms_kannel",
                    message_id=example_message(number).id,
                    signer=signer,
                ),
            )
            for number in range(1, 21)
        ]
        send_all(KannelDialect(kannel.settings), messages, settings=kannel.settings)
        wait_for(40)
        # A receipt Kannel takes for lost would come again after a second.
        time.sleep(1.5)

    ids = [each.id for each in messages]
    by_kind = {kind: [r.message_id for r in stored if r.kind is kind] for kind in ReceiptKind}
    assert ids == sorted(by_kind[ReceiptKind.ACCEPTED], key=ids.index)
    assert ids == sorted(by_kind[ReceiptKind.DELIVERED], key=ids.index)
    assert [] == by_kind[ReceiptKind.UNDELIVERED]
    assert all(each.gateway_ref for each in stored if each.kind is ReceiptKind.DELIVERED)
