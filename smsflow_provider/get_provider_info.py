"""What Airflow asks a provider: connection types, configuration, the migration of the store."""

from __future__ import annotations

from typing import Any

_GATEWAY_HOOKS = {
    "sms_http": "smsflow_provider.hooks.gateway.HttpGatewayHook",
    "sms_kannel": "smsflow_provider.hooks.gateway.KannelHook",
    "sms_simulator": "smsflow_provider.hooks.gateway.SimulatorHook",
    "sms_twilio": "smsflow_provider.hooks.gateway.TwilioHook",
}


def get_provider_info() -> dict[str, Any]:
    """Describe the provider. Loads no heavy library."""
    # Not by the registry: it would load the gateways of other packages, which describe their own.
    from smsflow_provider.core.gateways.shipped import GATEWAYS  # noqa: PLC0415

    gateways = [kind.form(hook_class_name=_GATEWAY_HOOKS[kind.conn_type]) for kind in GATEWAYS]
    return {
        "package-name": "smsflow-provider",
        "name": "smsflow",
        "description": "SMS campaigns from Apache Airflow: prepare, review, send once to each.",
        "connection-types": [*gateways, _STORE],
        "hooks": [
            {
                "integration-name": "smsflow",
                "python-modules": [
                    "smsflow_provider.hooks.gateway",
                    "smsflow_provider.hooks.store",
                ],
            }
        ],
        "notifications": ["smsflow_provider.notifications.sms.SmsNotifier"],
        "db-managers": ["smsflow_provider.hooks.db_manager.SmsflowDBManager"],
        "config": {"smsflow": _CONFIG},
    }


_STORE: dict[str, Any] = {
    "connection-type": "smsflow_store",
    "hook-class-name": "smsflow_provider.hooks.store.StoreHook",
    "hook-name": "smsflow store (PostgreSQL)",
    "ui-field-behaviour": {
        "hidden-fields": [],
        "relabeling": {"schema": "Database"},
        "placeholders": {"port": "5432", "schema": "smsflow"},
    },
    "conn-fields": {
        "sslmode": {
            "label": "TLS mode",
            "description": "libpq's sslmode",
            "schema": {
                "type": ["string", "null"],
                "enum": [None, "disable", "prefer", "require", "verify-ca", "verify-full"],
                "default": None,
            },
        },
        "sslrootcert": {
            "label": "CA certificate",
            "description": "Path of the certificates that the server's is checked against",
            "schema": {"type": ["string", "null"], "default": None},
        },
    },
}


def _option(description: str, *, default: str, example: str, sensitive: bool = False) -> Any:
    option = {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": default,
    }
    return {**option, "sensitive": True} if sensitive else option


_CONFIG: dict[str, Any] = {
    "description": "Settings of smsflow, for all workflows of this installation.",
    "options": {
        "artifacts": _option(
            "Folder of audiences: a path or an object storage URL that every worker reaches."
            " Empty: the folder smsflow under AIRFLOW_HOME.",
            default="",
            example="s3://aws_default@bucket/smsflow",
        ),
        "templates": _option(
            "Folder of delivery templates (*.sms.j2). Empty: templates in the DAGs folder.",
            default="",
            example="/opt/airflow/dags/templates",
        ),
        "rules": _option(
            "Folder of the rules of deliveries: typologies/*.yaml, prices.csv or prices.yaml, and"
            " budgets.yaml. Empty: rules in the DAGs folder.",
            default="",
            example="/opt/airflow/dags/rules",
        ),
        "public_url": _option(
            "Where gateways reach Airflow's API server, or the receiver, for receipts, without"
            " /smsflow/receipts. Empty: no receipts come, and a delivery warns of it.",
            default="",
            example="https://airflow.example.com",
        ),
        "allowed_numbers": _option(
            "The only numbers that may be texted in this environment, with commas between;"
            " none for nobody. Empty: everybody.",
            default="",
            example="+33612345678, +33612345679",
            sensitive=True,
        ),
        "four_eyes": _option(
            "Whoever started or prepared a delivery may not approve it, whatever its workflow"
            " says.",
            default="False",
            example="True",
        ),
        "daily_cap": _option(
            "The most parts that all deliveries of this environment together hand over in one day"
            " (UTC), proofs and direct texts too. Empty or 0: no cap.",
            default="",
            example="250000",
        ),
        "retention_days": _option(
            "Messages of deliveries that ended more than so many days ago are archived and leave"
            " the store, 8 or more. Empty or 0: never.",
            default="",
            example="400",
        ),
        "replies_days": _option(
            "Replies that came more than so many days ago are forgotten, 30 or more; the opt-outs"
            " they brought stay. Empty or 0: never.",
            default="",
            example="400",
        ),
        "audience_days": _option(
            "Files of audiences that were built more than so many days ago are removed, 8 or more;"
            " never one of a saved audience, or of a delivery that has not ended. Empty or 0:"
            " never.",
            default="",
            example="90",
        ),
        "archive": _option(
            "Folder of the archive: a path or an object storage URL that maintenance reaches. Its"
            " files hold numbers and texts. Empty: the folder archive in artifacts; none: messages"
            " are dropped without files.",
            default="",
            example="s3://aws_default@bucket/smsflow/archive",
        ),
        "review_hold_s": _option(
            "Seconds for which an answer to a review is held back after the question: an answer"
            " within a second or two makes Airflow 3.3 fail the task.",
            default="7",
            example="7",
        ),
    },
}
