"""Airflow assets: an event when a delivery was sent, with its counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import Asset, AssetAlias

from smsflow_provider.core.model import FIGURES

if TYPE_CHECKING:
    from airflow.sdk import Context

_PREFIX = "smsflow://delivery/"
#: What an event tells of its delivery: ids and counts.
TOLD = (
    "delivery",
    "dag_id",
    "run_id",
    "targeted",
    "to_deliver",
    "parts",
    *FIGURES,
)


def delivery_asset(dag_id: str, task_id: str) -> Asset:
    """
    Name the asset of the deliveries of one SMS activity, for what is to run after them.

    ``DAG("shop.follow_up", schedule=[delivery_asset("shop.sale", "sms")])`` runs once a delivery
    of that activity was sent.

    Args:
        dag_id: The DAG of the activity; the workflow's id.
        task_id: The activity: the ``task_id`` of SmsDeliveryOperator, with the groups around it.

    Example:
        >>> delivery_asset("shop.sale", "sms").uri
        'smsflow://delivery/shop.sale/sms'
    """
    uri = f"{_PREFIX}{quote(dag_id)}/{quote(task_id)}"
    return Asset(name=uri, uri=uri, group="smsflow")


def delivery_alias(dag_id: str, task_id: str) -> AssetAlias:
    """Name the outlet of a report; an asset itself would get an event from every report."""
    return AssetAlias(name=f"{_PREFIX}{quote(dag_id)}/{quote(task_id)}", group="smsflow")


def tell_sent(context: Context, report: Mapping[str, Any]) -> bool:
    """
    Give the asset of this report's activity an event, if its delivery was sent to anybody.

    A dry run gives none, nor does a delivery that was rejected, stopped or reached nobody.
    A report that is cleared and runs again gives another one: ``extra["delivery"]`` names the same.

    Returns:
        Whether there is an event.
    """
    if report["state"] != "finished" or report["dry_run"] or not report["accepted"]:
        return False
    aliases = [
        each
        for each in context["task"].outlets
        if isinstance(each, AssetAlias) and each.name.startswith(_PREFIX)
    ]
    for alias in aliases:
        asset = Asset(name=alias.name, uri=alias.name, group="smsflow")
        extra = {name: report[name] for name in TOLD}
        context["outlet_events"][alias].add(asset, extra=extra)
    return bool(aliases)
