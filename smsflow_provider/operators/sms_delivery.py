"""The SMS activity of a workflow: prepare, review and send, send, report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import TaskGroup, XComArg

from smsflow_provider.hooks.assets import delivery_alias
from smsflow_provider.operators.prepare_delivery import PrepareDeliveryOperator
from smsflow_provider.operators.report_delivery import ReportDeliveryOperator
from smsflow_provider.operators.send_delivery import SendDeliveryOperator
from smsflow_provider.sensors.manual_approval import ManualApprovalSensor

#: Common arguments that mean something else, or harm, for a task that waits for a person.
_NOT_WHILE_WAITING = (
    "execution_timeout",
    "max_retry_delay",
    "retries",
    "retry_delay",
    "retry_exponential_backoff",
    "retry_policy",
)
#: Common arguments that would let a task start when it must not, or hold its group apart.
_FORBIDDEN = (
    "trigger_rule",
    "task_group",
    "outlets",
    "map_index_template",
    "task_display_name",
)

_NOT_MAPPED = (
    "SmsDeliveryOperator is not mapped: one approval would stand for several deliveries."
    " Make one delivery of the whole audience"
)


class SmsDeliveryOperator(TaskGroup):
    """
    One SMS delivery in a DAG: a task group that is used like an operator.

    It holds ``prepare``, ``review_and_send``, ``send`` and ``report``. Only a person's answer to
    ``review_and_send`` lets ``send`` start. What follows the group runs only if the delivery was
    sent; a rejected one skips it, a failed one fails the run. What counts is the delivery: where
    one of several workers fails and the others finish it, it was sent.

    :param task_id: Name of the activity, and of the group.
    :param audience: Output of a BuildAudienceOperator, or an audience reference. (templated)
    :param template: Name of the delivery template. (templated)
    :param gateway_conn_id: Connection of the gateway; the template's own if not given. (templated)
    :param label: What people call the delivery. (templated)
    :param region: ISO region of national numbers. (templated)
    :param typology: Name of the rules it is prepared by. (templated)
    :param exclude: How its people are narrowed, on top of the typology; see
        PrepareDeliveryOperator.
    :param weight: Among deliveries where pressure rules count planned texts, 0 to 100.
    :param budget: Name of the budget it is paid from. (templated)
    :param dry_run: Walk the whole way and hand nothing over.
    :param response_timeout: How long the review may take. None: until the run is ended.
    :param on_expiry: What an unanswered review means for the run: ``fail`` or ``skip``.
    :param on_reject: What a rejected one means: ``skip`` or ``fail``.
    :param assigned_users: Airflow user ids that may answer; everybody with the right if empty.
    :param four_eyes: Whoever started or prepared the delivery may not approve it.
    :param notifiers: Called when a person is asked; their errors are logged, no more.
    :param send_in_backfill: A backfilled run prepares; only with this may it be sent.
    :param workers: Senders that share the delivery, 1 to 16: as many mapped tasks ``send``.
    :param receipts_within: How long the report waits for receipts.
    :param store_conn_id: Connection of the store.
    :param operator_kwargs: Common operator arguments (retries, pool, queue, …) for its tasks. Those
        about time and retries leave the review alone.
    """

    @classmethod
    def partial(cls, **_: Any) -> Any:
        """
        Refuse mapping: one approval would stand for several deliveries.

        Raises:
            TypeError: Always.
        """
        raise TypeError(_NOT_MAPPED)

    expand = expand_kwargs = partial

    def __init__(
        self,
        task_id: str,
        *,
        audience: Any,
        template: str,
        gateway_conn_id: str | None = None,
        label: str | None = None,
        region: str | None = None,
        typology: str | None = None,
        exclude: Mapping[str, Any] | None = None,
        weight: int | None = None,
        budget: str | None = None,
        dry_run: bool = False,
        response_timeout: timedelta | None = None,
        on_expiry: str = "fail",
        on_reject: str = "skip",
        assigned_users: str | list[str] | None = None,
        four_eyes: bool = False,
        notifiers: Any = (),
        send_in_backfill: bool = False,
        workers: int = 1,
        receipts_within: timedelta = timedelta(seconds=30),
        store_conn_id: str = "smsflow_store",
        **operator_kwargs: Any,
    ) -> None:
        wrong = sorted(set(_FORBIDDEN) & set(operator_kwargs))
        if wrong:
            raise TypeError(f"SmsDeliveryOperator does not take {', '.join(wrong)}")
        dag = {"dag": operator_kwargs["dag"]} if "dag" in operator_kwargs else {}
        super().__init__(group_id=task_id, tooltip=f"SMS delivery: {template}", **dag)
        if next(self.iter_mapped_task_groups(), None) is not None:
            raise TypeError(_NOT_MAPPED)
        common = {**operator_kwargs, "task_group": self, "store_conn_id": store_conn_id}
        waiting = {k: v for k, v in common.items() if k not in _NOT_WHILE_WAITING}
        prepare = PrepareDeliveryOperator(
            task_id="prepare",
            audience=audience,
            template=template,
            gateway_conn_id=gateway_conn_id,
            label=label,
            region=region,
            typology=typology,
            exclude=exclude,
            weight=weight,
            budget=budget,
            dry_run=dry_run,
            four_eyes=four_eyes,
            reviewers=assigned_users,
            workers=workers,
            delivery_task_id=self.group_id,
            trigger_rule="all_success",
            **common,
        )
        delivery = XComArg(prepare, key="delivery")
        review = ManualApprovalSensor(
            task_id="review_and_send",
            delivery=delivery,
            response_timeout=response_timeout,
            on_expiry=on_expiry,
            on_reject=on_reject,
            assigned_users=assigned_users,
            notifiers=notifiers,
            send_in_backfill=send_in_backfill,
            **waiting,
        )
        send = SendDeliveryOperator.spread(
            workers=workers, task_id="send", delivery=delivery, **common
        )
        self.report = ReportDeliveryOperator(
            task_id="report",
            delivery=delivery,
            receipts_within=receipts_within,
            on_expiry=on_expiry,
            on_reject=on_reject,
            send_in_backfill=send_in_backfill,
            outlets=[delivery_alias(prepare.dag_id, str(self.group_id))],
            **common,
        )
        prepare >> review >> send >> self.report

    @property
    def output(self) -> Any:
        """The report's reference: counts by name, see ``smsflow report``."""
        return self.report.output
