"""What Airflow tests a connection with."""

from __future__ import annotations

from smsflow_provider.hooks.gateway import SmsGatewayHook


class AcmeHook(SmsGatewayHook):
    """Acme: the connection type ``sms_acme``."""

    conn_type = "sms_acme"
    hook_name = "SMS gateway: Acme"
