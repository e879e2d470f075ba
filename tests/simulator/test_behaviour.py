"""How the simulator behaves is validated, and drawn from a seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError, UnknownSettingError
from smsflow_provider.simulator.behaviour import Behaviour, Dice, Fate, Report

IDS = [f"1-1-{number:x}" for number in range(2000)]


def fates(behaviour: Behaviour, *, seed: int = 0) -> list[Fate]:
    dice = Dice(seed)
    return [dice.fate_of(each, to="+33612345678", time=0, behaviour=behaviour) for each in IDS]


def test_a_behaviour_is_read_from_plain_values() -> None:
    behaviour = Behaviour.from_mapping({"delivered_share": "0.5", "messages_per_s": 20})

    assert (0.5, 20) == (behaviour.delivered_share, behaviour.messages_per_s)
    assert Behaviour().latency_s == behaviour.latency_s


def test_a_change_keeps_what_it_does_not_name() -> None:
    before = Behaviour(latency_s=1.0, lost_share=0.5)

    assert Behaviour(latency_s=1.0, lost_share=0.1) == before.changed({"lost_share": 0.1})


def test_all_problems_are_told_at_once() -> None:
    given = {"delivered_share": 2, "lost_how": "explode", "refused_digits": "x", "latency_s": "?"}
    with pytest.raises(ConfigError) as caught:
        Behaviour.from_mapping(given)

    assert [
        "delivered_share: must lie between 0 and 1",
        "lost_how: must be one of 'reset', 'close', 'silence'",
        "latency_s: must be of type number",
        "refused_digits: must hold digits 0 to 9 only",
    ] == caught.value.facts["problems"]


def test_the_shortest_delay_is_not_longer_than_the_longest() -> None:
    with pytest.raises(ConfigError, match="receipt_delay_min_s"):
        Behaviour.from_mapping({"receipt_delay_min_s": 5})


def test_an_unknown_setting_is_named_with_its_near_name() -> None:
    with pytest.raises(UnknownSettingError) as caught:
        Behaviour.from_mapping({"latency": 1})

    assert {"latency": ["latency_s"]} == caught.value.facts["near"]


def test_a_behaviour_reads_back_what_it_shows() -> None:
    behaviour = Behaviour(refused_share=0.25, refused_digits="79", reports_accepted=True)

    assert behaviour == Behaviour.from_mapping(behaviour.as_dict())


@given(st.integers(), st.text(min_size=1), st.integers(0, 5))
def test_the_same_seed_gives_the_same_fate(seed: int, message_id: str, time: int) -> None:
    behaviour = Behaviour(refused_share=0.5, silent_share=0.3, repeated_share=0.3)
    one, other = (
        Dice(seed).fate_of(message_id, to="+1", time=time, behaviour=behaviour) for _ in range(2)
    )

    assert one == other


def test_another_seed_gives_other_fates() -> None:
    behaviour = Behaviour(refused_share=0.5)

    assert fates(behaviour, seed=1) != fates(behaviour, seed=2)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_shares_hold_over_many_messages(share: float) -> None:
    refused = [fate.is_refused for fate in fates(Behaviour(refused_share=share))]
    delivered = [
        fate.receipts[-1].says == "delivered" for fate in fates(Behaviour(delivered_share=share))
    ]
    silent = [not fate.receipts for fate in fates(Behaviour(silent_share=share))]
    twice = [len(fate.receipts) == 2 for fate in fates(Behaviour(repeated_share=share))]

    for drawn in (refused, delivered, silent, twice):
        assert abs(share - sum(drawn) / len(drawn)) < 0.04


def test_numbers_with_a_refused_last_digit_are_refused() -> None:
    behaviour = Behaviour(refused_digits="79")
    dice = Dice(0)
    refused = [
        digit
        for digit in "0123456789"
        if dice.fate_of("1", to=f"+3361234567{digit}", time=0, behaviour=behaviour).is_refused
    ]

    assert ["7", "9"] == refused


def test_a_refused_message_gets_no_receipt() -> None:
    assert {()} == {fate.receipts for fate in fates(Behaviour(refused_share=1))}


def test_receipts_come_within_their_time() -> None:
    behaviour = Behaviour(receipt_delay_min_s=2, receipt_delay_max_s=3, reports_accepted=True)
    for fate in fates(behaviour):
        (first, last) = fate.receipts
        assert Report(delay_s=0.0, says="accepted") == first
        assert 2 <= last.delay_s <= 3


def test_answers_are_lost_or_failed_by_their_shares() -> None:
    behaviour = Behaviour(lost_share=0.5, failing_share=0.5)
    answers = [Dice(3).answer_of(each, time=0, behaviour=behaviour) for each in IDS]

    assert {"lost", "failed", "whole"} == set(answers)
    assert abs(0.5 - answers.count("lost") / len(IDS)) < 0.04
    assert abs(0.25 - answers.count("failed") / len(IDS)) < 0.04
