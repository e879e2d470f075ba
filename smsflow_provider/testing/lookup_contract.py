"""The contract suite of dialects that can ask what became of a message. Pure: no socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import (
    Asked,
    Dialect,
    Feature,
    HttpResponse,
    Known,
    LookUp,
)
from smsflow_provider.testing.dialect_contract import SECRET
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class AskingDialect(Dialect, LookUp, Protocol):
    """A dialect with look-ups."""


class LookUpContract(ABC):
    """
    What every look-up does.

    One rule stands above the others: "not taken" is only said by an answer that says so. It
    lets a message go again, and a wrong one texts somebody twice.
    """

    @abstractmethod
    def dialect(self) -> AskingDialect:
        """Make the dialect under test, with `SECRET` as its password and `NOON` as its time."""

    @abstractmethod
    def knowing(self, asked: Asked, *, gateway_ref: str) -> HttpResponse:
        """Make the answer about the one message of *asked*: taken, under *gateway_ref*."""

    @abstractmethod
    def knowing_nothing(self) -> HttpResponse:
        """Make the whole, sound answer of a gateway that took nothing of what it is asked."""

    def gateway_ref(self) -> str:
        """Give an id as the gateway makes them."""
        return "ref-1"

    def asked(self, number: int = 1) -> Asked:
        """Make a question old enough for every answer to be believed."""
        age = timedelta(seconds=self.dialect().lookup_after_s + 60)
        return Asked(message=example_message(number), handed_over_at=NOON - age)

    def test_the_look_up_is_one_of_its_features(self) -> None:
        """Preparation reads the features, sending the methods."""
        dialect = self.dialect()

        assert Feature.LOOKUP in dialect.features
        assert isinstance(dialect, LookUp)
        assert 1 <= dialect.lookup_batch
        assert 0 <= dialect.lookup_after_s

    def test_asks_the_same_question_the_same_way(self) -> None:
        """Nothing but the question and the settings goes into it."""
        asked = [self.asked()]

        assert self.dialect().write_lookup(asked) == self.dialect().write_lookup(asked)

    def test_a_question_shows_no_secret_no_phone_and_no_text(self) -> None:
        """A number may be in its URL if the gateway knows no other way, but never in a repr."""
        asked = self.asked()
        request = self.dialect().write_lookup([asked])
        shown = repr(request)

        assert SECRET not in request.url + shown
        assert asked.message.to.strip("+") not in shown
        assert asked.message.body not in shown
        assert asked.message.body not in request.url

    def test_a_message_that_was_taken_is_found_with_its_reference(self) -> None:
        """Its receipts may carry nothing else."""
        asked, ref = self.asked(), self.gateway_ref()
        (found,) = self.dialect().read_lookup([asked], self.knowing(asked, gateway_ref=ref))

        assert (asked.message.id, Known.TAKEN) == (found.message_id, found.known)
        assert ref == found.gateway_ref
        assert found.receipt is None or found.receipt.message_id == asked.message.id

    def test_a_message_the_gateway_does_not_know_is_not_taken(self) -> None:
        """Or unsure, where the gateway forgets or its list lags."""
        asked = self.asked()
        (found,) = self.dialect().read_lookup([asked], self.knowing_nothing())

        assert asked.message.id == found.message_id
        assert found.known in {Known.NOT_TAKEN, Known.UNSURE}
        assert ("", None) == (found.gateway_ref, found.receipt)

    def test_each_message_has_its_place(self) -> None:
        """Callers pair what is found with messages by place."""
        count = min(3, self.dialect().lookup_batch)
        asked = [self.asked(number) for number in range(1, count + 1)]
        ref = self.gateway_ref()
        found = self.dialect().read_lookup(asked, self.knowing(asked[-1], gateway_ref=ref))

        assert [each.message.id for each in asked] == [each.message_id for each in found]
        assert Known.TAKEN is found[-1].known
        assert all(each.known is not Known.TAKEN for each in found[:-1])

    @pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 408, 429, 500, 502, 503])
    def test_a_failure_never_means_not_taken(self, status: int) -> None:
        """Whatever its body says: it is not the gateway's answer to the question."""
        body = self.knowing_nothing().body
        self._check_no_verdict(HttpResponse(status=status, body=body))
        self._check_no_verdict(HttpResponse(status=status))

    @pytest.mark.parametrize(
        "body", [b"", b"<html>Hello</html>", b"\xff\x00", b"[]", b"{}", b"null", b'{"messages": 1}']
    )
    def test_an_answer_nobody_can_read_never_means_not_taken(self, body: bytes) -> None:
        """A success status alone says nothing about a message."""
        self._check_no_verdict(HttpResponse(status=200, body=body))

    def test_half_an_answer_never_means_not_taken(self) -> None:
        """What is missing may be the very message."""
        whole = self.knowing_nothing()
        half = HttpResponse(
            status=whole.status, headers=whole.headers, body=whole.body[: len(whole.body) // 2]
        )
        self._check_no_verdict(half)

    def _check_no_verdict(self, response: HttpResponse) -> None:
        asked, problem = self.asked(), ""
        try:
            verdicts = [each.known for each in self.dialect().read_lookup([asked], response)]
        except GatewayError as error:
            problem, verdicts = str(error), [Known.UNSURE]

        assert [Known.UNSURE] == verdicts
        assert asked.message.to not in problem
        assert SECRET not in problem
