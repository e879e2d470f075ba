"""The core's sender, with gateways and addresses from Airflow's configuration."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.gateway import SmsGatewayHook
from smsflow_provider.hooks.rules import publish_rules_of

if TYPE_CHECKING:
    from smsflow_provider.core.delivery.outlet import GatewayLimits
    from smsflow_provider.core.delivery.send import Sender
    from smsflow_provider.core.delivery.tokens import Signer
    from smsflow_provider.core.gateways.settings import GatewaySettings
    from smsflow_provider.core.store.connection import Store


def make_sender(
    store: Store,
    *,
    config: SmsflowConfig,
    owner: str,
    on_progress: Callable[[dict[str, int]], None],
    is_interrupted: Callable[[], bool] = lambda: False,
    hook_of: Callable[[str], SmsGatewayHook] = SmsGatewayHook,
) -> Sender:
    """
    Hand the core what it needs to send: who, through what, how receipts come back.

    Args:
        hook_of: Makes the hook of a connection: another one outside tasks.
    """
    from smsflow_provider.core.delivery.send import Sender  # noqa: PLC0415  loads psycopg
    from smsflow_provider.core.delivery.tokens import Signer  # noqa: PLC0415
    from smsflow_provider.core.store.keys import read_keys  # noqa: PLC0415

    @cache
    def read(conn_id: str) -> tuple[str, GatewaySettings]:
        return hook_of(conn_id).read()

    publish_rules_of(config, store)
    signer = Signer(read_keys(store))
    return Sender(
        owner=owner,
        open_gateway=lambda conn_id: hook_of(conn_id).open(),
        limits_of=lambda conn_id: _limits_of(read(conn_id)[1]),
        conn_type_of=lambda conn_id: read(conn_id)[0],
        callback_url_of=_callback_urls(config.public_url, signer, lambda one: read(one)[0]),
        daily_cap=config.daily_cap,
        allowed=config.allowed,
        on_progress=on_progress,
        is_interrupted=is_interrupted,
    )


def _limits_of(settings: GatewaySettings) -> GatewayLimits:
    from smsflow_provider.core.delivery.outlet import GatewayLimits  # noqa: PLC0415

    return GatewayLimits(
        connections=settings.max_connections,
        parts_per_s=settings.parts_per_s,
        sender_parts_per_s=settings.sender_parts_per_s,
    )


def _callback_urls(
    public_url: str, signer: Signer, conn_type_of: Callable[[str], str]
) -> Callable[[str, str], str | None]:
    from smsflow_provider.core.delivery.tokens import callback_urls  # noqa: PLC0415
    from smsflow_provider.core.gateways.registry import gateway_type  # noqa: PLC0415

    @cache
    def addresses_of(conn_id: str) -> Callable[[str], str]:
        kind = gateway_type(conn_type_of(conn_id))
        return callback_urls(
            public_url,
            conn_type=kind.conn_type,
            signer=signer,
            conn_id=conn_id if kind.reads_by_connection else "",
        )

    def url_of(conn_id: str, message_id: str) -> str | None:
        return addresses_of(conn_id)(message_id) if public_url else None

    return url_of
