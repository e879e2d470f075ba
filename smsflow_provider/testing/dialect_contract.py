"""The contract suite of dialects. Pure: nothing here opens a socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar
from urllib.parse import parse_qsl

import pytest

from smsflow_provider.core.errors import (
    GatewayError,
    MaybeSentError,
    NotSentError,
    RefusedError,
)
from smsflow_provider.core.gateways.base import (
    Dialect,
    Feature,
    HttpCallback,
    HttpRequest,
    HttpResponse,
)
from smsflow_provider.core.model import Encoding, Message, OutcomeKind, ReceiptKind
from smsflow_provider.testing.examples import example_message

#: The password the dialect under test must be made with; it must never show.
SECRET = "s3cret-never-shown"  # noqa: S105  it is the test's own


def words_of(request: HttpRequest) -> bytes:
    """Give the headers and the body of *request* as people read them; a form is decoded."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.body
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        body = repr(parse_qsl(body.decode("ascii"), keep_blank_values=True)).encode()
    return repr(dict(request.headers)).encode() + body


class DialectContract(ABC):
    """What every dialect does, whatever the vendor."""

    #: The gateway chooses the encoding by the text, and replaces nothing in it: no field says it.
    gateway_chooses_encoding: ClassVar[bool] = False

    @abstractmethod
    def dialect(self) -> Dialect:
        """Make the dialect under test, with `SECRET` as its password."""

    @abstractmethod
    def accepting(self, *ids: str) -> HttpResponse:
        """Make the answer that accepts messages with *ids*, in this order."""

    @abstractmethod
    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        """Make the call that reports *kind* for a message."""

    def batch(self) -> list[Message]:
        """Make a batch as large as the dialect takes, but no more than three messages."""
        count = min(3, self.dialect().max_batch)
        return [example_message(number) for number in range(1, count + 1)]

    def test_writes_the_same_request_for_the_same_batch(self) -> None:
        """Nothing but the batch and the settings goes into a request."""
        batch = self.batch()

        assert self.dialect().write(batch) == self.dialect().write(batch)

    def test_the_url_carries_no_phone_no_text_and_no_secret(self) -> None:
        """URLs end up in logs, here and at the gateway."""
        batch = self.batch()
        url = self.dialect().write(batch).url

        assert SECRET not in url
        assert not any(message.to.strip("+") in url for message in batch)
        assert not any(message.body in url or message.id in url for message in batch)

    def test_nothing_personal_or_secret_shows_in_a_repr(self) -> None:
        """Test reports, logs and tracebacks show reprs."""
        dialect, batch = self.dialect(), self.batch()
        shown = repr(dialect) + repr(dialect.write(batch))

        assert SECRET not in shown
        assert not any(message.to in shown or message.body in shown for message in batch)

    def test_everything_that_matters_is_in_the_request(self) -> None:
        """A field that is dropped in silence is a campaign that says something else."""
        (message,) = [example_message(body="Été à 5 €\n", sender="Boutique")]
        request = self.dialect().write([message])
        whole = words_of(request)

        assert message.to.strip("+").encode() in whole  # some gateways want no plus
        assert b"Boutique" in whole
        assert "Été à 5 €".encode() in whole

    def test_both_encodings_can_be_told_apart(self) -> None:
        """The gateway must not choose: it would replace what it cannot write."""
        gsm7, ucs2 = (example_message(encoding=encoding) for encoding in Encoding)
        dialect = self.dialect()
        differ = dialect.write([gsm7]) != dialect.write([ucs2])

        assert differ != self.gateway_chooses_encoding

    def test_accepts_what_the_gateway_accepted(self) -> None:
        """One outcome a message."""
        batch = self.batch()
        outcomes = self.dialect().read(batch, self.accepting(*(each.id for each in batch)))

        assert [each.id for each in batch] == [outcome.message_id for outcome in outcomes]
        assert {OutcomeKind.ACCEPTED} == {outcome.kind for outcome in outcomes}

    def test_answers_in_the_order_of_the_batch(self) -> None:
        """Callers pair outcomes with messages by place."""
        batch = self.batch()
        ids = [message.id for message in batch]
        outcomes = self.dialect().read(batch, self.accepting(*reversed(ids)))

        assert ids == [outcome.message_id for outcome in outcomes]

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_server_failure_is_doubtful(self, status: int) -> None:
        """The gateway may have queued the batch before it failed."""
        with pytest.raises(MaybeSentError):
            self.dialect().read(self.batch(), HttpResponse(status=status))

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_doubtful(self, status: int) -> None:
        """Nobody follows it, and who sent it is unknown."""
        headers = {"Location": "http://127.0.0.1/elsewhere"}
        with pytest.raises(MaybeSentError):
            self.dialect().read(self.batch(), HttpResponse(status=status, headers=headers))

    @pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"\xff\x00", b"[]", b"{}"])
    def test_an_answer_nobody_can_read_leaves_doubt(self, body: bytes) -> None:
        """A success status alone says nothing about a message."""
        batch = self.batch()
        try:
            outcomes = self.dialect().read(batch, HttpResponse(status=200, body=body))
        except MaybeSentError:
            return
        assert {OutcomeKind.UNKNOWN} == {outcome.kind for outcome in outcomes}

    def test_too_many_requests_may_go_again_after_the_time_asked_for(self) -> None:
        """A throttled batch was not taken."""
        response = HttpResponse(status=429, headers={"Retry-After": "7"})
        with pytest.raises(NotSentError) as caught:
            self.dialect().read(self.batch(), response)

        assert 7.0 == caught.value.facts["retry_after_s"]

    @pytest.mark.parametrize("status", [401, 403, 404, 405])
    def test_a_wrong_login_or_address_is_refused(self, status: int) -> None:
        """The whole request was refused; sending it again would not help."""
        with pytest.raises(RefusedError):
            self.dialect().read(self.batch(), HttpResponse(status=status))

    @pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
    def test_no_error_quotes_the_answer(self, status: int) -> None:
        """Gateways quote phones and texts in their complaints."""
        batch = self.batch()
        body = f"{batch[0].to} {batch[0].body}".encode()
        with pytest.raises(GatewayError) as caught:
            self.dialect().read(batch, HttpResponse(status=status, body=body))

        assert batch[0].to not in str(caught.value)
        assert batch[0].body not in str(caught.value)

    @pytest.mark.parametrize("kind", [ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED])
    def test_reads_the_last_receipt(self, kind: ReceiptKind) -> None:
        """The id comes from our own address, whose token was checked."""
        receipt = self.dialect().read_callback(self.callback("1-1-1", kind=kind))

        assert receipt is not None
        assert ("1-1-1", kind) == (receipt.message_id, receipt.kind)

    def test_refuses_a_call_the_gateway_does_not_make(self) -> None:
        """A call with our token but without sense is not a receipt."""
        with pytest.raises(ValueError, match=r"."):
            self.dialect().read_callback(HttpCallback(message_id="1-1-1", body=b"?"))

    def test_says_how_it_cuts_texts_of_each_encoding(self) -> None:
        """Preparation predicts the parts from it."""
        dialect = self.dialect()

        assert set(Encoding) == set(dialect.splitting)
        assert 1 <= dialect.max_batch
        assert set(Feature) >= dialect.features
