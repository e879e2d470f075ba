"""A proof of a prepared delivery, as a task."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from smsflow_provider.hooks.context import (
    actor_of,
    delivery_id_from,
    final_errors,
    listed,
    owner_of,
)
from smsflow_provider.hooks.gateway import SmsGatewayHook
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.store.deliveries import Delivery


class SendProofOperator(BaseOperator):
    """
    Send prepared messages of a delivery to test numbers, before or after its review.

    Nothing of the delivery is approved or sent by it, and its figures stay as they are. Each
    number gets each chosen message, 100 texts at the most, marked ``PROOF #n``. Without a choice
    every pick is sent. Tried again or cleared, it sends nothing twice; content that was prepared
    anew has a proof of its own. Among the rendered fields that Airflow shows, numbers and
    recipients are only counted.

    Returns the report of the proof: ids and counts.

    :param delivery: What the prepare task returned, or a delivery's id. (templated)
    :param to: One test number or several. (templated)
    :param recipients: Recipient ids whose messages are chosen. (templated)
    :param random: How many messages are drawn.
    :param pick: ``longest``, ``shortest``, ``dearest``, ``each_encoding``, ``each_language``,
        ``each_parts``, or several of them.
    :param mark: Write ``PROOF #n`` before each text.
    :param region: ISO region of national numbers.
    :param store_conn_id: Connection of the store.
    """

    template_fields: Sequence[str] = ("delivery", "to", "recipients")

    def __init__(
        self,
        *,
        delivery: Any,
        to: str | list[str],
        recipients: str | list[str] | None = None,
        random: int = 0,
        pick: str | list[str] | None = None,
        mark: bool = True,
        region: str | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.delivery = delivery
        self.to = to
        self.recipients = recipients
        self.random = random
        self.pick = pick
        self.mark = mark
        self.region = region
        self.store_conn_id = store_conn_id
        self._rendered: tuple[list[str], list[str]] | None = None
        self._is_told_to_end = False

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        """
        Render, and leave behind what may be shown: Airflow keeps rendered fields for all to see.

        Every way of rendering ends here, that of a mapped task too.
        """
        super()._do_render_template_fields(parent, *args, **kwargs)
        if parent is not self:
            return
        self._rendered = listed(self.to), listed(self.recipients)
        self.to = f"{len(self._rendered[0])} numbers"
        self.recipients = f"{len(self._rendered[1])} recipients"

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the proof, and return its report."""
        from smsflow_provider.core.store.deliveries import find_delivery  # noqa: PLC0415
        from smsflow_provider.hooks.proof import ProofWish, make_wish, send_made  # noqa: PLC0415

        to, recipients = self._rendered or (listed(self.to), listed(self.recipients))
        with final_errors():
            store = StoreHook(self.store_conn_id).store()
            delivery = find_delivery(store, delivery_id_from(self.delivery))
            wish = ProofWish(
                to=to,
                region=self.region,
                recipients=recipients,
                random=self.random,
                picks=listed(self.pick),
                mark=self.mark,
                fingerprint=delivery.fingerprint,
            )
            made = make_wish(
                store,
                delivery,
                wish,
                key=_key_of(context, delivery),
                author=actor_of(context),
                dialect=SmsGatewayHook(delivery.gateway).dialect(),
            )
            report = send_made(
                store,
                made,
                owner=owner_of(context),
                on_progress=lambda counts: self.log.info("Sending: %s", counts),
                is_interrupted=lambda: self._is_told_to_end,
            )
        self.log.info("Sent: %s", {k: v for k, v in report.items() if isinstance(v, int)})
        return report

    def on_kill(self) -> None:
        """Take no more messages; what is in flight has a few seconds to come back."""
        self._is_told_to_end = True


def _key_of(context: Context, delivery: Delivery) -> str:
    """Name the proof of this task in this run, about this very content."""
    ti: Any = context["ti"]
    words = [ti.dag_id, ti.run_id, ti.task_id, str(ti.map_index), delivery.fingerprint or ""]
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()
