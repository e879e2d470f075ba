"""The contract suite of dialects that can ask for receipts. Pure: no socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import pytest

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Dialect, Feature, HttpResponse, Poll
from smsflow_provider.core.model import Receipt
from smsflow_provider.testing.dialect_contract import SECRET


class PollingDialect(Dialect, Poll, Protocol):
    """A dialect with polls."""


class PollContract(ABC):
    """What every poll does. No receipt may be lost, so a cursor only moves over what was read."""

    @abstractmethod
    def dialect(self) -> PollingDialect:
        """Make the dialect under test, with `SECRET` as its password."""

    @abstractmethod
    def page(self, receipts: Sequence[Receipt], *, cursor: str) -> HttpResponse:
        """Make the answer that brings *receipts*, and *cursor* as the next place if it has one."""

    @abstractmethod
    def receipts(self) -> list[Receipt]:
        """Give two receipts as the gateway can tell them."""

    def cursor(self) -> str:
        """Give a place as the gateway makes them."""
        return "2"

    def test_the_poll_is_one_of_its_features(self) -> None:
        """Maintenance reads the features."""
        dialect = self.dialect()

        assert Feature.POLL in dialect.features
        assert isinstance(dialect, Poll)

    def test_asks_from_the_beginning_and_from_a_place(self) -> None:
        """And shows no secret."""
        dialect = self.dialect()
        requests = [dialect.write_poll(""), dialect.write_poll(self.cursor())]

        assert requests[0] != requests[1]
        assert not any(SECRET in each.url + repr(each) for each in requests)

    def test_reads_every_receipt_and_the_next_place(self) -> None:
        """In any order; they are applied as monotonic moves."""
        receipts = self.receipts()
        page = self.dialect().read_poll("", self.page(receipts, cursor=self.cursor()))

        assert sorted(receipts, key=repr) == sorted(page.receipts, key=repr)
        assert page.cursor

    def test_an_empty_page_never_goes_back_to_the_beginning(self) -> None:
        """Everything would be read again, for ever."""
        cursor = self.cursor()
        page = self.dialect().read_poll(cursor, self.page([], cursor=cursor))

        assert ([], False) == (list(page.receipts), page.has_more)
        assert page.cursor

    @pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
    def test_a_failure_moves_nothing(self, status: int) -> None:
        """The cursor stays where it was."""
        with pytest.raises(GatewayError):
            self.dialect().read_poll(self.cursor(), HttpResponse(status=status))

    @pytest.mark.parametrize("body", [b"", b"<html>Hello</html>", b"\xff\x00", b"{}", b"null"])
    def test_an_answer_nobody_can_read_moves_nothing(self, body: bytes) -> None:
        """A receipt in it would be lost."""
        with pytest.raises(GatewayError):
            self.dialect().read_poll(self.cursor(), HttpResponse(status=200, body=body))
