"""
Contract suites: an implementation is done when its suite is green.

Inherit in a test module, name the class ``Test…``, and give the abstract methods. Needs pytest.
"""

from __future__ import annotations

from smsflow_provider.testing.dialect_contract import SECRET, DialectContract
from smsflow_provider.testing.error_table_contract import ErrorTableContract
from smsflow_provider.testing.lookup_contract import LookUpContract
from smsflow_provider.testing.poll_contract import PollContract
from smsflow_provider.testing.replies_contract import RepliesContract
from smsflow_provider.testing.signed_calls_contract import SignedCallsContract
from smsflow_provider.testing.transport_contract import TransportContract

__all__ = [
    "SECRET",
    "DialectContract",
    "ErrorTableContract",
    "LookUpContract",
    "PollContract",
    "RepliesContract",
    "SignedCallsContract",
    "TransportContract",
]
