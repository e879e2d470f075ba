from __future__ import annotations

from typing import Any, ClassVar

import pytest

from smsflow_provider.core.gateways.base import Feature
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.checks import Level, LogLine, check, check_columns
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.tally import Tally
from tests.core.preparation.preparing import SIMULATOR, make_template
from tests.core.preparation.test_tally import tally_of

SETTINGS = PreparationSettings(label="Sale", gateway="g", has_public_url=True)


class Plain(SimulatorDialect):
    """A gateway that can do next to nothing."""

    name: ClassVar[str] = "plain"
    features: ClassVar[frozenset[Feature]] = frozenset({Feature.RECEIPTS})


PLAIN = Plain(SIMULATOR._settings)


def make_tally(*texts: tuple[Encoding, int], sender: str = "") -> Tally:
    changes = [{"encoding": one.value, "parts": parts, "sender": sender} for one, parts in texts]
    return tally_of(*changes)


def lines_of(tally: Tally, **told: Any) -> list[LogLine]:
    return check(
        tally,
        template=told.get("template", make_template()),
        settings=told.get("settings", SETTINGS),
        dialects=told.get("dialects", [SIMULATOR]),
    )


def test_a_good_preparation_has_one_line() -> None:
    (line,) = lines_of(make_tally((Encoding.GSM7, 1)))

    assert (Level.INFO, "prepared", "1 of 1 recipients get a text") == (
        line.level,
        line.event,
        line.problem,
    )


def test_errors_stand_before_warnings_before_infos() -> None:
    tally = make_tally((Encoding.UCS2, 2))
    tally.missing["name"] = 1

    levels = [line.level for line in lines_of(tally, dialects=[PLAIN])]

    assert sorted(levels, key=list(reversed(Level)).index) == levels
    assert {Level.ERROR, Level.WARNING, Level.INFO} == set(levels)


@pytest.mark.parametrize(
    ("text", "sender", "lacking"),
    [
        ((Encoding.GSM7, 1), "", ""),
        ((Encoding.GSM7, 1), "36111", ""),
        ((Encoding.GSM7, 1), "+33612345678", ""),
        ((Encoding.UCS2, 1), "", "ucs2"),
        ((Encoding.GSM7, 2), "", "multipart"),
        ((Encoding.GSM7, 1), "ACME", "alphanumeric_sender"),
        ((Encoding.UCS2, 3), "ACME", "alphanumeric_sender, multipart, ucs2"),
    ],
)
def test_a_wish_the_gateway_cannot_grant_is_one_error_that_names_all(
    text: tuple[Encoding, int], sender: str, lacking: str
) -> None:
    lines = lines_of(make_tally(text), template=make_template(sender=sender), dialects=[PLAIN])

    found = [line.problem for line in lines if line.level is Level.ERROR]
    assert ([f"the gateway plain lacks {lacking}"] if lacking else []) == found


def test_the_second_gateway_must_grant_every_wish_too() -> None:
    lines = lines_of(make_tally((Encoding.UCS2, 1)), dialects=[SIMULATOR, PLAIN])

    found = [line.problem for line in lines if line.level is Level.ERROR]
    assert ["the second gateway plain lacks ucs2"] == found


def test_the_shares_of_missing_fields_are_of_all_targeted() -> None:
    tally = make_tally(*[(Encoding.GSM7, 1)] * 3)
    tally.targeted = 8
    tally.missing.update({"name": 1, "city": 4})

    found = [line.problem for line in lines_of(tally) if line.level is Level.ERROR]

    assert [
        "'city' is missing for 4 recipients (50.0 %)",
        "'name' is missing for 1 recipient (12.5 %)",
    ] == found


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (["name", "city"], None),
        (["Name", "city"], "the audience has no column 'name': did you mean 'Name'?"),
        (["zip"], "the audience has no column 'name': known: zip"),
        ([], "the audience has no column 'name'"),
    ],
)
def test_a_column_nobody_has_is_told_with_what_there_is(
    columns: list[str], problem: str | None
) -> None:
    lines = check_columns(make_template("{{ name }}{{ city | default('x') }}"), columns)

    assert ([problem] if problem else []) == [line.problem for line in lines]
    assert all(line.level is Level.ERROR for line in lines)
