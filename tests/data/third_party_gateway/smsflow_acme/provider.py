"""What Airflow asks a provider."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the package. Loads the form, no hook and no HTTP client."""
    from smsflow_acme.gateway import GATEWAY  # noqa: PLC0415

    return {
        "package-name": "smsflow-acme",
        "name": "Acme for smsflow",
        "description": "The SMS gateway of Acme.",
        "connection-types": [GATEWAY.form(hook_class_name="smsflow_acme.hook.AcmeHook")],
    }
