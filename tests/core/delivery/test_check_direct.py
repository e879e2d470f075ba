from __future__ import annotations

from typing import Any, ClassVar

import pytest

from smsflow_provider.core.content.transliteration import Transliteration
from smsflow_provider.core.delivery.by_author import MOST_TEXTS
from smsflow_provider.core.delivery.direct import DirectText, check_direct
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Feature
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings

SETTINGS = SimulatorSettings(base_url="http://fake")
SIMULATOR = SimulatorDialect(SETTINGS)


class Plain(SimulatorDialect):
    name: ClassVar[str] = "plain"
    features: ClassVar[frozenset[Feature]] = frozenset()


def make_direct(**changed: Any) -> DirectText:
    told = {"label": "alert", "to": (33612345678,), "text": "Down", "gateway": "sms_gateway"}
    return DirectText(**(told | changed))


def problems_of(direct: DirectText, *, dialect: SimulatorDialect = SIMULATOR) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_direct(direct, dialect=dialect)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"to": tuple(33612345600 + n for n in range(MOST_TEXTS))},
        {"text": "a" * 765},
        {"text": "Zeile 1\nZeile 2 \N{FIRE}"},
        {"sender": "ACME"},
        {"sender": "+33612345678"},
        {"text": "ê" * 160, "transliteration": Transliteration.FULL, "max_parts": 1},
    ],
)
def test_a_text_for_a_few_people_can_be_sent(good: dict[str, Any]) -> None:
    check_direct(make_direct(**good), dialect=SIMULATOR)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"to": ()}, "to: give at least one number"),
        (
            {"to": tuple(range(33612345600, 33612345701))},
            "to: 101 numbers; more than 100 are a campaign",
        ),
        ({"text": ""}, "text: is empty"),
        ({"text": " \n "}, "text: is empty"),
        ({"text": "a\tb\0c\td"}, "text: holds U+0009, U+0000, which cannot be sent"),
        ({"text": "half \ud83d"}, "text: holds U+D83D, which cannot be sent"),
        ({"text": "a" * 766}, "text: has 6 parts, the most are 5"),
        ({"text": "a" * 100_000}, "text: has more than 255 parts, the most are 5"),
        ({"sender": "ACMECORPORATION"}, "sender: has 15 characters"),
        ({"sender": "Café"}, "sender: has characters a sender cannot have"),
    ],
)
def test_what_cannot_be_sent_is_said(bad: dict[str, Any], problem: str) -> None:
    (told,) = problems_of(make_direct(**bad))

    assert told.startswith(problem)


def test_all_problems_are_told_at_once_without_a_number_or_the_text() -> None:
    direct = make_direct(
        to=tuple(range(33612345600, 33612345750)), text="se\tcret" * 300, sender="!"
    )

    problems = problems_of(direct, dialect=Plain(SETTINGS))

    assert ["to", "text", "text", "gateway", "sender"] == [
        one.partition(":")[0] for one in problems
    ]
    assert "3361" not in f"{problems}{direct!r}"
    assert "cret" not in f"{problems}{direct!r}"


@pytest.mark.parametrize(
    ("told", "lacking"),
    [
        ({"text": "\N{FIRE}"}, "ucs2"),
        ({"text": "a" * 161}, "multipart"),
        ({"sender": "ACME"}, "alphanumeric_sender"),
    ],
)
def test_a_wish_the_gateway_cannot_grant_is_refused(told: dict[str, Any], lacking: str) -> None:
    assert [f"gateway: plain lacks {lacking}"] == problems_of(
        make_direct(**told), dialect=Plain(SETTINGS)
    )


def test_a_plain_text_asks_nothing_special_of_a_gateway() -> None:
    check_direct(make_direct(sender="36111"), dialect=Plain(SETTINGS))
