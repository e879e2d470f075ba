"""Recorded answers of gateways, as files: what came, and what it means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Dialect, HttpResponse
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.model import Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message

FOLDER = Path(__file__).parents[1] / "data" / "gateways"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    name: str
    response: HttpResponse
    expected: dict[str, Any]


def recorded_answers(gateway: str) -> list[Recorded]:
    found = [_read(path) for path in sorted((FOLDER / gateway).glob("*.json"))]
    assert found, f"no recorded answers of {gateway}"
    return found


def check_recorded(dialect: Dialect, recorded: Recorded) -> None:
    """Read the answer as one to message 1-1-1 and compare error type, outcome and code."""
    message = example_message(1)
    expected = recorded.expected
    error_name = ""
    try:
        (outcome,) = dialect.read([message], recorded.response)
    except GatewayError as error:
        error_name = type(error).__name__
        outcome = outcome_of(error, message_id=message.id)
    assert expected.get("error", "") == error_name
    assert _expected_outcome(expected, message.id) == outcome


_KINDS = {"NotSentError": "not_sent", "MaybeSentError": "unknown", "RefusedError": "failed"}


def _expected_outcome(expected: dict[str, Any], message_id: str) -> Outcome:
    kind = expected.get("kind") or _KINDS[expected["error"]]
    return Outcome(
        message_id=message_id,
        kind=OutcomeKind(kind),
        code=expected["code"],
        gateway_ref=expected.get("gateway_ref", ""),
        retry_after_s=expected.get("retry_after_s"),
    )


def _read(path: Path) -> Recorded:
    document = json.loads(path.read_text("utf-8"))
    response = HttpResponse(
        status=document["status"], headers=document["headers"], body=document["body"].encode()
    )
    return Recorded(name=path.stem, response=response, expected=document["expected"])
