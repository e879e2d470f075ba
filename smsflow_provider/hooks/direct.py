"""A plain text from Airflow: what the operator and the notifier share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import actor_of, origin_of, owner_of
from smsflow_provider.hooks.gateway import SmsGatewayHook
from smsflow_provider.hooks.sender import make_sender
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context


def send_text(
    context: Context,
    *,
    to: Sequence[str],
    text: str,
    sender: str,
    gateway_conn_id: str,
    region: str | None,
    store_conn_id: str,
    name: str,
    on_progress: Callable[[dict[str, int]], None],
) -> dict[str, Any]:
    """
    Send *text* to the numbers in *to*, once each over all tries of the task.

    Args:
        name: What this text is to the task, so that two of one task are two deliveries.

    Raises:
        ConfigError: Lists every problem, the wrong numbers by their place.
    """
    from smsflow_provider.core.delivery.direct import DirectText, send_direct  # noqa: PLC0415
    from smsflow_provider.core.preparation.named import read_numbers  # noqa: PLC0415

    store = StoreHook(store_conn_id).store()
    task_id = context["ti"].task_id
    direct = DirectText(
        label=f"{context['ti'].dag_id}.{name}",
        to=tuple(read_numbers(to, region=region)),
        text=text,
        sender=sender,
        gateway=gateway_conn_id,
    )
    return asyncio.run(
        send_direct(
            store,
            direct,
            origin=origin_of(context, task_id=name if name == task_id else f"{task_id}.{name}"),
            author=actor_of(context),
            dialect=SmsGatewayHook(gateway_conn_id).dialect(),
            sender=make_sender(
                store,
                config=SmsflowConfig.read(),
                owner=owner_of(context),
                on_progress=on_progress,
            ),
        )
    )
