"""The contract suite of dialects whose gateway signs its calls. Pure: no socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Protocol

import pytest

from smsflow_provider.core.gateways.base import Dialect, Feature, HttpCallback, SignedCalls

ADDRESS = "https://sms.example/smsflow/receipts/gateway?m=1-1-1&t=abc_-9"


class SignedDialect(Dialect, SignedCalls, Protocol):
    """A dialect that checks signatures."""


class SignedCallsContract(ABC):
    """What every check of a signature does. It answers, and never raises."""

    @abstractmethod
    def signed_dialect(self, *, secret: str) -> SignedDialect:
        """Make the dialect under test, whose gateway signs with *secret*; empty: there is none."""

    @abstractmethod
    def signed_call(self, *, secret: str) -> HttpCallback:
        """Make a call to `ADDRESS` with a body, signed with *secret* as the gateway signs."""

    #: Headers of the signature; what is in others is not signed.
    signature_headers: tuple[str, ...]

    def test_the_signature_is_one_of_its_features(self) -> None:
        """The receiver reads the features."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own

        assert Feature.SIGNED_CALLS in dialect.features
        assert isinstance(dialect, SignedCalls)

    def test_a_call_of_the_gateway_is_signed(self) -> None:
        """Whatever the case of the header names, and for as often as it comes."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own
        call = self.signed_call(secret="right")  # noqa: S106  a test's own
        lowered = {name.lower(): value for name, value in call.headers.items()}

        assert dialect.is_signed(call)
        assert dialect.is_signed(replace(call, headers=lowered))

    def test_another_secret_is_not_the_gateways(self) -> None:
        """Anybody can sign with a secret of his own."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own

        assert not dialect.is_signed(self.signed_call(secret="wrong"))  # noqa: S106
        assert not dialect.is_signed(self.signed_call(secret=""))

    def test_without_a_secret_nothing_is_signed(self) -> None:
        """An empty key is one that everybody has."""
        dialect = self.signed_dialect(secret="")

        assert not dialect.is_signed(self.signed_call(secret=""))
        assert not dialect.is_signed(self.signed_call(secret="right"))  # noqa: S106

    def test_what_was_changed_on_the_way_is_not_signed(self) -> None:
        """Neither the body nor the address, which carries the id of the message."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own
        call = self.signed_call(secret="right")  # noqa: S106  a test's own

        assert not dialect.is_signed(replace(call, body=call.body + b"0"))
        assert not dialect.is_signed(replace(call, body=b""))
        assert not dialect.is_signed(replace(call, url=call.url.replace("1-1-1", "1-1-2")))

    @pytest.mark.parametrize("value", ["", "=", "AAAA", "é", "\x00", "x" * 100_000])
    def test_a_signature_that_is_none_is_refused(self, value: str) -> None:
        """Without an error: it comes from outside."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own
        call = self.signed_call(secret="right")  # noqa: S106  a test's own
        for name in self.signature_headers:
            assert not dialect.is_signed(replace(call, headers={**call.headers, name: value}))

    def test_a_call_without_a_signature_is_refused(self) -> None:
        """A missing header is no reason to believe."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own
        call = self.signed_call(secret="right")  # noqa: S106  a test's own
        kept = {k: v for k, v in call.headers.items() if k not in self.signature_headers}

        assert not dialect.is_signed(replace(call, headers=kept))

    @pytest.mark.parametrize("url", ["", "?", "http://[", "https://a:b/", "https://a:99999999/"])
    @pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"%", b"&&&=", b"a=1&a=2", b"{"])
    def test_nothing_that_comes_from_outside_breaks_it(self, url: str, body: bytes) -> None:
        """It comes before anything else is read."""
        dialect = self.signed_dialect(secret="right")  # noqa: S106  a test's own
        call = self.signed_call(secret="right")  # noqa: S106  a test's own

        assert not dialect.is_signed(replace(call, url=url, body=body))
