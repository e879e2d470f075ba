"""Gateways over REST: health from what the store knows, a test of the connection, one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException

from smsflow_provider.core.errors import SendInterruptedError, SmsflowError
from smsflow_provider.core.gateways.registry import gateway_type, make_dialect
from smsflow_provider.core.gateways.settings import GatewaySettings
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.daily import parts_of_today
from smsflow_provider.core.store.gateway_health import GatewayHealth, read_health
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.dialects import known_gateways
from smsflow_provider.hooks.gateway import GatewayOutsideTasks
from smsflow_provider.hooks.meanings import meanings_of
from smsflow_provider.hooks.one_message import OneMessage as Wish
from smsflow_provider.hooks.one_message import send_test_message
from smsflow_provider.plugins.api.access import (
    StoreDep,
    check_reader,
    may_read,
    may_send_all,
    name_of,
)
from smsflow_provider.plugins.api.idempotent import Key
from smsflow_provider.plugins.api.models.gateways import (
    DailyCap,
    GatewayCircuit,
    GatewayDelivery,
    GatewayHour,
    GatewayPace,
    Gateways,
    GatewaySummary,
    GatewayTest,
    GatewayTested,
    OneMessage,
    OneMessageSent,
)
from smsflow_provider.plugins.api.problems import wrong_input
from smsflow_provider.plugins.api.teams import team_of_connection

router = APIRouter(tags=["gateways"])

_RESULTS = ("accepted", "failed", "unknown", "cancelled", "expired")


def may_see_connection(user: BaseUser, conn_id: str) -> bool:
    """Whether *user* may see the connection *conn_id* in Airflow."""
    details = ConnectionDetails(conn_id=conn_id, team_name=team_of_connection(conn_id))
    return get_auth_manager().is_authorized_connection(method="GET", details=details, user=user)


def tested_gateway(conn_id: str, user: GetUserDep) -> str:
    """
    Name a gateway that the caller may test.

    Raises:
        HTTPException: 403; the caller may not see the connection, or not send every delivery.
    """
    if not (may_send_all(user) and may_see_connection(user, conn_id)):
        raise HTTPException(
            403, "only who may send every delivery and see this connection may test it"
        )
    return conn_id


TestedGatewayDep = Annotated[str, Depends(tested_gateway)]


@router.get("/gateways", dependencies=[Depends(check_reader)])
def read_gateways(store: StoreDep, user: GetUserDep) -> Gateways:
    """
    List the gateways of deliveries of the last month, and the connections the caller may see.

    All that is said comes from the store: no gateway is asked.
    """
    used, others = known_gateways(store)
    names = sorted({*used, *(name for name in others if may_see_connection(user, name))})
    health = read_health(store, names)
    return Gateways(
        gateways=[_summary(name, health[name], user) for name in names],
        daily=DailyCap(parts=parts_of_today(store), cap=SmsflowConfig.read().daily_cap),
    )


@router.post("/gateways/{conn_id}/test")
def check_gateway(conn_id: TestedGatewayDep, _: GatewayTest) -> GatewayTested:
    """Ask the gateway whether it takes the login, or open a socket. No message is sent."""
    is_ok, message = GatewayOutsideTasks(conn_id).test_connection()
    return GatewayTested(is_ok=is_ok, message=message)


@router.post("/gateways/{conn_id}/test-message", status_code=201)
def create_test_message(
    conn_id: TestedGatewayDep, given: OneMessage, key: Key, store: StoreDep, user: GetUserDep
) -> OneMessageSent:
    """
    Send one text to one number, now; recorded as an act of the caller.

    The switch, the allow-list of this environment and the daily cap hold.
    """
    author = name_of(user)
    wish = Wish(to=given.to, text=given.text, sender=given.sender, region=given.region)
    with store.transaction() as connection:
        facts = {"gateway": conn_id}
        write_audit(connection, actor=author, action="test_message", facts=facts)
    try:
        with wrong_input():
            report = send_test_message(store, conn_id, wish, author=author, key=key)
    except SendInterruptedError:
        raise HTTPException(503, "it has not left yet: send the same request again") from None
    return _sent(report, meaning_of=meanings_of([conn_id]))


def _sent(report: dict[str, Any], *, meaning_of: Callable[[str], str]) -> OneMessageSent:
    result = next((name for name in _RESULTS if report[name]), "waiting")
    causes = report.get("causes") or [{}]
    code = "" if result == "accepted" else str(causes[0].get("code", ""))
    return OneMessageSent(
        delivery=report["delivery"],
        result=result,
        code=code,
        meaning=meaning_of(code),
        parts=report["parts"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """What may be said of a connection."""

    conn_type: str | None = None
    kind: str | None = None
    problem: str = ""
    features: tuple[str, ...] = ()
    settings: GatewaySettings | None = None


def _read(conn_id: str) -> _Connection:
    try:
        conn_type, settings = GatewayOutsideTasks(conn_id).read()
        dialect = make_dialect(conn_type, settings)
    except SmsflowError as error:
        # The facts name fields and hosts; the sentence alone says what to mend.
        return _Connection(problem=error.problem)
    return _Connection(
        conn_type=conn_type,
        kind=gateway_type(conn_type).label,
        features=tuple(sorted(one.value for one in dialect.features)),
        settings=settings,
    )


def _summary(conn_id: str, health: GatewayHealth, user: BaseUser) -> GatewaySummary:
    is_seen = may_see_connection(user, conn_id)
    known = _read(conn_id) if is_seen else _Connection()
    settings = known.settings
    busy = [one for one in health.busy if may_read(user, one.dag_id)]
    return GatewaySummary(
        conn_id=conn_id,
        conn_type=known.conn_type,
        kind=known.kind,
        problem=known.problem,
        features=list(known.features),
        circuit=GatewayCircuit(
            is_open=health.circuit.is_open,
            failures=health.circuit.failures,
            code=health.circuit.code,
            changed_at=health.circuit.changed_at,
        ),
        pace=GatewayPace(
            parts_per_s=round(health.parts_per_s, 1),
            limit_parts_per_s=settings.parts_per_s if settings else None,
            sender_limit_parts_per_s=settings.sender_parts_per_s if settings else None,
            factor=health.factor,
            is_throttled=health.is_throttled,
        ),
        last_hour=_hour(health),
        last_receipt_at=health.last_receipt_at,
        deliveries=[
            GatewayDelivery(id=one.id, label=one.label, dag_id=one.dag_id, state=one.state)
            for one in busy
        ],
        more_deliveries=len(health.busy) - len(busy),
        may_test=is_seen and not known.problem and may_send_all(user),
    )


def _hour(health: GatewayHealth) -> GatewayHour:
    settled = health.accepted + health.failed + health.unknown
    wrong = health.failed + health.unknown
    return GatewayHour(
        accepted=health.accepted,
        failed=health.failed,
        unknown=health.unknown,
        receipts=health.receipts,
        error_rate=round(wrong / settled, 4) if settled else None,
    )
