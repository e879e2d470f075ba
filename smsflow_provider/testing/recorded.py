"""
Recorded answers of gateways, as files: what came, and what it means.

Each is a JSON object with ``about``, ``status``, ``headers``, ``body`` and ``expected``: a ``kind``
(accepted, failed, unknown, not_sent) or the ``error`` that is raised, a ``code``, and where they
matter ``gateway_ref``, ``retry_after_s`` and ``is_own``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Dialect, HttpResponse
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.model import Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One answer of a gateway."""

    #: Of the file.
    name: str
    response: HttpResponse = field(repr=False)
    expected: dict[str, Any]


def read_recorded(folder: Path) -> list[Recorded]:
    """
    Read the answers of *folder*, in the order of their names.

    Raises:
        AssertionError: There is none: a suite that reads nothing would be green.
    """
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    assert found, f"no recorded answers in {folder.name}"
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
        is_own=expected.get("is_own", False),
    )


def _read(path: Path) -> Recorded:
    document = json.loads(path.read_text("utf-8"))
    response = HttpResponse(
        status=document["status"], headers=document["headers"], body=document["body"].encode()
    )
    return Recorded(name=path.stem, response=response, expected=document["expected"])
