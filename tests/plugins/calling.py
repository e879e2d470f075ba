"""Asking the API about one delivery, as the dashboard does."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from smsflow_provider.core.store.deliveries import Delivery
from tests.airflow.running import headers_of


def call(
    server: TestClient,
    delivery: Delivery,
    route: str,
    body: Any = None,
    *,
    user: str | None = "maria",
) -> Any:
    """Ask *route* of a delivery, with a *body* by POST; without a *user* nobody is logged in."""
    return server.request(
        "GET" if body is None else "POST",
        f"/smsflow/api/v1/deliveries/{delivery.id}/{route}".rstrip("/"),
        headers=headers_of(user) if user else {},
        json=body,
    )
