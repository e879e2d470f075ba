"""A plain text to a few people, as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from smsflow_provider.hooks.context import final_errors, listed

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendSmsOperator(BaseOperator):
    """
    Text a few named people: whoever is on call, the owner of a table.

    No review: the author of the DAG decides, and is recorded. At most 100 numbers; more are a
    campaign (``SmsDeliveryOperator``). Tried again, it sends nothing twice. Among the rendered
    fields that Airflow shows, numbers and text are only counted.

    Returns the report: ids and counts.

    :param to: One number or several. (templated)
    :param text: The text. (templated)
    :param sender: Sender; the gateway's default if empty. (templated)
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
        gateway_conn_id: str = "sms_gateway",
        region: str | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.text = text
        self.sender = sender
        self.gateway_conn_id = gateway_conn_id
        self.region = region
        self.store_conn_id = store_conn_id
        self._rendered: tuple[list[str], str] | None = None

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        """
        Render, and leave behind what may be shown: Airflow keeps rendered fields for all to see.

        Every way of rendering ends here, that of a mapped task too.
        """
        super()._do_render_template_fields(parent, *args, **kwargs)
        if parent is not self:
            return
        self._rendered = listed(self.to), str(self.text)
        self.to, self.text = f"{len(self._rendered[0])} numbers", f"{len(self.text)} characters"

    def execute(self, context: Context) -> dict[str, Any]:
        """Send, and return the report."""
        from smsflow_provider.hooks.direct import send_text  # noqa: PLC0415  loads psycopg

        to, text = self._rendered or (listed(self.to), str(self.text))
        with final_errors():
            return send_text(
                context,
                to=to,
                text=text,
                sender=self.sender,
                gateway_conn_id=self.gateway_conn_id,
                region=self.region,
                store_conn_id=self.store_conn_id,
                name=self.task_id,
                on_progress=lambda counts: self.log.info("Sending: %s", counts),
            )
