"""
Contract suites: an implementation is done when its suite is green.

Inherit in a test module, name the class ``Test…``, and give the abstract methods. Needs pytest.
"""

from __future__ import annotations

from smsflow_provider.testing.dialect_contract import SECRET, DialectContract
from smsflow_provider.testing.transport_contract import TransportContract

__all__ = ["SECRET", "DialectContract", "TransportContract"]
