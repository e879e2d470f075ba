"""The report task: what happened, and what the run does next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, XComArg
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, XComNotFound

from smsflow_provider.hooks.assets import tell_sent
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import (
    check_policies,
    dag_id_of,
    delivery_id_from,
    final_errors,
    flag_of,
    is_backfill,
)
from smsflow_provider.hooks.metrics import Metrics
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.delivery.verdict import Verdict


class ReportDeliveryOperator(BaseOperator, SkipMixin):
    """
    Report on a delivery, whatever became of it.

    Runs always. A delivery that was not sent and should have been fails the run here, so that a
    run is never green by mistake; one that was rejected skips what follows. Where everything
    before it was skipped there is nothing to report: it is skipped too. Of several send workers one
    may have failed: what counts is the delivery. One that was sent gives the asset of its activity
    an event, see ``delivery_asset``.

    :param delivery: What the prepare task returned, or a delivery's id. (templated)
    :param receipts_within: How long to wait for receipts. Those that come later count too.
    :param on_reject: ``skip`` or ``fail``.
    :param on_expiry: ``skip`` or ``fail``.
    :param send_in_backfill: A backfilled run was to be sent; so says a run parameter of that name.
    :param store_conn_id: Connection of the store.
    """

    inherits_from_skipmixin = True
    template_fields: Sequence[str] = ("delivery",)

    def __init__(
        self,
        *,
        delivery: Any,
        receipts_within: timedelta = timedelta(seconds=30),
        on_reject: str = "skip",
        on_expiry: str = "fail",
        send_in_backfill: bool = False,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retries", 3)
        kwargs.setdefault("retry_delay", timedelta(seconds=10))
        kwargs.setdefault("trigger_rule", "all_done")
        super().__init__(**kwargs)
        check_policies(on_reject=on_reject, on_expiry=on_expiry)
        self.delivery = delivery
        self.receipts_within = receipts_within
        self.on_reject = on_reject
        self.on_expiry = on_expiry
        self.send_in_backfill = send_in_backfill
        self.store_conn_id = store_conn_id

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render; a delivery that was never made is None here, not an error of its own."""
        if isinstance(self.delivery, XComArg):
            try:
                self.delivery = self.delivery.resolve(context)
            except XComNotFound:
                self.delivery = None
        super().render_template_fields(context, jinja_env)

    def execute(self, context: Context) -> dict[str, Any]:
        """Report, then let the run go on, skip what follows, or fail."""
        from smsflow_provider.core.delivery.verdict import Verdict  # noqa: PLC0415

        before = self._states_before(context)
        if self.delivery is None and set(before.values()) == {"skipped"}:
            raise AirflowSkipException("There is no delivery: what comes before was skipped")
        with final_errors():
            result = self._report()
            verdict = self._verdict(
                context, result["state"], has_failed="failed" in before.values()
            )
        self.log.info("Report: %s", result)
        self._warn_of_workers(before, result["state"])
        Metrics(dag_id_of(context)).reported(result)
        context["ti"].xcom_push(key="return_value", value=result)
        if verdict is Verdict.FAIL:
            raise AirflowFailException(f"The delivery was not sent: it is {result['state']}")
        if verdict is Verdict.GO_ON:
            tell_sent(context, result)
        if verdict is Verdict.SKIP:
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))
        return result

    def _report(self) -> dict[str, Any]:
        from smsflow_provider.core.delivery.report import report  # noqa: PLC0415
        from smsflow_provider.core.delivery.wait import wait_for_receipts  # noqa: PLC0415

        delivery_id = delivery_id_from(self.delivery)
        store = StoreHook(self.store_conn_id).store()
        if SmsflowConfig.read().public_url:
            within_s = self.receipts_within.total_seconds()
            wait_for_receipts(store, delivery_id, within_s=within_s, sleep=time.sleep)
        return report(store, delivery_id)

    def _warn_of_workers(self, before: dict[str, str], state: str) -> None:
        lost = sum(each in {"failed", "upstream_failed"} for each in before.values())
        if lost:
            self.log.warning("%d send task(s) failed; the delivery is %s", lost, state)

    def _verdict(self, context: Context, state: str, *, has_failed: bool) -> Verdict:
        from smsflow_provider.core.delivery.verdict import Policy, verdict_of  # noqa: PLC0415
        from smsflow_provider.core.states import DeliveryState  # noqa: PLC0415

        was_to_be_sent = self.send_in_backfill or flag_of(context, "send_in_backfill")
        return verdict_of(
            DeliveryState(state),
            on_reject=Policy(self.on_reject),
            on_expiry=Policy(self.on_expiry),
            is_left_out=is_backfill(context) and not was_to_be_sent and not has_failed,
        )

    def _states_before(self, context: Context) -> dict[str, str]:
        """Read the states of the tasks directly before this one, by their ids."""
        ti = context["ti"]
        names = sorted(self.upstream_task_ids)
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=names, run_ids=[ti.run_id])
        return {name: str(state) for name, state in states.get(ti.run_id, {}).items()}
