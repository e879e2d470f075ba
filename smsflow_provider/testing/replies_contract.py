"""The contract suite of dialects that read what people write back. Pure: no socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import pytest

from smsflow_provider.core.gateways.base import Dialect, Feature, HttpCallback, Replies
from smsflow_provider.core.model import Reply

SENDER = "+447700900123"
RECIPIENT = "+447700900999"


class ListeningDialect(Dialect, Replies, Protocol):
    """A dialect that passes on replies."""


class RepliesContract(ABC):
    """What every reader of replies does. A STOP that gets lost is a law that is broken."""

    @abstractmethod
    def dialect(self) -> ListeningDialect:
        """Make the dialect under test."""

    @abstractmethod
    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        """Make the call that brings *body*, from `SENDER` to `RECIPIENT`."""

    @abstractmethod
    def receipt_call(self) -> HttpCallback:
        """Make a call of the gateway that is a receipt."""

    def gateway_ref(self) -> str:
        """Give an id as the gateway makes them; empty if it gives replies none."""
        return "reply-1"

    def test_replies_are_one_of_its_features(self) -> None:
        """The receiver reads the features."""
        dialect = self.dialect()

        assert Feature.REPLIES in dialect.features
        assert isinstance(dialect, Replies)

    @pytest.mark.parametrize(
        "body",
        [
            "STOP",
            " Stop! \n",
            "arrêt, s'il vous plaît",
            "Прекратить",
            "👎🏽",
            "a=b&c=d%20+e;f",
            "",
            "x" * 1600,
        ],
    )
    def test_reads_who_wrote_what_to_whom(self, body: str) -> None:
        """Character by character: what it means is decided elsewhere."""
        ref = self.gateway_ref()
        reply = self.dialect().read_reply(self.reply_call(body, gateway_ref=ref))

        assert isinstance(reply, Reply)
        assert SENDER.strip("+") == reply.sender.strip("+")
        assert RECIPIENT.strip("+") == reply.recipient.strip("+")
        assert (body, ref) == (reply.body, reply.gateway_ref)

    def test_who_wrote_and_what_never_shows(self) -> None:
        """Logs, tracebacks and test reports show reprs."""
        call = self.reply_call("please stop", gateway_ref=self.gateway_ref())
        shown = repr(call) + repr(self.dialect().read_reply(call))

        assert SENDER.strip("+") not in shown
        assert "please stop" not in shown

    def test_a_receipt_is_no_reply(self) -> None:
        """Both may come to one address."""
        assert self.dialect().read_reply(self.receipt_call()) is None

    @pytest.mark.parametrize("body", [b"?", b"", b"\xff\x00", b"{}", b"[]"])
    def test_refuses_a_call_the_gateway_does_not_make(self, body: bytes) -> None:
        """It says nothing about what the call held."""
        with pytest.raises(ValueError, match=r"."):
            self.dialect().read_reply(HttpCallback(body=body))
