"""What Airflow learns of the provider: its connections, settings and hooks."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import airflow
import pytest
import yaml
from airflow.configuration import conf
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from smsflow_provider.core.errors import ConfigError, UnknownSettingError
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.get_provider_info import get_provider_info
from smsflow_provider.hooks.config import SmsflowConfig, read_allowed, read_daily_cap
from smsflow_provider.hooks.context import actor_of, dag_id_of, flag_of, owner_of
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.hooks.gateway import KannelHook, SimulatorHook, SmsGatewayHook
from smsflow_provider.hooks.store import StoreHook, dsn_of
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import gateway_connection, store_connection
from tests.airflow.running import headers_of

TYPES = ("sms_kannel", "sms_simulator", "sms_twilio", "smsflow_store")


def class_of(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_provider_info_is_what_airflows_schema_wants() -> None:
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())

    assert [] == list(Draft7Validator(schema).iter_errors(get_provider_info()))


def test_everything_the_provider_info_names_can_be_imported() -> None:
    info = get_provider_info()
    hooks = [each["hook-class-name"] for each in info["connection-types"]]

    for path in [*hooks, *info["notifications"], *info["db-managers"]]:
        assert isinstance(class_of(path), type)
    for each in info["hooks"]:
        for module in each["python-modules"]:
            importlib.import_module(module)


def test_every_gateway_has_a_connection_type_with_its_own_hook() -> None:
    info = get_provider_info()
    hooks = {one["connection-type"]: one["hook-class-name"] for one in info["connection-types"]}

    assert {*GATEWAY_TYPES, "smsflow_store"} == set(hooks)
    for conn_type, path in hooks.items():
        assert conn_type == class_of(path).conn_type


def test_airflow_offers_our_connection_types_with_labelled_fields(server: TestClient) -> None:
    answer = server.get("/ui/connections/hook_meta", headers=headers_of("ann"))
    shown = {each["connection_type"]: each for each in answer.json()}

    assert set(TYPES) <= set(shown)
    assert "SMS gateway: Kannel" == shown["sms_kannel"]["hook_name"]
    for each in get_provider_info()["connection-types"]:
        offered = shown[each["connection-type"]]["extra_fields"]
        assert {name: field["label"] for name, field in each["conn-fields"].items()} == {
            name: field["schema"]["title"] for name, field in offered.items()
        }
    titles = shown["smsflow_store"]["standard_fields"]
    assert "Database" == titles["url_schema"]["title"]


def test_every_field_of_a_connection_form_has_a_label_and_a_schema() -> None:
    for each in get_provider_info()["connection-types"]:
        for name, field in each["conn-fields"].items():
            assert field["label"], name
            assert "type" in field["schema"], name


def test_what_the_store_connection_may_hold_is_what_its_form_offers_and_more() -> None:
    (form,) = [
        each
        for each in get_provider_info()["connection-types"]
        if each["connection-type"] == "smsflow_store"
    ]
    fields: dict[str, Any] = {
        "conn_type": "smsflow_store",
        "host": "db",
        "schema": "sms",
        "extra": json.dumps(dict.fromkeys(form["conn-fields"])),
    }

    assert "host=db" in dsn_of(Connection(conn_id="s", **fields))


def test_the_settings_have_their_defaults() -> None:
    options = get_provider_info()["config"]["smsflow"]["options"]

    assert {
        "artifacts",
        "templates",
        "rules",
        "public_url",
        "allowed_numbers",
        "four_eyes",
        "daily_cap",
        "retention_days",
        "replies_days",
        "audience_days",
        "archive",
        "review_hold_s",
    } == set(options)
    assert ["", ""] == [conf.get("smsflow", name) for name in ("public_url", "allowed_numbers")]
    assert "7" == options["review_hold_s"]["default"]
    assert options["allowed_numbers"]["sensitive"]


def test_the_settings_are_read_from_airflows_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", "s3://bucket/sms")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__TEMPLATES", "/texts")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", "/rules")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__PUBLIC_URL", "https://sms.example.com/")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ALLOWED_NUMBERS", "+33612345678")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/tools/")

    assert (
        SmsflowConfig(
            artifacts="s3://bucket/sms",
            templates=Path("/texts"),
            rules=Path("/rules"),
            public_url="https://sms.example.com",
            allowed=frozenset({33612345678}),
            base_url="https://airflow.example.com/tools",
        )
        == SmsflowConfig.read()
    )


def test_without_settings_files_are_below_airflows_own_folders() -> None:
    config = SmsflowConfig.read()

    assert Path(conf.get("core", "dags_folder")) / "templates" == config.templates
    assert Path(conf.get("core", "dags_folder")) / "rules" == config.rules
    assert config.artifacts.endswith("/smsflow")
    assert config.allowed is None


@pytest.mark.parametrize(("text", "parts"), [("", 0), ("0", 0), (" 250000 ", 250000)])
def test_a_daily_cap_is_a_number_of_parts(
    monkeypatch: pytest.MonkeyPatch, text: str, parts: int
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__DAILY_CAP", text)

    assert parts == SmsflowConfig.read().daily_cap


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "1e6", "\u0663"])
def test_a_daily_cap_that_cannot_be_read_is_not_taken_for_none(text: str) -> None:
    with pytest.raises(ConfigError, match="daily_cap"):
        read_daily_cap(text)


def test_the_allow_list_does_not_show_in_a_repr() -> None:
    config = SmsflowConfig(
        artifacts="",
        templates=Path(),
        rules=Path(),
        public_url="",
        allowed=frozenset({336}),
        base_url="",
    )

    assert "336" not in repr(config)


@given(st.lists(st.integers(1_000_000, 999_999_999_999_999), max_size=20))
def test_an_allow_list_reads_back_as_it_was_written(numbers: list[int]) -> None:
    text = ", ".join(f"+{number}" for number in numbers)

    assert (frozenset(numbers) or None) == read_allowed(text)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("0612345678", [1]),
        ("+33612345678, 12 +33612345679", [2]),
        ("+336x", [1]),
        ("+1234567890123456", [1]),
        ("none, +33612345678", [1]),
        ("+३३६१२३४५६७८", [1]),
        ("+33612345²", [1]),
        ("+0612345678", [1]),
    ],
)
def test_an_allow_list_names_wrong_entries_by_their_place(text: str, places: list[int]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_allowed(text)

    assert {"wrong_entries": places} == caught.value.facts
    assert "+" not in str(caught.value).removeprefix(caught.value.problem)


def test_a_word_allows_nobody() -> None:
    assert frozenset() == read_allowed(" none ")


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("", False),
        ("True", True),
        (" no ", False),
        (1, True),
        (0, False),
    ],
)
def test_a_run_parameter_is_a_yes_or_a_no(value: object, *, flag: bool) -> None:
    context: Any = {"params": {"dry_run": value}}

    assert flag is flag_of(context, "dry_run")


@pytest.mark.parametrize("value", ["perhaps", 2, [], {"a": 1}, 0.5])
def test_a_run_parameter_that_is_neither_is_refused(value: object) -> None:
    context: Any = {"params": {"dry_run": value or "[]"}}

    with pytest.raises(ConfigError) as caught:
        flag_of(context, "dry_run")
    assert {"parameter": "dry_run"} == caught.value.facts


def test_a_context_without_parameters_says_no() -> None:
    empty: Any = {}

    assert not flag_of(empty, "dry_run")
    assert ("", "dag:") == (dag_id_of(empty), actor_of(empty))
    assert "/a callback" == owner_of(empty)


# Hooks


def test_a_gateway_that_answers_passes_the_test_and_gets_no_message(
    simulator: RunningSimulator,
) -> None:
    works, said = SmsGatewayHook("sms_gateway").test_connection()

    assert works
    assert "answers. No message was sent." in said
    assert [] == simulator.messages()


@pytest.mark.parametrize(
    ("connection", "word"),
    [
        ({"conn_type": "sms_simulator", "host": "127.0.0.1", "port": 9}, "does not answer"),
        ({"conn_type": "sms_simulator", "host": "no.such.host.invalid"}, "does not answer"),
        ({"conn_type": "http", "host": "x"}, "not a gateway's connection type"),
        ({"conn_type": "sms_kannel"}, "host"),
    ],
    ids=["closed", "unknown", "another type", "no host"],
)
def test_a_gateway_that_cannot_be_reached_fails_the_test_and_says_why(
    connection: dict[str, Any], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMS_GATEWAY", json.dumps(connection))
    works, said = SmsGatewayHook().test_connection()

    assert not works
    assert word in said


def test_a_test_of_a_gateway_shows_no_password(
    simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = gateway_connection(simulator.url, password="hunter2", port=9)
    monkeypatch.setenv("AIRFLOW_CONN_SMS_GATEWAY", secret)

    assert "hunter2" not in SmsGatewayHook().test_connection()[1]
    assert "hunter2" not in repr(SmsGatewayHook().read())


def test_each_hook_speaks_the_dialect_of_its_connection(simulator: RunningSimulator) -> None:
    del simulator
    assert "sms_simulator" == SimulatorHook("sms_gateway").get_conn().name
    assert "sms_kannel" == KannelHook.conn_type


def test_a_store_that_answers_passes_the_test(airflow_store: Store) -> None:
    del airflow_store
    works, said = StoreHook().test_connection()

    assert works
    assert "its schema is 0005" in said


def test_a_store_without_its_tables_fails_the_test_and_says_what_to_run(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMSFLOW_STORE", store_connection(postgres.dsn()))
    works, said = StoreHook().test_connection()

    assert not works
    assert "smsflow db migrate" in said


def test_a_store_out_of_reach_fails_the_test_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = {"conn_type": "smsflow_store", "host": "127.0.0.1", "port": 9, "schema": "s"}
    monkeypatch.setenv("AIRFLOW_CONN_SMSFLOW_STORE", json.dumps({**fields, "password": "hunter2"}))
    works, said = StoreHook().get_conn(), StoreHook().test_connection()

    assert "hunter2" not in repr(works)
    assert not said[0]
    assert "does not answer" in said[1]
    assert "hunter2" not in said[1]


def test_a_store_that_nobody_configured_fails_the_test() -> None:
    works, said = StoreHook().test_connection()

    assert not works
    assert "there is no connection to the store" in said


def test_the_connection_of_the_store_becomes_a_connection_string() -> None:
    connection = Connection(
        conn_id="store",
        conn_type="smsflow_store",
        host="db.example.com",
        schema="sms flow",
        login="o'hara",
        password="p w'd\\",
        extra=json.dumps({"sslmode": "verify-full", "sslrootcert": ""}),
    )

    assert {
        "host": "db.example.com",
        "port": "5432",
        "dbname": "sms flow",
        "user": "o'hara",
        "password": "p w'd\\",
        "sslmode": "verify-full",
    } == conninfo_to_dict(dsn_of(connection))


def test_unknown_fields_of_the_store_are_named_all_at_once() -> None:
    connection = Connection(
        conn_id="store",
        conn_type="smsflow_store",
        host="db",
        schema="s",
        extra=json.dumps({"ssl": 1, "options": "-c search_path=x"}),
    )

    with pytest.raises(UnknownSettingError) as caught:
        dsn_of(connection)
    assert ("store", ["options", "ssl"]) == (
        caught.value.facts["conn_id"],
        caught.value.facts["names"],
    )


def test_the_store_is_found_without_a_warning_about_its_type(
    airflow_store: Store, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repr(airflow_store) == repr(find_store())
    assert "shall not contain" not in caplog.text + capfd.readouterr().out


def test_a_store_nobody_configured_is_not_found() -> None:
    with pytest.raises(AirflowNotFoundException, match="there is no connection smsflow_store"):
        find_store()


HEAVY = ("pandas", "polars", "aiohttp", "sqlglot", "pyarrow", "fastapi", "alembic")


@pytest.mark.parametrize(
    "module", ["smsflow_provider.plugins.plugin", "smsflow_provider.get_provider_info"]
)
def test_what_every_process_imports_is_light(module: str) -> None:
    code = f"""
import sys
import airflow.plugins_manager, airflow.sdk
before = set(sys.modules)
import {module}
print(sorted(name for name in set(sys.modules) - before if name.split(".")[0] in {HEAVY!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert "[]" == done.stdout.strip().splitlines()[-1]


def test_the_connection_form_is_plain_data() -> None:
    assert get_provider_info() == yaml.safe_load(yaml.safe_dump(get_provider_info()))
