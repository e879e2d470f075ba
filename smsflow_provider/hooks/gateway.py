"""Gateways, through Airflow connections: one connection type a gateway."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from smsflow_provider.core.errors import ConfigError, GatewayError, SmsflowError
from smsflow_provider.core.gateways.base import Checkable, HttpResponse
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES, make_dialect, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields, GatewaySettings

if TYPE_CHECKING:
    from smsflow_provider.core.gateways.base import Dialect, Gateway


class SmsGatewayHook(BaseHook):
    """
    Reach an SMS gateway, whatever its kind: the connection's type says which.

    :param gateway_conn_id: Connection of a gateway type such as ``sms_kannel``.
    """

    conn_name_attr = "gateway_conn_id"
    default_conn_name = "sms_gateway"
    conn_type = "sms_gateway"
    hook_name = "SMS gateway"

    def __init__(self, gateway_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gateway_conn_id = gateway_conn_id

    def read(self) -> tuple[str, GatewaySettings]:
        """
        Read the connection: its type, and its settings.

        Raises:
            ConfigError: There is no such connection, it is not one of a gateway, or it cannot be
                read; the facts name it.
        """
        connection = self._find()
        fields = ConnectionFields(
            host=connection.host or "",
            schema=connection.schema or "",
            port=connection.port,
            login=connection.login or "",
            password=connection.password or "",
            extra=connection.extra_dejson,
        )
        conn_type = connection.conn_type or ""
        try:
            return conn_type, read_connection(conn_type, fields)
        except ConfigError as error:
            facts = {"conn_id": self.gateway_conn_id, **error.facts}
            raise type(error)(error.problem, **facts) from None

    def _find(self) -> Any:
        try:
            return self.get_connection(self.gateway_conn_id)
        except AirflowNotFoundException:
            raise ConfigError(
                "there is no such connection: add it, with the type of a gateway",
                conn_id=self.gateway_conn_id,
                types=[*GATEWAY_TYPES],
            ) from None

    def dialect(self) -> Dialect:
        """Make the dialect; opens nothing."""
        return make_dialect(*self.read())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Gateway]:
        """Open the gateway for as long as the block runs."""
        from smsflow_provider.core.gateways.http import (  # noqa: PLC0415  loads aiohttp
            HttpGateway,
            HttpTransport,
        )

        conn_type, settings = self.read()
        async with HttpTransport.of(settings) as transport:
            dialect = make_dialect(conn_type, settings)
            yield HttpGateway(dialect, transport, lookups_per_s=settings.lookups_per_s)

    def get_conn(self) -> Dialect:
        """Airflow's name for it."""
        return self.dialect()

    def test_connection(self) -> tuple[bool, str]:
        """Read the settings and ask the gateway, or open a socket; no message is sent."""
        try:
            conn_type, settings = self.read()
            dialect = make_dialect(conn_type, settings)
            if isinstance(dialect, Checkable):
                return _check(dialect, settings)
        except SmsflowError as error:
            return False, str(error)
        parts = urlsplit(settings.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=5).close()
        except OSError as error:
            return False, f"{parts.hostname}:{port} does not answer: {error.strerror or error}"
        return True, f"{parts.hostname}:{port} answers. No message was sent."


def _check(dialect: Checkable, settings: GatewaySettings) -> tuple[bool, str]:
    """Ask a gateway that can be asked without sending anything."""
    from smsflow_provider.core.delivery.loop import run  # noqa: PLC0415  loads uvloop
    from smsflow_provider.core.gateways.http import HttpTransport  # noqa: PLC0415  same

    async def ask() -> HttpResponse:
        async with HttpTransport.of(settings) as transport:
            return await transport(dialect.write_check())

    place = urlsplit(settings.base_url).netloc
    try:
        wrong = dialect.read_check(run(ask()))
    except GatewayError as error:
        return False, f"{place} does not answer: {error.facts['code']}"
    if wrong:
        return False, f"{place}: {wrong}"
    return True, f"{place} takes the login. No message was sent."


class GatewayOutsideTasks(SmsGatewayHook):
    """The same in the API server and on a command line, where no task asks for a connection."""

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Ask Airflow's secrets backends."""
        from smsflow_provider.hooks.find_store import find_connection  # noqa: PLC0415

        return find_connection(conn_id)


class HttpGatewayHook(SmsGatewayHook):
    """Any gateway that settings can describe: the connection type ``sms_http``."""

    conn_type = "sms_http"
    hook_name = "SMS gateway: any, over HTTP"


class KannelHook(SmsGatewayHook):
    """A Kannel gateway: the connection type ``sms_kannel``."""

    conn_type = "sms_kannel"
    hook_name = "SMS gateway: Kannel"


class SimulatorHook(SmsGatewayHook):
    """The simulator that comes with smsflow: the connection type ``sms_simulator``."""

    conn_type = "sms_simulator"
    hook_name = "SMS gateway: smsflow simulator"


class TwilioHook(SmsGatewayHook):
    """A Twilio account: the connection type ``sms_twilio``."""

    conn_type = "sms_twilio"
    hook_name = "SMS gateway: Twilio"
