"""How hard errors are: what is shipped, and what an installation says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smsflow_provider.core.delivery.qualify import read_qualification, shipped_tables
from smsflow_provider.core.gateways.error_table import ErrorTable, Hardness
from smsflow_provider.core.gateways.kannel import KannelDialect
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.store.qualified import Limits, Qualifier
from smsflow_provider.testing.contracts import ErrorTableContract


class TestKannel(ErrorTableContract):
    def table(self) -> ErrorTable:
        return ErrorTable.of("kannel")


class TestSimulator(ErrorTableContract):
    def table(self) -> ErrorTable:
        return ErrorTable.of("simulator")


def test_every_shipped_gateway_with_a_table_is_published() -> None:
    tables = shipped_tables()

    assert {KannelDialect.name, SimulatorDialect.name} <= set(tables) <= set(GATEWAY_TYPES)
    assert all("*" in codes for codes in tables.values())


@pytest.mark.parametrize(
    ("code", "hardness"),
    [
        ("1", "hard"),
        ("001", "hard"),
        ("27", "soft"),
        ("34", "none"),
        ("0x0000000b", "hard"),
        ("0x00000058", "none"),
        ("number_denied", "none"),
        ("4711", "soft"),
        ("", "soft"),
    ],
)
def test_codes_of_kannel_say_what_they_say(code: str, hardness: str) -> None:
    qualifier = Qualifier(tables=({}, shipped_tables()))

    assert hardness == qualifier.hardness_of(KannelDialect.name, code)


def test_no_unlisted_code_is_hard_by_default() -> None:
    assert not [name for name, codes in shipped_tables().items() if codes["*"] == "hard"]


def test_the_file_of_an_installation_is_read() -> None:
    found, problems = read_qualification(
        "limits: {soft_errors: 3, at_least_apart: 12h, forget_after: 5d, quarantine_for: 90d}\n"
        'gateways:\n  sms_kannel: {"1": none, "0x0000000b": soft, "*": none}\n'
    )

    assert [] == problems
    assert found is not None
    assert {"sms_kannel": {"1": "none", "0x0000000b": "soft", "*": "none"}} == found.as_tables()
    assert found.as_limits() == Limits(
        soft_errors=3,
        at_least_apart=timedelta(hours=12),
        forget_after=timedelta(days=5),
        quarantine_for=timedelta(days=90),
    )


def test_what_is_not_said_is_as_usual() -> None:
    found, _ = read_qualification("limits: {quarantine_for: forever}\n")

    assert found is not None
    assert Limits() == found.as_limits()
    assert {} == found.as_tables()


def test_limits_survive_the_store() -> None:
    limits = Limits(soft_errors=2, quarantine_for=timedelta(days=1))

    assert limits == Limits.from_document(limits.as_document())
    assert Limits() == Limits.from_document(Limits().as_document())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("[]", "must say something of errors"),
        ("limit: {}", "did you mean 'limits'?"),
        ("limits: {soft_errors: 0}", "limits.soft_errors: "),
        ("limits: {soft_errors: true}", "limits.soft_errors: "),
        ("limits: {at_least_apart: a day}", "is not a duration"),
        ("limits: {quarantine_for: for ever}", "is not a duration"),
        ("limits: {forget_after: 0}", "limits.forget_after: "),
        ('gateways: {sms_kanel: {"1": hard}}', "did you mean 'sms_kannel'?"),
        ("gateways: {sms_kannel: {1: hard}}", "put it in quotes"),
        ('gateways: {sms_kannel: {"1": hrad}}', "did you mean 'hard'?"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, told: str) -> None:
    found, problems = read_qualification(text, file="q.yaml")

    assert found is None
    assert told in str(problems[0])
    assert str(problems[0]).startswith("q.yaml")


def test_a_gateway_of_another_machine_may_be_named() -> None:
    found, problems = read_qualification('gateways: {sms_elsewhere: {"9": hard}}\n')

    assert [] == problems
    assert found is not None
    assert Hardness.HARD is found.gateways["sms_elsewhere"]["9"]
