"""The review of a delivery as a page: what the link in Airflow's required action opens."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, StrictUndefined

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.preparation.cost import money
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep

router = APIRouter(include_in_schema=False)

#: The page loads nothing from anywhere and runs no script.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/deliveries/{delivery_id}")
def show_review(delivery: DeliveryDep, store: StoreDep) -> HTMLResponse:
    """Show one delivery to a person who may see its DAG."""
    shown = review(store, delivery.id)
    page = _page().render(
        review={**shown, "samples": [_in_pieces(sample) for sample in shown["samples"]]},
        report=report(store, delivery.id),
        answer_url=_answer_url(delivery),
    )
    return HTMLResponse(page, headers=_HEADERS)


@cache
def _page() -> Any:
    text = files("smsflow_provider.plugins").joinpath("www", "review.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["money"] = lambda amount, currency: money(Decimal(amount), currency)
    return environment.from_string(text)


def _in_pieces(sample: dict[str, Any]) -> dict[str, Any]:
    """Cut the text where its parts begin."""
    starts = [0, *sample["part_starts"], len(sample["text"])]
    return {**sample, "pieces": [sample["text"][a:b] for a, b in pairwise(starts)]}


def _answer_url(delivery: Delivery) -> str | None:
    """Where the questions of the run are answered, while the delivery waits for it."""
    if delivery.state is not DeliveryState.READY:
        return None
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    dag_id, run_id = quote(delivery.origin.dag_id, safe=""), quote(delivery.origin.run_id, safe="")
    return f"{base}/dags/{dag_id}/runs/{run_id}/required_actions?response_received=false"
