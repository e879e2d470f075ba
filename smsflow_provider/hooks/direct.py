"""A plain text from Airflow: what the operator and the notifier share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from smsflow_provider.core.model import Origin
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import actor_of, dag_id_of, origin_of, owner_of
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
    repeats: bool = True,
    new_id: Callable[[], str] = lambda: uuid4().hex,
) -> dict[str, Any]:
    """
    Send *text* to the numbers in *to*, once each over all calls for the same task and *name*.

    Args:
        context: A task's, or a callback's, which may lack the task and the run.
        name: What this text is to the task, so that two of one task are two deliveries.
        repeats: The same call may come again, and must send nothing then. False: each call is a
            text of its own.
        new_id: Names such a text.

    Raises:
        ConfigError: Lists every problem, the wrong numbers by their place.
    """
    from smsflow_provider.core.delivery.direct import DirectText, send_direct  # noqa: PLC0415
    from smsflow_provider.core.delivery.loop import run  # noqa: PLC0415  loads uvloop
    from smsflow_provider.core.preparation.named import read_numbers  # noqa: PLC0415

    store = StoreHook(store_conn_id).store()
    direct = DirectText(
        label=f"{dag_id_of(context)}.{name}".lstrip("."),
        to=tuple(read_numbers(to, region=region)),
        text=text,
        sender=sender,
        gateway=gateway_conn_id,
    )
    owner, config = owner_of(context), SmsflowConfig.read()
    return run(
        send_direct(
            store,
            direct,
            origin=_origin(context, name if repeats else f"{name}.{new_id()}"),
            author=actor_of(context),
            dialect=SmsGatewayHook(gateway_conn_id).dialect(),
            sender=make_sender(store, config=config, owner=owner, on_progress=on_progress),
        )
    )


def _origin(context: Context, name: str) -> Origin:
    ti: Any = context.get("ti")
    if ti is None:
        run_id = str(context.get("run_id") or "")
        return Origin(dag_id=dag_id_of(context), run_id=run_id, task_id=name)
    return origin_of(context, task_id=name if name == ti.task_id else f"{ti.task_id}.{name}")
