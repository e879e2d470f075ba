"""The send task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import dag_id_of, delivery_id_from, final_errors, owner_of
from smsflow_provider.hooks.metrics import Metrics
from smsflow_provider.hooks.progress import SendProgress, total_of
from smsflow_provider.hooks.sender import make_sender
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context


#: Senders that share one delivery, at the most.
MOST_WORKERS = 16

#: What ``default_args`` do not change.
_OWN_DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=10),
    "trigger_rule": "all_success",
}


class SendDeliveryOperator(BaseOperator):
    """
    Send one approved delivery, once to each.

    Reads the approval itself: without one of that very content nothing leaves, whatever state
    Airflow's tasks are in. After a crash the next try goes on where this one stopped; what was
    in flight is ``unknown`` and not sent again; told to end (cleared, marked), it lets what is in
    flight come back first. On a finished delivery it does nothing.

    Several of them, on any machines, share the work of one delivery: see ``spread``. Each stays
    until the delivery has ended; when one fails, the others send its share.

    Unless they are given to it, three retries and the trigger rule ``all_success`` are its own:
    ``default_args`` do not change them.

    :param delivery: What the prepare task returned, or a delivery's id. (templated)
    :param worker: Which of several it is, from 1; it changes nothing but the name in the logs.
    :param store_conn_id: Connection of the store.
    """

    template_fields: Sequence[str] = ("delivery",)

    @classmethod
    def spread(cls, *, workers: int, **kwargs: Any) -> Any:
        """
        Make one task, or a task mapped over its workers, which send one delivery together.

        :param workers: 1 to 16.
        :param kwargs: Arguments of the operator.
        """
        if isinstance(workers, bool) or not 1 <= workers <= MOST_WORKERS:
            raise ConfigError(f"a delivery has 1 to {MOST_WORKERS} send workers", workers=workers)
        if workers == 1:
            return cls(**kwargs)
        given = {**_OWN_DEFAULTS, **kwargs}
        return cls.partial(**given).expand(worker=list(range(1, workers + 1)))

    def __init__(
        self,
        *,
        delivery: Any,
        worker: int | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**_OWN_DEFAULTS, **kwargs})
        self.delivery = delivery
        self.worker = worker
        self.store_conn_id = store_conn_id
        self._is_told_to_end = False

    def execute(self, context: Context) -> dict[str, Any]:
        """Send, and return the report."""
        from smsflow_provider.core.delivery.loop import run  # noqa: PLC0415  loads uvloop
        from smsflow_provider.core.delivery.send import send  # noqa: PLC0415

        metrics = Metrics(dag_id_of(context))
        with final_errors():
            store = StoreHook(self.store_conn_id).store()
            delivery_id = delivery_id_from(self.delivery)
            with SendProgress(store, delivery_id, say=self.log.info, metrics=metrics) as progress:
                sender = make_sender(
                    store,
                    config=SmsflowConfig.read(),
                    owner=owner_of(context),
                    on_progress=progress,
                    is_interrupted=lambda: self._is_told_to_end,
                )
                report = run(send(store, delivery_id, sender))
        self.log.info("Sent: %s", total_of(report))
        return report

    def on_kill(self) -> None:
        """Take no more messages; Airflow gives what is in flight five seconds to come back."""
        self._is_told_to_end = True
