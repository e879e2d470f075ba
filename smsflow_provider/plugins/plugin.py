"""
The plugin: the dashboard in Airflow's pages; the REST API and the receiver under ``/smsflow``.

This module is imported in every task process: it loads nothing but itself. The application is
built when the API server asks for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from airflow.plugins_manager import AirflowPlugin

#: Airflow writes it on the tab.
_RUN_TAB = "SMS deliveries"


class SmsflowPlugin(AirflowPlugin):
    """What smsflow adds to Airflow's API server."""

    name = "smsflow"

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The application mounted at ``/smsflow``."""
        from smsflow_provider.plugins.app import application  # noqa: PLC0415  API server only

        return [{"app": application(), "url_prefix": "/smsflow", "name": "smsflow"}]

    @property
    def react_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """
        The dashboard: in the navigation, as a tab of each run, as a card of the home page.

        The names are those under which ``ui/src/main.tsx`` hands its components to Airflow.
        """
        bundle = {
            "bundle_url": f"smsflow/static/smsflow.js?v={_bundle_version()}",
            "icon": "smsflow/static/icon.svg",
            "icon_dark_mode": "smsflow/static/icon-dark.svg",
        }
        return [
            {**bundle, "name": "smsflow", "destination": "nav", "url_route": "smsflow"},
            # Airflow takes the first of a route, whatever the place: each has its own.
            {**bundle, "name": _RUN_TAB, "destination": "dag_run", "url_route": "smsflow_run"},
            {**bundle, "name": "smsflow_home", "destination": "dashboard"},
        ]

    @property
    def fastapi_root_middlewares(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Holds back an answer to a review that comes too early for Airflow."""
        from smsflow_provider.plugins.hold_back import HoldBackMiddleware  # noqa: PLC0415

        return [{"middleware": HoldBackMiddleware, "name": "smsflow: early answers"}]


@cache
def _bundle_version() -> str:
    """Name the content of the bundle, so that a browser keeps it until there is another one."""
    from hashlib import sha256  # noqa: PLC0415  every task process imports this module
    from importlib.resources import files  # noqa: PLC0415

    bundle = files("smsflow_provider.plugins").joinpath("www", "dist", "smsflow.js")
    return sha256(bundle.read_bytes()).hexdigest()[:12]
