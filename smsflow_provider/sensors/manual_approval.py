"""The manual approval: a person reviews the preparation and says Send or Reject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import (
    check_policies,
    delivery_id_from,
    final_errors,
    flag_of,
    is_backfill,
    origin_of,
)
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.delivery.approval import Review
    from smsflow_provider.core.store.connection import Store

#: Airflow's name for "an answer came, and it cannot be handed to the task".
_LOST = "__fail__"


class ManualApprovalSensor(BaseSensorOperator, SkipMixin):
    """
    Wait until a person has reviewed a prepared delivery.

    Parks in ``awaiting_input``: it holds no slot and needs no triggerer. The answer becomes an
    approval in the store, bound to the content that was asked about; the send task reads that
    row and nothing else, so that marking this task a success sends nothing. An answer about
    content that has been prepared again since, or one that cannot be read, asks again. A
    timeout is never an approval.

    Unless they are given to it, three retries, no execution timeout, no soft failure and the
    trigger rule ``all_success`` are its own: ``default_args`` do not change them.

    Returns ``{"delivery", "decision", "by", "fingerprint"}``.

    :param delivery: What the prepare task returned, or a delivery's id. (templated)
    :param response_timeout: How long the review may take. None: until the run is ended.
    :param on_expiry: What an unanswered review does: ``fail`` or ``skip``.
    :param on_reject: What a rejection does: ``skip`` (what follows) or ``fail``.
    :param assigned_users: Airflow user ids that may answer; everybody with the right if empty.
    :param notifiers: Called when a person is asked; their errors are logged, no more.
    :param send_in_backfill: A backfilled run asks nobody and is not sent, unless this or a run
        parameter of that name says so.
    :param store_conn_id: Connection of the store.
    """

    inherits_from_skipmixin = True
    template_fields: Sequence[str] = ("delivery",)

    def __init__(
        self,
        *,
        delivery: Any,
        response_timeout: timedelta | None = None,
        on_expiry: str = "fail",
        on_reject: str = "skip",
        assigned_users: str | list[str] | None = None,
        notifiers: Any = (),
        send_in_backfill: bool = False,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retries", 3)
        kwargs.setdefault("retry_delay", timedelta(seconds=5))
        kwargs.setdefault("trigger_rule", "all_success")
        kwargs.setdefault("execution_timeout", None)
        kwargs.setdefault("soft_fail", False)
        kwargs.setdefault("never_fail", False)
        super().__init__(**kwargs)
        check_policies(on_reject=on_reject, on_expiry=on_expiry)
        self.delivery = delivery
        self.response_timeout = response_timeout
        self.on_expiry = on_expiry
        self.on_reject = on_reject
        self.assigned_users = assigned_users
        self.notifiers = notifiers
        self.send_in_backfill = send_in_backfill
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> Any:
        """Go on if there is a decision already (a retry, a cleared task), else ask."""
        return self._begin(context, notify=True)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """
        Take what came back. An answer that Airflow itself could not carry asks again.

        Such an answer (a form with words reserved by Airflow's serializer) would fail the task.
        """
        if next_method == _LOST:
            self.log.warning("Airflow could not hand the answer on: asking again")
            return self._begin(context, notify=False)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_response(self, context: Context, event: dict[str, Any], fingerprint: str) -> Any:
        """Take the answer to the question about *fingerprint*."""
        from smsflow_provider.core.delivery.approval import Turn, take_answer  # noqa: PLC0415
        from smsflow_provider.sensors.asking import read_answer  # noqa: PLC0415

        with final_errors():
            review = take_answer(
                self._store(),
                delivery_id_from(self.delivery),
                fingerprint=fingerprint,
                answer=read_answer(event),
            )
        if review.turn is Turn.ASK:
            self.log.warning("The answer is unusable, or about other content: asking again")
        return self._take_turn(context, review, notify=False)

    def _begin(self, context: Context, *, notify: bool) -> Any:
        from smsflow_provider.core.delivery.approval import review_of  # noqa: PLC0415

        with final_errors():
            review = review_of(
                self._store(),
                delivery_id_from(self.delivery),
                is_backfill=is_backfill(context),
                send_in_backfill=self.send_in_backfill or flag_of(context, "send_in_backfill"),
            )
        return self._take_turn(context, review, notify=notify)

    def _take_turn(self, context: Context, review: Review, *, notify: bool) -> Any:
        from smsflow_provider.core.delivery.approval import Turn  # noqa: PLC0415

        if review.turn is Turn.ASK:
            self._ask(context, review, notify=notify)
        result = self._result_of(review)
        context["ti"].xcom_push(key="return_value", value=result)
        self.log.info("The review has ended: %s", review.turn.value)
        if review.turn is Turn.APPROVED:
            return result
        policy = {Turn.REJECTED: self.on_reject, Turn.EXPIRED: self.on_expiry}
        if policy.get(review.turn, "skip") == "fail":
            raise AirflowFailException(
                f"The delivery is not sent: it is {review.turn.value}."
                " To ask again, clear its prepare task and what follows"
            )
        self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))
        return result

    def _ask(self, context: Context, review: Review, *, notify: bool) -> None:
        from smsflow_provider.sensors.asking import ask, wait  # noqa: PLC0415

        delivery = review.delivery
        # No counts in here: after a clear or a retry Airflow goes on showing the first text.
        base = SmsflowConfig.read().base_url
        link = f"{base}/plugin/smsflow/deliveries/{delivery.id}/review"
        # Noted before anybody can answer, and again when the task is about to wait: an answer is
        # held back from the last of the two moments on.
        self._note_question(context, review)
        ask(
            context,
            subject=f"Review and send: {delivery.label}",
            body=f"Look at the [review of this delivery]({link}) before you press Send.",
            assigned_users=self.assigned_users,
        )
        if notify:
            self._notify(context)
            self._note_question(context, review)
        self.log.info("Waiting for a person to review delivery %s", delivery.id)
        wait(
            method_name="on_response",
            fingerprint=str(delivery.fingerprint),
            timeout=self.response_timeout,
        )

    def _note_question(self, context: Context, review: Review) -> None:
        from smsflow_provider.core.store.approvals import open_review  # noqa: PLC0415

        open_review(
            self._store(),
            review.delivery,
            asked_by=origin_of(context, task_id=self.task_id),
            fingerprint=str(review.delivery.fingerprint),
        )

    def _notify(self, context: Context) -> None:
        notifiers = self.notifiers
        for notifier in notifiers if isinstance(notifiers, list | tuple) else [notifiers]:
            try:
                notifier(context)
            except Exception:
                self.log.exception("A notifier failed; the review waits all the same")

    def _result_of(self, review: Review) -> dict[str, Any]:
        approval = review.approval
        return {
            "delivery": review.delivery.id,
            "decision": review.turn.value,
            "by": approval.decided_by if approval else None,
            "fingerprint": review.delivery.fingerprint,
        }

    def _store(self) -> Store:
        return StoreHook(self.store_conn_id).store()
