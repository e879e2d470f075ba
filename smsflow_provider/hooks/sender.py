"""The core's sender, with gateways and addresses from Airflow's configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.gateway import SmsGatewayHook

if TYPE_CHECKING:
    from smsflow_provider.core.delivery.send import Sender
    from smsflow_provider.core.delivery.tokens import Signer
    from smsflow_provider.core.delivery.window import WindowSettings
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

    signer = Signer(read_keys(store))
    return Sender(
        owner=owner,
        open_gateway=lambda delivery: hook_of(delivery.gateway).open(),
        window_of=lambda delivery: _window_of(hook_of(delivery.gateway)),
        conn_type_of=lambda delivery: hook_of(delivery.gateway).read()[0],
        callback_url_of=_callback_urls(config.public_url, signer),
        allowed=config.allowed,
        on_progress=on_progress,
        is_interrupted=is_interrupted,
    )


def _window_of(hook: SmsGatewayHook) -> WindowSettings:
    from smsflow_provider.core.delivery.window import WindowSettings  # noqa: PLC0415

    _, settings = hook.read()
    return WindowSettings(connections=settings.max_connections)


def _callback_urls(public_url: str, signer: Signer) -> Callable[[str, str], str | None]:
    from smsflow_provider.core.delivery.tokens import callback_url  # noqa: PLC0415

    def url_of(conn_type: str, message_id: str) -> str | None:
        if not public_url:
            return None
        return callback_url(public_url, conn_type=conn_type, message_id=message_id, signer=signer)

    return url_of
