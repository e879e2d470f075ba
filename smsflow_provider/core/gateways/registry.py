"""
The gateways there are: connection type, settings, dialect, and the form that describes them.

Nothing here opens a socket or imports an HTTP client.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Dialect, Feature, HttpCallback
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.settings import (
    ConnectionFields,
    GatewaySettings,
    form_fields,
    read_settings,
)
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Receipt

ReceiptReader = Callable[[HttpCallback], Receipt | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayType:
    """One kind of gateway, as a connection type."""

    conn_type: str
    #: What people read where they choose a connection type.
    label: str
    settings: type[GatewaySettings]
    dialect: type[Dialect]
    #: Makes the dialect from settings and a clock.
    make: Callable[[Any, Callable[[], datetime]], Dialect]
    hidden_fields: tuple[str, ...] = ()
    relabeling: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)


GATEWAY_TYPES: Mapping[str, GatewayType] = {
    each.conn_type: each
    for each in (
        GatewayType(
            conn_type="sms_kannel",
            label="SMS gateway: Kannel",
            settings=KannelSettings,
            dialect=KannelDialect,
            make=lambda settings, now: KannelDialect(settings, now=now),
            relabeling={"login": "sendsms-user", "schema": "Scheme"},
            placeholders={"host": "kannel.example.com", "port": "13013", "schema": "http"},
        ),
        GatewayType(
            conn_type="sms_simulator",
            label="SMS gateway: smsflow simulator",
            settings=SimulatorSettings,
            dialect=SimulatorDialect,
            make=lambda settings, _now: SimulatorDialect(settings),
            hidden_fields=("login",),
            relabeling={"password": "API key", "schema": "Scheme"},
            placeholders={"host": "127.0.0.1", "port": "8890", "schema": "http"},
        ),
    )
}


def gateway_type(conn_type: str) -> GatewayType:
    """
    Look up a connection type.

    Raises:
        ConfigError: It is not one of a gateway; the facts name the near and the known ones.
    """
    if conn_type not in GATEWAY_TYPES:
        near = difflib.get_close_matches(conn_type, GATEWAY_TYPES, n=1)
        raise ConfigError(
            "not a gateway's connection type", given=conn_type, near=near, known=[*GATEWAY_TYPES]
        )
    return GATEWAY_TYPES[conn_type]


def read_connection(conn_type: str, connection: ConnectionFields) -> GatewaySettings:
    """
    Read a connection into the settings of its type.

    Raises:
        UnknownSettingError: Extra fields nobody knows, with their near names.
        ConfigError: An unknown type, or values that cannot be read; all of them at once.
    """
    return read_settings(gateway_type(conn_type).settings, connection)


def make_dialect(
    conn_type: str, settings: GatewaySettings, *, now: Callable[[], datetime] = utc_now
) -> Dialect:
    """
    Make the dialect of *conn_type* from settings read by `read_connection`.

    Raises:
        ConfigError: An unknown type, or settings of another type.
    """
    kind = gateway_type(conn_type)
    if type(settings) is not kind.settings:
        raise ConfigError(
            "settings of another gateway", conn_type=conn_type, given=type(settings).__name__
        )
    return kind.make(settings, now)


def receipt_readers() -> dict[str, ReceiptReader]:
    """How the calls of each gateway are read, by connection type. Needs no connection."""
    return {
        kind.conn_type: kind.make(kind.settings(base_url=""), utc_now).read_callback
        for kind in GATEWAY_TYPES.values()
    }


def connection_form(conn_type: str, *, hook_class_name: str) -> dict[str, object]:
    """
    Describe a connection type the way provider info wants it under ``connection-types``.

    Args:
        conn_type: One of `GATEWAY_TYPES`.
        hook_class_name: Import path of the hook that tests such a connection.
    """
    kind = gateway_type(conn_type)
    return {
        "connection-type": kind.conn_type,
        "hook-class-name": hook_class_name,
        "hook-name": kind.label,
        "ui-field-behaviour": {
            "hidden-fields": list(kind.hidden_fields),
            "relabeling": dict(kind.relabeling),
            "placeholders": dict(kind.placeholders),
        },
        "conn-fields": form_fields(kind.settings),
    }


def feature_table() -> str:
    """Print which gateway can do what, as a Markdown table. The docs hold a copy."""
    kinds = list(GATEWAY_TYPES.values())
    head = ["feature", *(f"`{kind.conn_type}`" for kind in kinds)]
    rows = [[each.value, *(_can(kind, each) for kind in kinds)] for each in Feature]
    rows.append(["messages in one request", *(str(kind.dialect.max_batch) for kind in kinds)])
    rows.append(["cuts long texts", *(_cutting(kind) for kind in kinds)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _can(kind: GatewayType, feature: Feature) -> str:
    return "yes" if feature in kind.dialect.features else "no"


def _cutting(kind: GatewayType) -> str:
    return ", ".join(
        f"{encoding.value}: {split.value}" for encoding, split in kind.dialect.splitting.items()
    )
