"""The review of a delivery as a page: what the link in Airflow's required action opens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.content.durations import in_words
from smsflow_provider.core.delivery.leaving import leaving_of
from smsflow_provider.core.delivery.report import report, summaries_of
from smsflow_provider.core.preparation.cost import money
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.proofs import list_proofs
from smsflow_provider.plugins.api.access import DeliveryDep, StoreDep
from smsflow_provider.plugins.api.words import REASONS

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
#: Proofs the page lists, the newest.
_PROOFS = 20


@router.get("/deliveries/{delivery_id}")
def show_review(delivery: DeliveryDep, store: StoreDep) -> HTMLResponse:
    """Show one delivery to a person who may see its DAG."""
    return HTMLResponse(
        render_page(store, delivery, answer_url=_answer_url(delivery)), headers=_HEADERS
    )


def render_page(store: Store, delivery: Delivery, *, answer_url: str | None = None) -> str:
    """
    Write the page of one delivery: HTML that needs nothing else and runs no script.

    Args:
        answer_url: Where it is sent or rejected. None: nobody is asked.
    """
    shown = review(store, delivery.id)
    told: Any = _page().render(
        review={**shown, "samples": [_in_pieces(sample) for sample in shown["samples"]]},
        report=report(store, delivery.id, is_quick=True),
        leaving=leaving_of(delivery),
        proofs=_proofs(store, delivery),
        reasons=REASONS,
        origin=delivery.origin.dag_id,
        typology=_typology_of(delivery),
        senders=delivery.figures.get("senders", {}),
        languages=delivery.figures.get("languages", {}),
        silent_s=_silent_s(shown["progress"]),
        answer_url=answer_url,
    )
    return str(told)


@cache
def _page() -> Any:
    text = files("smsflow_provider.plugins").joinpath("www", "review.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["money"] = lambda amount, currency: money(Decimal(amount), currency)
    environment.filters["exact"] = lambda amount: f"{Decimal(amount).normalize():f}"
    environment.filters["duration"] = in_words
    environment.filters["plain"] = lambda number: f"{number:,g}"
    environment.filters["percent"] = lambda share: f"{100 * share:g} %"
    return environment.from_string(text)


def _in_pieces(sample: dict[str, Any]) -> dict[str, Any]:
    """Cut the text where its parts begin."""
    starts = [0, *sample["part_starts"], len(sample["text"])]
    return {**sample, "pieces": [sample["text"][a:b] for a, b in pairwise(starts)]}


def _proofs(store: Store, delivery: Delivery) -> list[dict[str, Any]]:
    """List the latest proofs, each with whether it shows what is prepared now."""
    listed = list_proofs(store, delivery, limit=_PROOFS)
    about = [proof.settings.get("proof", {}).get("fingerprint") for proof, _ in listed]
    return [
        {**summary, "is_current": fingerprint == delivery.fingerprint}
        for summary, fingerprint in zip(summaries_of(store, listed), about, strict=True)
    ]


def _typology_of(delivery: Delivery) -> str:
    """Say what people call its rules. Empty: there are none."""
    label = delivery.settings.get("typology", {}).get("label", "")
    return str(label or delivery.settings.get("typology_name", ""))


def _silent_s(progress: Mapping[str, Any] | None) -> int:
    """Seconds since a preparation was heard of; 0 where none is under way."""
    if progress is None:
        return 0
    heard = datetime.fromisoformat(progress["told_at"] or progress["begun_at"])
    return max(0, int((utc_now() - heard).total_seconds()))


def _answer_url(delivery: Delivery) -> str | None:
    """Where the questions of the run are answered, while the delivery waits for it."""
    if delivery.state is not DeliveryState.READY:
        return None
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    dag_id, run_id = quote(delivery.origin.dag_id, safe=""), quote(delivery.origin.run_id, safe="")
    return f"{base}/dags/{dag_id}/runs/{run_id}/required_actions?response_received=false"
