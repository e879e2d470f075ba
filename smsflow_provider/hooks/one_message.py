"""One text to one number through a gateway, from outside a task."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smsflow_provider.core.model import Origin
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.gateway import GatewayOutsideTasks
from smsflow_provider.hooks.sender import make_sender

if TYPE_CHECKING:
    from smsflow_provider.core.store.connection import Store

#: Seconds after which nothing more is handed over.
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMessage:
    """One text as somebody writes it down."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    sender: str = ""
    region: str | None = None


def send_test_message(
    store: Store, conn_id: str, message: OneMessage, *, author: str, key: str
) -> dict[str, Any]:
    """
    Send *message* through the connection *conn_id*, once for each *author* and *key*.

    It is recorded as an act of its author, and is in no campaign's figures. The allow-list, the
    switch and the daily cap hold.

    Returns:
        The report; what has not left within half a minute waits for the same call again.

    Raises:
        ConfigError: The number, the text or the connection is wrong.
        IllegalMoveError: Everything is switched off.
        SendInterruptedError: It has not left yet.
    """
    from smsflow_provider.core.delivery.direct import DirectText, send_direct  # noqa: PLC0415
    from smsflow_provider.core.delivery.loop import run  # noqa: PLC0415  loads uvloop
    from smsflow_provider.core.preparation.named import read_numbers  # noqa: PLC0415

    direct = DirectText(
        label=f"Test message through {conn_id}",
        to=tuple(read_numbers([message.to], region=message.region)),
        text=message.text,
        sender=message.sender,
        gateway=conn_id,
    )
    until = time.monotonic() + _WITHIN_S
    sender = make_sender(
        store,
        config=SmsflowConfig.read(),
        owner=f"rest:{author}",
        on_progress=lambda _: None,
        is_interrupted=lambda: time.monotonic() > until,
        hook_of=GatewayOutsideTasks,
    )
    return run(
        send_direct(
            store,
            direct,
            origin=Origin(run_id=f"{author}/{conn_id}/{key}", task_id="test_message"),
            author=author,
            dialect=GatewayOutsideTasks(conn_id).dialect(),
            sender=sender,
        )
    )
