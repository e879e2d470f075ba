"""
The plugin: the REST API, the review page and the receiver under ``/smsflow``.

This module is imported in every task process: it loads nothing but itself. The application is
built when the API server asks for it.
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class SmsflowPlugin(AirflowPlugin):
    """What smsflow adds to Airflow's API server."""

    name = "smsflow"

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The application mounted at ``/smsflow``."""
        from smsflow_provider.plugins.app import application  # noqa: PLC0415  API server only

        return [{"app": application(), "url_prefix": "/smsflow", "name": "smsflow"}]

    @property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Holds back an answer to a review that comes too early for Airflow."""
        from smsflow_provider.plugins.hold_back import HoldBackMiddleware  # noqa: PLC0415

        return [{"middleware": HoldBackMiddleware, "name": "smsflow: early answers"}]
