"""Texts as notifications of Airflow's callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context


class SmsNotifier(BaseNotifier):
    """
    Text whoever is on call when a task fails, a review waits, a deadline passes.

    One text per task, run, try and *name*; one per call where a whole DAG calls back. At most 100
    numbers.

    :param to: One number or several. (templated)
    :param text: The text. (templated)
    :param sender: Sender; the gateway's default if empty. (templated)
    :param name: Tells several notifiers of one task apart.
    :param gateway_conn_id: Connection of the gateway.
    :param region: ISO region of national numbers.
    :param store_conn_id: Connection of the store.
    """

    template_fields: Sequence[str] = ("to", "text", "sender")

    def __init__(
        self,
        *,
        to: str | list[str],
        text: str,
        sender: str = "",
        name: str = "notification",
        gateway_conn_id: str = "sms_gateway",
        region: str | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.text = text
        self.sender = sender
        self.name = name
        self.gateway_conn_id = gateway_conn_id
        self.region = region
        self.store_conn_id = store_conn_id

    def notify(self, context: Context) -> None:
        """Send the text. What Airflow calls back may lack the task, and even the run."""
        from smsflow_provider.hooks.direct import send_text  # noqa: PLC0415  loads psycopg

        send_text(
            context,
            to=[self.to] if isinstance(self.to, str) else self.to,
            text=self.text,
            sender=self.sender,
            gateway_conn_id=self.gateway_conn_id,
            region=self.region,
            store_conn_id=self.store_conn_id,
            name=self._name_in(context),
            repeats=_is_of_a_task(context),
            on_progress=lambda _: None,
        )

    async def async_notify(self, context: Context) -> None:
        """Send the text from the triggerer, without holding it up."""
        await asyncio.to_thread(self.notify, context)

    def _name_in(self, context: Context) -> str:
        """Tell the tries of a task apart: each may fail anew."""
        ti: Any = context.get("ti")
        return self.name if ti is None else f"{self.name}.{ti.try_number}"


def _is_of_a_task(context: Context) -> bool:
    """Whether a task calls back. A DAG says its reason, and may name the task it ended with."""
    return "ti" in context and "reason" not in context
