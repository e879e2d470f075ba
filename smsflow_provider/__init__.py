"""
SMS campaigns from Apache Airflow: prepare, review, send once to each, see what happened.

The names below are loaded when first used: importing this package loads neither Airflow nor any
heavy library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smsflow_provider.compiler import compile_workflow as compile_workflow
    from smsflow_provider.compiler import load_workflows as load_workflows
    from smsflow_provider.compiler import maintenance_dag as maintenance_dag
    from smsflow_provider.core.audience.rules.fluent import col as col
    from smsflow_provider.core.audience.rules.fluent import everyone as everyone
    from smsflow_provider.core.audience.rules.fluent import link as link
    from smsflow_provider.core.audience.rules.fluent import saved as saved
    from smsflow_provider.core.audience.rules.to_frame_rows import apply_rules as apply_rules
    from smsflow_provider.core.workflow.spec import Workflow as Workflow
    from smsflow_provider.hooks.assets import delivery_asset as delivery_asset
    from smsflow_provider.notifications.sms import SmsNotifier as SmsNotifier
    from smsflow_provider.operators.build_audience import (
        BuildAudienceOperator as BuildAudienceOperator,
    )
    from smsflow_provider.operators.maintain import MaintainOperator as MaintainOperator
    from smsflow_provider.operators.prepare_delivery import (
        PrepareDeliveryOperator as PrepareDeliveryOperator,
    )
    from smsflow_provider.operators.report_delivery import (
        ReportDeliveryOperator as ReportDeliveryOperator,
    )
    from smsflow_provider.operators.send_delivery import (
        SendDeliveryOperator as SendDeliveryOperator,
    )
    from smsflow_provider.operators.send_proof import SendProofOperator as SendProofOperator
    from smsflow_provider.operators.send_sms import SendSmsOperator as SendSmsOperator
    from smsflow_provider.operators.sms_delivery import SmsDeliveryOperator as SmsDeliveryOperator
    from smsflow_provider.sensors.manual_approval import (
        ManualApprovalSensor as ManualApprovalSensor,
    )

_HOMES = {
    "BuildAudienceOperator": "operators.build_audience",
    "MaintainOperator": "operators.maintain",
    "ManualApprovalSensor": "sensors.manual_approval",
    "PrepareDeliveryOperator": "operators.prepare_delivery",
    "ReportDeliveryOperator": "operators.report_delivery",
    "SendDeliveryOperator": "operators.send_delivery",
    "SendProofOperator": "operators.send_proof",
    "SendSmsOperator": "operators.send_sms",
    "SmsDeliveryOperator": "operators.sms_delivery",
    "SmsNotifier": "notifications.sms",
    "Workflow": "core.workflow.spec",
    "apply_rules": "core.audience.rules.to_frame_rows",
    "col": "core.audience.rules.fluent",
    "compile_workflow": "compiler",
    "delivery_asset": "hooks.assets",
    "everyone": "core.audience.rules.fluent",
    "link": "core.audience.rules.fluent",
    "load_workflows": "compiler",
    "maintenance_dag": "compiler",
    "saved": "core.audience.rules.fluent",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
