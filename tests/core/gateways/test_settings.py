"""Gateway connections: read as an allow-list, all problems at once, secrets masked."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError, UnknownSettingError
from smsflow_provider.core.gateways.kannel import KannelSettings
from smsflow_provider.core.gateways.settings import (
    ConnectionFields,
    Secret,
    base_url_of,
    declared_settings,
    form_fields,
    read_settings,
)
from smsflow_provider.core.gateways.simulator import SimulatorSettings


def connection(**changed: Any) -> ConnectionFields:
    fields: dict[str, Any] = {"host": "kannel", "port": 13013, "login": "me", "password": "hush"}
    return ConnectionFields(**(fields | changed))


def test_a_plain_connection_gives_the_defaults() -> None:
    settings = read_settings(KannelSettings, connection())

    assert "http://kannel:13013" == settings.base_url
    assert ("me", "hush") == (settings.username, str(settings.password))
    assert KannelSettings(base_url="x").dlr_mask == settings.dlr_mask


@pytest.mark.parametrize(
    ("extra", "name", "value"),
    [
        ({"max_connections": 7}, "max_connections", 7),
        ({"max_connections": "7"}, "max_connections", 7),
        ({"answer_timeout_s": 2}, "answer_timeout_s", 2.0),
        ({"answer_timeout_s": "2.5"}, "answer_timeout_s", 2.5),
        ({"carrier_answers": True}, "carrier_answers", True),
        ({"carrier_answers": "false"}, "carrier_answers", False),
        ({"smsc": "LINK1"}, "smsc", "LINK1"),
    ],
)
def test_extra_fields_are_read_by_their_type(
    extra: dict[str, object], name: str, value: object
) -> None:
    settings = read_settings(KannelSettings, connection(extra=extra))

    assert value == getattr(settings, name)
    assert type(value) is type(getattr(settings, name))


def test_an_unknown_field_is_named_with_its_near_name() -> None:
    extra = {"max_conections": 5, "zzz": 1}
    with pytest.raises(UnknownSettingError) as caught:
        read_settings(KannelSettings, connection(extra=extra))

    assert ["max_conections", "zzz"] == caught.value.facts["names"]
    assert {"max_conections": ["max_connections"], "zzz": []} == caught.value.facts["near"]


def test_all_problems_are_told_at_once() -> None:
    extra = {"max_connections": "many", "dlr_mask": 99, "carrier_answers": 3, "smsc": 4}
    with pytest.raises(ConfigError) as caught:
        read_settings(KannelSettings, connection(host="", extra=extra))

    assert [
        "max_connections: must be of type integer",
        "dlr_mask: must lie between 0 and 31",
        "carrier_answers: must be of type boolean",
        "smsc: must be of type string",
        "host: is missing",
    ] == caught.value.facts["problems"]


@pytest.mark.parametrize("given", [True, 1.5, "1.5", "", [], "nan"])
def test_what_is_not_a_whole_number_is_refused(given: object) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(KannelSettings, connection(extra={"max_connections": given}))

    assert ["max_connections: must be of type integer"] == caught.value.facts["problems"]


@pytest.mark.parametrize("given", [True, "nan", "inf", float("nan"), "soon"])
def test_what_is_not_a_number_of_seconds_is_refused(given: object) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(KannelSettings, connection(extra={"answer_timeout_s": given}))

    assert ["answer_timeout_s: must be of type number"] == caught.value.facts["problems"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"host": "gate"}, "http://gate"),
        ({"host": "gate", "port": 80}, "http://gate:80"),
        ({"host": "gate", "schema": "https"}, "https://gate"),
        ({"host": "https://gate/"}, "https://gate"),
        ({"host": "https://gate/sms/", "port": 8443}, "https://gate:8443/sms"),
        ({"host": "https://gate:8443", "port": 8443}, "https://gate:8443"),
        ({"host": "gate", "schema": "https", "port": 8443}, "https://gate:8443"),
        ({"host": "[::1]", "port": 13013}, "http://[::1]:13013"),
    ],
)
def test_the_base_url_is_the_connections_own(fields: dict[str, Any], expected: str) -> None:
    assert expected == base_url_of(ConnectionFields(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"host": "ftp://gate"},
        {"host": "gate", "schema": "sms"},
        {"host": "https://"},
        {"host": "gate:80", "port": 81},
        {"host": "http://me:hush@gate"},
        {"host": "gate?x=1"},
        {"host": "gate#x"},
        {"host": "gate:port"},
    ],
)
def test_a_host_that_makes_no_address_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(host|port|Port)\b"):
        base_url_of(ConnectionFields(**fields))


def test_no_password_shows_in_a_repr_or_an_error() -> None:
    fields = connection(extra={"max_connections": "x"})
    with pytest.raises(ConfigError) as caught:
        read_settings(SimulatorSettings, fields)

    settings = read_settings(SimulatorSettings, connection())
    assert "hush" not in repr(settings) + repr(fields) + str(caught.value)


@given(st.text())
def test_a_secret_is_masked_but_whole(text: str) -> None:
    secret = Secret(text)

    assert repr(secret) in {"Secret('***')", "Secret('')"}
    assert text == str(secret) == f"{secret}"
    assert type(str(secret)) is str
    assert repr(pickle.loads(pickle.dumps(secret))) == repr(secret)  # noqa: S301  its own bytes


@pytest.mark.parametrize("kind", [KannelSettings, SimulatorSettings])
def test_the_form_describes_every_setting(kind: type[KannelSettings | SimulatorSettings]) -> None:
    form = form_fields(kind)

    assert set(declared_settings(kind)) == set(form)
    for field in form.values():
        assert field["label"]
        assert field["description"]
        schema = field["schema"]
        assert isinstance(schema, dict)
        assert "default" in schema


def test_the_form_shows_type_default_and_bounds() -> None:
    expected = {"type": ["integer", "null"], "default": 27, "minimum": 0, "maximum": 31}

    assert expected == form_fields(KannelSettings)["dlr_mask"]["schema"]


def test_a_form_left_alone_reads_as_the_defaults() -> None:
    """Saving the untouched form stores the defaults as extra fields."""
    form = form_fields(KannelSettings)
    extra = {name: field["schema"]["default"] for name, field in form.items()}  # type: ignore[index]

    untouched = read_settings(KannelSettings, connection())
    assert untouched == read_settings(KannelSettings, connection(extra=extra))


def test_a_field_of_a_form_that_nobody_filled_is_as_if_it_were_not_there() -> None:
    """The schema of a form says that null may come, and it does when a field is cleared."""
    given = ConnectionFields(host="k", extra={"max_connections": None, "smsc": None})

    assert read_settings(KannelSettings, ConnectionFields(host="k")) == read_settings(
        KannelSettings, given
    )
