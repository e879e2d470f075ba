"""
What the demo makes up of last week: the former run that a review is compared with.

Prepared here, straight by the core, without Airflow, and rejected at once: nothing of it can
leave, and it takes nothing of a budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from smsflow_provider.cli.demo.crm import Customer
from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.read import AudienceFile
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.content.template import Template, find_template
from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.preparation.budgets import read_budgets
from smsflow_provider.core.preparation.prepare import Preparation, prepare
from smsflow_provider.core.preparation.prices import read_prices
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.typology_file import find_typology
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, ensure_delivery, find_delivery

#: What the workflow selects of a customer.
_COLUMNS = ("customer_id", "first_name", "phone", "language", "loyalty_points")
_TEMPLATE = "spring_sale"
_MANAGER = "manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customers:
    """The customers there were, as a source of an audience."""

    customers: Sequence[Customer]
    label: str = "customers"

    def batches(self) -> Iterator[Any]:
        """Hand out all of them."""
        yield batch_of(_COLUMNS, map(attrgetter(*_COLUMNS), self.customers))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRun:
    """The run of a week ago: fewer customers, and another offer in the text."""

    dag_id: str
    #: The example workflows, with their templates and rules.
    dags: Path
    #: A folder of its own, for its audience and its template.
    folder: Path
    dialect: Dialect
    #: Words of the template today, and what stood there a week ago.
    then: tuple[str, str] = ("20%", "15%")

    def prepare(self, store: Store, customers: Sequence[Customer]) -> Delivery:
        """
        Prepare the delivery of that run, and reject it.

        Raises:
            SmsflowError: It cannot be prepared; the facts say why.
        """
        audience = self._audience(customers)
        template = self._template()
        origin = Origin(dag_id=self.dag_id, run_id="last-week", task_id="sms")
        delivery = ensure_delivery(
            store,
            delivery_id_of(origin),
            kind=DeliveryKind.CAMPAIGN,
            label=template.settings.label or template.name,
            origin=origin,
            actor=_MANAGER,
        )
        preparation = self._preparation(template, audience)
        found = prepare(store, delivery.id, preparation, actor=_MANAGER)
        if found.fingerprint is None:
            raise SmsflowError("the run of last week cannot be prepared", delivery=found.id)
        decide(
            store,
            found.id,
            fingerprint=found.fingerprint,
            decision=Decision.REJECT,
            decided_by=_MANAGER,
            comment="15% is too little",
            via="demo",
        )
        return find_delivery(store, found.id)

    def _template(self) -> Template:
        """Read the template as it was."""
        now, before = self.then
        folder = self.dags / "templates"
        copy = self.folder / "templates"
        for source in [*folder.glob(f"{_TEMPLATE}.*"), *folder.glob("blocks/*")]:
            target = copy / source.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8").replace(now, before)
            target.write_text(text, encoding="utf-8")
        return find_template(_TEMPLATE, copy)

    def _audience(self, customers: Sequence[Customer]) -> AudienceReference:
        """Freeze the customers there were."""
        source = _Customers(customers=customers)
        target = self.folder / "customers.parquet"
        built = build_audience(source, target=target, id_column="customer_id")
        assert built is not None  # nobody would be an error
        return built

    def _preparation(self, template: Template, audience: AudienceReference) -> Preparation:
        rules = self.dags / "rules"
        name, typology = find_typology(template.settings.typology, rules)
        return Preparation(
            template=template,
            settings=PreparationSettings(
                label=template.settings.label or template.name,
                gateway=template.settings.gateway or "",
                region=template.settings.region,
                has_public_url=True,
                typology_name=name,
                typology=typology,
                population=typology.population,
                workflow=self.dag_id,
            ),
            dialect=self.dialect,
            audience=audience.as_dict(),
            rows=AudienceFile(reference=audience, open_file=_open),
            prices=read_prices(rules),
            budgets=read_budgets(rules),
        )


def _open(uri: str) -> BinaryIO:
    return Path(uri.removeprefix("file://")).open("rb")
