"""
The gateways there are: connection type, settings, dialect, and the form that describes them.

Those that come with smsflow, and those that installed packages bring by entry points. Nothing is
loaded before it is asked for, and nothing here opens a socket or imports an HTTP client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Dialect, Feature, HttpCallback
from smsflow_provider.core.gateways.discovery import GROUP, Discovered, discover
from smsflow_provider.core.gateways.gateway_type import GatewayType
from smsflow_provider.core.gateways.settings import (
    ConnectionFields,
    GatewaySettings,
    read_settings,
)
from smsflow_provider.core.gateways.shipped import GATEWAYS
from smsflow_provider.core.model import Receipt

_BY_SETTINGS = "by its settings"

ReceiptReader = Callable[[HttpCallback], Receipt | None]
#: Parameter of a callback address that names the connection, where its reading depends on it.
CONNECTION_PARAMETER = "g"
#: The dialects of this installation's connections, by connection id.
Dialects = Callable[[], Mapping[str, Dialect]]


@cache
def _discovered() -> Discovered:
    return discover(entry_points(group=GROUP), shipped=GATEWAYS)


class _GatewayTypes(Mapping[str, GatewayType]):
    """All that can be used, found when somebody looks."""

    def __getitem__(self, conn_type: str) -> GatewayType:
        return _discovered().types[conn_type]

    def __iter__(self) -> Iterator[str]:
        return iter(_discovered().types)

    def __len__(self) -> int:
        return len(_discovered().types)


GATEWAY_TYPES: Mapping[str, GatewayType] = _GatewayTypes()


def gateway_type(conn_type: str) -> GatewayType:
    """
    Look up a connection type.

    Raises:
        ConfigError: It is not one of a gateway; the facts name the near and the known ones. Or
            its package cannot be used; the facts name the package and why.
    """
    return _discovered().find(conn_type)


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


def receipt_readers(dialects: Dialects = dict) -> dict[str, ReceiptReader]:
    """
    How the calls of each gateway are read, by connection type.

    Args:
        dialects: The connections there are. Needed only by types whose calls cannot be read
            without one, such as ``sms_http``; asked at each of their calls.
    """
    return {
        kind.conn_type: _reader_by_connection(kind.conn_type, dialects)
        if kind.reads_by_connection
        else kind.make(kind.settings(base_url=""), utc_now).read_callback
        for kind in GATEWAY_TYPES.values()
    }


def _reader_by_connection(conn_type: str, dialects: Dialects) -> ReceiptReader:
    def read(callback: HttpCallback) -> Receipt | None:
        return dialect_of_call(callback, conn_type=conn_type, dialects=dialects).read_callback(
            callback
        )

    return read


def dialect_of_call(callback: HttpCallback, *, conn_type: str, dialects: Dialects) -> Dialect:
    """
    Find the connection that a call is about: the one its ``g`` names, else the only one there is.

    Raises:
        ConfigError: There is none; the gateway should call again later.
    """
    known = {name: each for name, each in dialects().items() if each.name == conn_type}
    named = callback.query.get(CONNECTION_PARAMETER, "")
    if named in known:
        return known[named]
    if not named and len(known) == 1:
        return next(iter(known.values()))
    raise ConfigError("no connection to read this call with", conn_type=conn_type, known=[*known])


def connection_form(conn_type: str, *, hook_class_name: str) -> dict[str, object]:
    """
    Describe a connection type the way provider info wants it under ``connection-types``.

    Args:
        conn_type: One of `GATEWAY_TYPES`.
        hook_class_name: Import path of the hook that tests such a connection.
    """
    return gateway_type(conn_type).form(hook_class_name=hook_class_name)


def feature_table() -> str:
    """Print which gateway of smsflow can do what, as Markdown. The docs hold a copy."""
    kinds = GATEWAYS
    head = ["feature", *(f"`{kind.conn_type}`" for kind in kinds)]
    rows = [[each.value, *(_can(kind, each) for kind in kinds)] for each in Feature]
    rows.append(["messages in one request", *(_batch(kind) for kind in kinds)])
    rows.append(["cuts long texts", *(_cutting(kind) for kind in kinds)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _can(kind: GatewayType, feature: Feature) -> str:
    if feature in kind.chosen:
        return _BY_SETTINGS
    return "yes" if feature in kind.dialect.features else "no"


def _batch(kind: GatewayType) -> str:
    return _BY_SETTINGS if kind.is_described else str(kind.dialect.max_batch)


def _cutting(kind: GatewayType) -> str:
    if kind.is_described:
        return _BY_SETTINGS
    return ", ".join(
        f"{encoding.value}: {split.value}" for encoding, split in kind.dialect.splitting.items()
    )
