"""Texts as notifications of Airflow's callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context


class SmsNotifier(BaseNotifier):
    """
    Text whoever is on call when a task fails, a review waits, a deadline passes.

    One text per task, run, try and *name*; at most 100 numbers.

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
        """Send the text."""
        from smsflow_provider.hooks.direct import send_text  # noqa: PLC0415  loads psycopg

        send_text(
            context,
            to=[self.to] if isinstance(self.to, str) else self.to,
            text=self.text,
            sender=self.sender,
            gateway_conn_id=self.gateway_conn_id,
            region=self.region,
            store_conn_id=self.store_conn_id,
            name=f"{self.name}.{context['ti'].try_number}",
            on_progress=lambda _: None,
        )
