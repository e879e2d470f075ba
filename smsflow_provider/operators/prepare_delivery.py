"""The preparation task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from smsflow_provider.core.errors import SupersededError
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.context import (
    actor_of,
    dag_id_of,
    final_errors,
    flag_of,
    listed,
    origin_of,
)
from smsflow_provider.hooks.gateway import SmsGatewayHook
from smsflow_provider.hooks.rules import check_rules, with_rules
from smsflow_provider.hooks.store import StoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from smsflow_provider.core.content.template import Template
    from smsflow_provider.core.preparation.prepare import Preparation
    from smsflow_provider.core.store.connection import Store


class PrepareDeliveryOperator(BaseOperator):
    """
    Prepare one SMS delivery, up to the point where a person must approve it.

    Nothing is sent by this task. Running it again replaces the prepared messages of the same
    delivery, never adds to them, and voids its approval. A delivery that has begun to send is
    left as it is.

    Returns ids and counts: ``delivery``, ``state``, ``targeted``, ``excluded``, ``to_deliver``,
    ``parts``.

    :param audience: Audience reference returned by a build_audience task. (templated)
    :param template: Name of a delivery template, ``name`` for ``name.sms.j2``. (templated)
    :param gateway_conn_id: Connection of the gateway; the template's own if not given. (templated)
    :param label: What people call the delivery; the template's own if not given. (templated)
    :param region: Region of national numbers; the template's own if not given. (templated)
    :param typology: Name of the rules it is prepared by; the template's own if not given, else
        ``default``. (templated)
    :param exclude: How its people are narrowed, on top of the typology: ``filters``,
        ``audiences``, ``duplicates``, ``numbers``, ``control_group``, ``size_limit``.
    :param weight: Among deliveries where pressure rules count planned texts, 0 to 100; the
        template's own if not given.
    :param budget: Name of the budget it is paid from; the template's own if not given, else
        ``default``. (templated)
    :param dry_run: Walk the whole way and hand nothing over; so does a run parameter of that name.
    :param four_eyes: Whoever started or prepared the delivery may not approve it; so says
        ``[smsflow] four_eyes`` for all of them.
    :param reviewers: Airflow user ids that may decide about it; everybody with the right if empty.
    :param workers: Send tasks that will share the delivery; the review tells it, no more.
    :param delivery_task_id: The task the delivery is named after; this task if not given.
    :param store_conn_id: Connection of the store.
    """

    template_fields: Sequence[str] = (
        "audience",
        "template",
        "gateway_conn_id",
        "delivery_label",
        "region",
        "typology",
        "budget",
    )

    def __init__(
        self,
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
        four_eyes: bool = False,
        reviewers: str | Sequence[str] | None = None,
        workers: int | None = None,
        delivery_task_id: str | None = None,
        store_conn_id: str = "smsflow_store",
        **kwargs: Any,
    ) -> None:
        check_rules(exclude=exclude, weight=weight)
        super().__init__(**kwargs)
        self.audience = audience
        self.template = template
        self.gateway_conn_id = gateway_conn_id
        self.delivery_label = label
        self.region = region
        self.typology = typology
        self.exclude = exclude
        self.weight = weight
        self.budget = budget
        self.is_dry_run = dry_run
        self.four_eyes = four_eyes
        self.reviewers = reviewers
        self.workers = workers
        self.delivery_task_id = delivery_task_id
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Prepare, and fail for good if the preparation found an error."""
        from smsflow_provider.core.delivery.identity import delivery_id_of  # noqa: PLC0415
        from smsflow_provider.core.model import DeliveryKind  # noqa: PLC0415
        from smsflow_provider.core.preparation.prepare import is_begun, prepare  # noqa: PLC0415
        from smsflow_provider.core.preparation.review import counts_of  # noqa: PLC0415
        from smsflow_provider.core.states import DeliveryState  # noqa: PLC0415
        from smsflow_provider.core.store.deliveries import ensure_delivery  # noqa: PLC0415

        origin = origin_of(context, task_id=self.delivery_task_id or self.task_id)
        # Stopped by a person, or overtaken: another try would undo what they did.
        with final_errors(SupersededError):
            store = StoreHook(self.store_conn_id).store()
            preparation = self._preparation(context, store)
            delivery = ensure_delivery(
                store,
                delivery_id_of(origin),
                kind=DeliveryKind.CAMPAIGN,
                label=preparation.settings.label,
                origin=origin,
                actor=actor_of(context),
            )
            context["ti"].xcom_push(key="delivery", value=delivery.id)
            if is_begun(delivery):
                self.log.warning(
                    "The delivery has begun to send and stays as it is: start a new run"
                )
                return counts_of(delivery)
            delivery = prepare(store, delivery.id, preparation, actor=actor_of(context))
        errors = self._tell(store, delivery)
        if delivery.state is DeliveryState.PREPARATION_FAILED:
            raise AirflowFailException(f"Nothing to review, there are errors: {'; '.join(errors)}")
        return counts_of(delivery)

    def _preparation(self, context: Context, store: Store) -> Preparation:
        from smsflow_provider.core.audience.reference import AudienceReference  # noqa: PLC0415
        from smsflow_provider.core.content.template import find_template  # noqa: PLC0415
        from smsflow_provider.core.preparation.budgets import read_budgets  # noqa: PLC0415
        from smsflow_provider.core.preparation.prepare import Preparation  # noqa: PLC0415
        from smsflow_provider.core.preparation.prices import read_prices  # noqa: PLC0415
        from smsflow_provider.hooks.audience import (  # noqa: PLC0415
            open_audience,
            read_listed_audiences,
        )

        config = SmsflowConfig.read()
        template = find_template(self.template, config.templates)
        reference = AudienceReference.from_dict(self.audience)
        settings = self._settings(context, template, config)
        listed = read_listed_audiences(
            store,
            settings.population.audiences,
            region=settings.region or template.settings.region,
        )
        return Preparation(
            template=template,
            settings=settings,
            **self._ways_out(settings.gateway, template),
            audience=reference.as_dict(),
            rows=open_audience(reference),
            excluded_audiences={each.name: each.numbers for each in listed},
            notes=[line for each in listed for line in each.lines()],
            prices=read_prices(config.rules),
            budgets=read_budgets(config.rules),
            on_progress=lambda counts: self.log.info("Preparing: %s", counts),
        )

    def _ways_out(self, gateway: str, template: Template) -> dict[str, Any]:
        """Read the delivery's gateway, and the one it may fail over to: both must be usable."""
        from smsflow_provider.core.gateways.registry import make_dialect  # noqa: PLC0415
        from smsflow_provider.core.preparation.leaving import Leaving, Rate  # noqa: PLC0415

        failover = template.settings.sending.failover
        conn_ids = [gateway, *([failover.gateway] if failover else [])]
        read = [(conn_id, *SmsGatewayHook(conn_id).read()) for conn_id in conn_ids]
        dialects = [make_dialect(conn_type, settings) for _, conn_type, settings in read]
        rates = [
            Rate(
                conn_id=conn_id,
                parts_per_s=settings.parts_per_s,
                sender_parts_per_s=settings.sender_parts_per_s,
            )
            for conn_id, _, settings in read
        ]
        return {
            "dialect": dialects[0],
            "second_dialect": dialects[1] if failover else None,
            "leaving": Leaving(rates=rates, workers=self.workers),
        }

    def _settings(self, context: Context, template: Template, config: SmsflowConfig) -> Any:
        from smsflow_provider.core.preparation.settings import PreparationSettings  # noqa: PLC0415

        settings = PreparationSettings(
            label=self.delivery_label or template.settings.label or template.name,
            gateway=self.gateway_conn_id or template.settings.gateway or "sms_gateway",
            region=self.region,
            dry_run=bool(self.is_dry_run or flag_of(context, "dry_run")),
            allowed=config.allowed,
            has_public_url=bool(config.public_url),
            four_eyes=self.four_eyes or config.four_eyes,
            reviewers=tuple(listed(self.reviewers)),
            workflow=dag_id_of(context),
        )
        return with_rules(
            settings,
            template,
            config=config,
            typology=self.typology,
            exclude=self.exclude,
            weight=self.weight,
            budget=self.budget,
        )

    def _tell(self, store: Store, delivery: Any) -> list[str]:
        """Repeat the delivery's log in the task's; returns its errors."""
        from smsflow_provider.core.store.deliveries import read_log  # noqa: PLC0415

        levels = {"info": self.log.info, "warning": self.log.warning, "error": self.log.error}
        lines = read_log(store, delivery)
        for line in lines:
            levels[line["level"]]("%s", line["problem"])
        return [line["problem"] for line in lines if line["level"] == "error"]
