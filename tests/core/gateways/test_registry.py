"""The gateways there are, and how they show in forms and docs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Dialect, Feature, HttpCallback
from smsflow_provider.core.gateways.generic import GenericDialect
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.registry import (
    GATEWAY_TYPES,
    connection_form,
    feature_table,
    gateway_type,
    make_dialect,
    read_connection,
    receipt_readers,
)
from smsflow_provider.core.gateways.settings import ConnectionFields
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.gateways.twilio import TwilioDialect
from smsflow_provider.core.model import Encoding
from smsflow_provider.testing.examples import example_message

#: The least that describes a gateway by settings.
DESCRIBED: dict[str, object] = {
    "body": {"to": "{{ to }}", "text": "{{ text }}", "from": "{{ sender }}"},
    "chooses_encoding": True,
    "accepted_when": "json.ok",
    "receipt_status": "fields.state",
    "receipt_map": {"done": "delivered"},
}


def make_described(**extra: object) -> Dialect:
    fields = ConnectionFields(host="gate", extra=DESCRIBED | extra)
    return make_dialect("sms_http", read_connection("sms_http", fields))


def test_each_connection_type_makes_its_dialect() -> None:
    made = {
        name: type(make_dialect(name, read_connection(name, ConnectionFields(host="gate"))))
        for name in GATEWAY_TYPES
        if name != "sms_http"
    }
    made["sms_http"] = type(make_described())

    assert {
        "sms_http": GenericDialect,
        "sms_kannel": KannelDialect,
        "sms_simulator": SimulatorDialect,
        "sms_twilio": TwilioDialect,
    } == made


@pytest.mark.parametrize("name", GATEWAY_TYPES)
def test_a_type_its_dialect_and_its_settings_belong_together(name: str) -> None:
    kind = GATEWAY_TYPES[name]

    assert name == kind.conn_type == kind.dialect.name
    assert set(Encoding) == set(kind.dialect.splitting)


def test_the_base_url_of_a_connection_reaches_the_request() -> None:
    settings = read_connection("sms_kannel", ConnectionFields(host="gate", port=99, schema="https"))
    request = make_dialect("sms_kannel", settings).write([example_message()])

    assert request.url.startswith("https://gate:99/")


def test_the_clock_reaches_the_dialect() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    dialect = make_dialect("sms_kannel", KannelSettings(base_url="http://k"), now=lambda: noon)
    message = example_message(expires_at=noon + timedelta(minutes=9))

    assert "9" == dialect.write([message]).headers["X-Kannel-Validity"]


def test_an_unknown_type_is_named_with_its_near_name() -> None:
    with pytest.raises(ConfigError) as caught:
        gateway_type("sms_kanel")

    assert ["sms_kannel"] == caught.value.facts["near"]


def test_settings_of_another_gateway_are_refused() -> None:
    with pytest.raises(ConfigError):
        make_dialect("sms_kannel", SimulatorSettings(base_url="http://s"))


def test_receipts_are_read_without_a_connection() -> None:
    readers = receipt_readers()
    receipt = readers["sms_kannel"](HttpCallback(message_id="1-1-1", query={"type": "1"}))

    assert set(GATEWAY_TYPES) == set(readers)
    assert receipt is not None


def test_calls_of_a_gateway_by_settings_are_read_by_the_connection_they_name() -> None:
    other = make_described(receipt_status="fields.other")
    readers = receipt_readers(lambda: {"first": make_described(), "second": other})
    call = HttpCallback(message_id="1-1-1", query={"g": "second", "other": "done"})
    receipt = readers["sms_http"](call)

    assert receipt is not None
    with pytest.raises(ValueError, match="receipt_status"):
        readers["sms_http"](replace(call, query={"g": "first", "other": "done"}))


def test_an_only_connection_of_its_type_need_not_be_named() -> None:
    readers = receipt_readers(
        lambda: {"only": make_described(), "k": KannelDialect(KannelSettings(base_url="http://k"))}
    )

    assert readers["sms_http"](HttpCallback(message_id="1-1-1", query={"state": "done"}))


@pytest.mark.parametrize("query", [{}, {"g": "third"}])
def test_a_call_about_no_known_connection_is_no_fault_of_the_gateway(
    query: dict[str, str],
) -> None:
    """It should call again later: a refusal would lose the receipt."""
    readers = receipt_readers(lambda: {"first": make_described(), "second": make_described()})
    with pytest.raises(ConfigError):
        readers["sms_http"](HttpCallback(message_id="1-1-1", query=query))
    with pytest.raises(ConfigError):
        receipt_readers()["sms_http"](HttpCallback(message_id="1-1-1", query=query))


@pytest.mark.parametrize("name", GATEWAY_TYPES)
def test_a_form_is_plain_data_that_provider_info_can_hold(name: str) -> None:
    form = connection_form(name, hook_class_name="somewhere.Hook")

    assert form == json.loads(json.dumps(form))
    assert {
        "connection-type",
        "hook-class-name",
        "hook-name",
        "ui-field-behaviour",
        "conn-fields",
    } == set(form)
    assert (name, "somewhere.Hook") == (form["connection-type"], form["hook-class-name"])


def test_the_feature_table_names_every_gateway_and_feature() -> None:
    table = feature_table()

    assert all(f"`{name}`" in table for name in GATEWAY_TYPES)
    assert all(f"| {feature.value} |" in table for feature in Feature)


def test_asking_for_a_gateway_loads_no_http_client() -> None:
    """DAG files ask for connection types when they are parsed."""
    code = (
        "import sys; import smsflow_provider.core.gateways.registry;"
        "heavy = {'aiohttp', 'airflow', 'psycopg', 'polars', 'pandas'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
