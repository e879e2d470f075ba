"""The gateways that come with smsflow. Others come by entry points; see the registry."""

from __future__ import annotations

from smsflow_provider.core.gateways.base import Feature
from smsflow_provider.core.gateways.gateway_type import GatewayType
from smsflow_provider.core.gateways.generic import CHOSEN, GenericDialect, make_generic
from smsflow_provider.core.gateways.generic_settings import GenericSettings
from smsflow_provider.core.gateways.kannel import KannelDialect, KannelSettings
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.gateways.twilio import TwilioDialect, TwilioSettings

GATEWAYS = (
    GatewayType(
        conn_type="sms_http",
        label="SMS gateway: any, over HTTP",
        settings=GenericSettings,
        dialect=GenericDialect,
        make=make_generic,
        reads_by_connection=True,
        chosen=CHOSEN,
        is_described=True,
        relabeling={
            "login": "username in templates",
            "password": "password in templates",
            "schema": "Scheme",
        },
        placeholders={"host": "api.example.com", "schema": "https"},
    ),
    GatewayType(
        conn_type="sms_kannel",
        label="SMS gateway: Kannel",
        settings=KannelSettings,
        dialect=KannelDialect,
        make=lambda settings, now: KannelDialect(settings, now=now),
        relabeling={"login": "sendsms-user", "schema": "Scheme"},
        placeholders={"host": "kannel.example.com", "port": "13013", "schema": "http"},
    ),
    GatewayType(
        conn_type="sms_simulator",
        label="SMS gateway: smsflow simulator",
        settings=SimulatorSettings,
        dialect=SimulatorDialect,
        make=lambda settings, _now: SimulatorDialect(settings),
        hidden_fields=("login",),
        relabeling={"password": "API key", "schema": "Scheme"},
        placeholders={"host": "127.0.0.1", "port": "8890", "schema": "http"},
    ),
    GatewayType(
        conn_type="sms_twilio",
        label="SMS gateway: Twilio",
        settings=TwilioSettings,
        dialect=TwilioDialect,
        make=lambda settings, now: TwilioDialect(settings, now=now),
        reads_by_connection=True,
        chosen=frozenset({Feature.SIGNED_CALLS}),
        relabeling={
            "login": "Account SID or API key",
            "password": "Auth token or API key secret",
            "schema": "Scheme",
        },
        placeholders={"host": "api.twilio.com", "schema": "https"},
    ),
)
