"""The send task."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import delivery_id_from, final_errors, owner_of
from smsflow_provider.hooks.sender import make_sender
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendDeliveryOperator(BaseOperator):
    """
    Send one approved delivery, once to each.

    Reads the approval itself: without one of that very content nothing leaves, whatever state
    Airflow's tasks are in. After a crash the next try goes on where this one stopped; what was
    in flight is ``unknown`` and not sent again; told to end (cleared, marked), it lets what is in
    flight come back first. On a finished delivery it does nothing.

    Unless they are given to it, three retries and the trigger rule ``all_success`` are its own:
    ``default_args`` do not change them.

    :param delivery: What the prepare task returned, or a delivery's id. (templated)
    :param store_conn_id: Connection of the store.
    """

    template_fields: Sequence[str] = ("delivery",)

    def __init__(
        self, *, delivery: Any, store_conn_id: str = "smsflow_store", **kwargs: Any
    ) -> None:
        kwargs.setdefault("retries", 3)
        kwargs.setdefault("retry_delay", timedelta(seconds=10))
        kwargs.setdefault("trigger_rule", "all_success")
        super().__init__(**kwargs)
        self.delivery = delivery
        self.store_conn_id = store_conn_id
        self._is_told_to_end = False

    def execute(self, context: Context) -> dict[str, Any]:
        """Send, and return the report."""
        from smsflow_provider.core.delivery.send import send  # noqa: PLC0415

        with final_errors():
            store = StoreHook(self.store_conn_id).store()
            sender = make_sender(
                store,
                config=SmsflowConfig.read(),
                owner=owner_of(context),
                on_progress=lambda counts: self.log.info("Sending: %s", counts),
                is_interrupted=lambda: self._is_told_to_end,
            )
            report = asyncio.run(send(store, delivery_id_from(self.delivery), sender))
        self.log.info("Sent: %s", {k: v for k, v in report.items() if isinstance(v, int)})
        return report

    def on_kill(self) -> None:
        """Take no more messages; Airflow gives what is in flight five seconds to come back."""
        self._is_told_to_end = True
