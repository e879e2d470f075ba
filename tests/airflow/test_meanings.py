"""What codes of gateways mean in words, by the connections of a delivery."""

from __future__ import annotations

import pytest

from smsflow_provider.hooks import meanings
from smsflow_provider.hooks.meanings import meanings_of


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of two gateways, and one of something else."""
    meanings._conn_type_of.cache_clear()
    for name, conn_type in (("kannel", "sms_kannel"), ("twilio", "sms_twilio"), ("mail", "smtp")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}".upper(), f'{{"conn_type": "{conn_type}"}}')


@pytest.mark.parametrize(
    ("conn_ids", "code", "meaning"),
    [
        (["kannel"], "1", "GSM: unknown subscriber"),
        (["twilio"], "1", ""),
        (["twilio", "kannel"], "1", "GSM: unknown subscriber"),
        (["twilio"], "misconfigured:20003", "wrong login or the key may not do this"),
        (["twilio"], "", ""),
        (["twilio"], "*", ""),
        (["kannel"], "validity_over", ""),
        (["gone", "mail"], "1", ""),
        (["gone", "kannel"], "1", "GSM: unknown subscriber"),
        ([], "1", ""),
    ],
)
def test_a_code_means_what_the_table_of_its_gateway_says(
    conn_ids: list[str], code: str, meaning: str
) -> None:
    assert meaning == meanings_of(conn_ids)(code)


def test_a_connection_is_not_read_for_each_code() -> None:
    meaning_of = meanings_of(["kannel"])
    meaning_of("")
    assert 0 == meanings._conn_type_of.cache_info().misses

    for code in map(str, range(50)):
        meaning_of(code)

    # Two, if a minute begins meanwhile.
    assert meanings._conn_type_of.cache_info().misses in {1, 2}
