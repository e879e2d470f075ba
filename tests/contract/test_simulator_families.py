"""Every family of the simulator against the contracts of what it can do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

import pytest

from smsflow_provider.core.errors import MaybeSentError
from smsflow_provider.core.gateways.base import (
    Asked,
    Feature,
    HttpCallback,
    HttpResponse,
    Known,
)
from smsflow_provider.core.gateways.settings import Secret
from smsflow_provider.core.gateways.simulator import (
    ByRefDialect,
    EchoDialect,
    Family,
    OwnIdsDialect,
    PlainDialect,
    QueryDialect,
    SignedDialect,
    SimulatorDialect,
    SimulatorSettings,
)
from smsflow_provider.core.gateways.simulator_wire import SIGNATURE_HEADER, signature_of
from smsflow_provider.core.model import OutcomeKind, Receipt, ReceiptKind
from smsflow_provider.testing.contracts import (
    SECRET,
    DialectContract,
    LookUpContract,
    PollContract,
    RepliesContract,
    SignedCallsContract,
)
from smsflow_provider.testing.examples import example_message
from smsflow_provider.testing.lookup_contract import AskingDialect
from smsflow_provider.testing.replies_contract import RECIPIENT, SENDER
from smsflow_provider.testing.signed_calls_contract import ADDRESS

KINDS = {
    Family.BATCH: SimulatorDialect,
    Family.PLAIN: PlainDialect,
    Family.ECHO: EchoDialect,
    Family.QUERY: QueryDialect,
    Family.OWN_IDS: OwnIdsDialect,
    Family.BY_REF: ByRefDialect,
    Family.SIGNED: SignedDialect,
}


def settings_of(family: Family, *, secret: str = SECRET) -> SimulatorSettings:
    return SimulatorSettings(
        base_url="http://127.0.0.1:8890", password=Secret(secret), family=family.value
    )


def answer(*rows: dict[str, object]) -> HttpResponse:
    return HttpResponse(status=200, body=json.dumps({"messages": rows}).encode())


def call(row: dict[str, object], *, message_id: str = "") -> HttpCallback:
    return HttpCallback(message_id=message_id, body=json.dumps(row).encode())


@pytest.mark.parametrize("family", Family)
def test_the_dialect_is_that_of_the_family(family: Family) -> None:
    assert KINDS[family] is type(SimulatorDialect(settings_of(family)))


class _FamilyContract(DialectContract):
    family: Family
    #: Fields that this family leaves out of answers and of receipts.
    hidden_in_answers: tuple[str, ...] = ()
    hidden_in_receipts: tuple[str, ...] = ()

    def dialect(self) -> SimulatorDialect:
        return SimulatorDialect(settings_of(self.family))

    def accepting(self, *ids: str) -> HttpResponse:
        return answer(*map(self._accepted, ids))

    def _accepted(self, message_id: str) -> dict[str, object]:
        row = {"id": message_id, "status": "accepted", "ref": f"sim-{message_id}"}
        return {name: row[name] for name in row if name not in self.hidden_in_answers}

    def callback(self, message_id: str, *, kind: ReceiptKind) -> HttpCallback:
        row = {"id": message_id, "status": kind.value, "ref": "sim-1"}
        said = {k: v for k, v in row.items() if k not in self.hidden_in_receipts}
        return call({**said}, message_id=message_id)

    def test_an_answer_about_another_number_of_messages_leaves_doubt(self) -> None:
        """Nobody could tell which is which."""
        batch = self.batch()
        with contextlib.suppress(MaybeSentError):
            outcomes = self.dialect().read(batch, answer())
            assert {OutcomeKind.UNKNOWN} == {outcome.kind for outcome in outcomes}


class TestReplies(RepliesContract):
    def dialect(self) -> SimulatorDialect:
        return SimulatorDialect(settings_of(Family.PLAIN))

    def reply_call(self, body: str, *, gateway_ref: str) -> HttpCallback:
        row = {"type": "reply", "from": SENDER, "to": RECIPIENT, "text": body, "ref": gateway_ref}
        return call({**row})

    def receipt_call(self) -> HttpCallback:
        return call({"status": "delivered"}, message_id="1-1-1")

    @pytest.mark.parametrize("missing", ["from", "to", "text"])
    def test_half_a_reply_is_refused(self, missing: str) -> None:
        """Without quoting what it holds."""
        row = {"type": "reply", "from": SENDER, "to": RECIPIENT, "text": "a text"}
        del row[missing]
        with pytest.raises(ValueError, match="neither a reply nor a receipt") as caught:
            self.dialect().read_reply(call({**row}))

        assert SENDER not in str(caught.value)


class TestBatch(_FamilyContract, PollContract):
    family = Family.BATCH

    def receipts(self) -> list[Receipt]:
        return [
            Receipt(message_id="1-1-1", kind=ReceiptKind.DELIVERED, gateway_ref="sim-1"),
            Receipt(
                message_id="1-1-2",
                kind=ReceiptKind.UNDELIVERED,
                code="absent_subscriber",
                gateway_ref="sim-2",
                part=1,
                parts=3,
            ),
        ]

    def page(self, receipts: Sequence[Receipt], *, cursor: str) -> HttpResponse:
        rows = [self._row(one) for one in receipts]
        document = {"receipts": rows, "next": int(cursor), "more": False}
        return HttpResponse(status=200, body=json.dumps(document).encode())

    @staticmethod
    def _row(receipt: Receipt) -> dict[str, object]:
        row: dict[str, object] = {"status": receipt.kind.value, "code": receipt.code}
        row |= {"id": receipt.message_id} if receipt.message_id else {}
        row |= {"part": receipt.part, "parts": receipt.parts} if receipt.part else {}
        return {**row, "ref": receipt.gateway_ref}

    def test_a_row_that_is_no_receipt_does_not_hold_the_others_up(self) -> None:
        """The cursor would stay before it for good."""
        good = self._row(self.receipts()[0])
        rows = [{"id": "1-1-9", "status": "lost"}, 7, {"status": "delivered"}, good]
        document = {"receipts": rows, "next": 4, "more": True}
        response = HttpResponse(status=200, body=json.dumps(document).encode())
        page = self.dialect().read_poll("0", response)

        assert ([self.receipts()[0]], "4", True) == (
            list(page.receipts),
            page.cursor,
            page.has_more,
        )

    def test_a_page_that_does_not_go_on_is_the_last(self) -> None:
        """Else the poll would turn in a circle."""
        document = {"receipts": [], "next": 4, "more": True}
        response = HttpResponse(status=200, body=json.dumps(document).encode())

        assert not self.dialect().read_poll("4", response).has_more


class TestPlain(_FamilyContract):
    family = Family.PLAIN
    hidden_in_answers = ("id", "ref")
    hidden_in_receipts = ("id", "ref")

    def test_a_receipt_without_our_address_is_about_nothing(self) -> None:
        """Only the address says which message it is about."""
        with pytest.raises(ValueError, match="body"):
            self.dialect().read_callback(call({"status": "delivered"}))


class TestEcho(_FamilyContract):
    family = Family.ECHO
    hidden_in_answers = ("id", "ref")
    hidden_in_receipts = ("ref",)

    def test_a_receipt_about_another_message_is_refused(self) -> None:
        """It is said twice, in the address and in the body, so it can be compared."""
        received = call({"id": "1-1-2", "status": "delivered"}, message_id="1-1-1")
        with pytest.raises(ValueError, match="body"):
            self.dialect().read_callback(received)


class TestByRef(TestBatch):
    family = Family.BY_REF
    hidden_in_answers = ("id",)
    hidden_in_receipts = ("id",)

    def receipts(self) -> list[Receipt]:
        return [
            Receipt(message_id="", kind=ReceiptKind.DELIVERED, gateway_ref="sim-1"),
            Receipt(message_id="", kind=ReceiptKind.UNDELIVERED, gateway_ref="sim-2"),
        ]

    def test_a_receipt_names_the_gateways_own_id_only(self) -> None:
        """Ours is found by it later."""
        receipt = self.dialect().read_callback(call({"status": "delivered", "ref": "sim-7"}))

        assert receipt == Receipt(message_id="", kind=ReceiptKind.DELIVERED, gateway_ref="sim-7")
        assert self.dialect().reports_by_ref


class _AskedContract(TestBatch, LookUpContract):
    def dialect(self) -> AskingDialect:  # type: ignore[override]  # what it is as well
        made = SimulatorDialect(settings_of(self.family))
        assert isinstance(made, QueryDialect)
        return made

    def knowing(self, asked: Asked, *, gateway_ref: str) -> HttpResponse:
        return answer({"id": asked.message.id, "status": "accepted", "ref": gateway_ref})

    def knowing_nothing(self) -> HttpResponse:
        return answer({"id": "1-1-1", "status": "not_found"})

    def test_not_found_and_refused_are_not_taken(self) -> None:
        """And what is not named at all is unsure."""
        asked = [self.asked(number) for number in (1, 2, 3)]
        response = answer(
            {"id": "1-1-1", "status": "not_found"}, {"id": "1-1-3", "status": "refused"}
        )
        found = self.dialect().read_lookup(asked, response)

        assert [Known.NOT_TAKEN, Known.UNSURE, Known.NOT_TAKEN] == [one.known for one in found]

    def test_a_report_in_the_answer_is_a_receipt(self) -> None:
        """Its own call may have been lost."""
        row = {"id": "1-1-1", "status": "accepted", "ref": "sim-1"}
        report = {"status": "delivered", "code": ""}
        (found,) = self.dialect().read_lookup([self.asked()], answer({**row, "report": report}))

        assert found.receipt == Receipt(message_id="1-1-1", kind=ReceiptKind.DELIVERED)


class TestQuery(_AskedContract):
    family = Family.QUERY


class TestOwnIds(_AskedContract):
    family = Family.OWN_IDS

    def test_a_duplicate_was_accepted_before(self) -> None:
        """That is why sending again is safe."""
        row = {"id": "1-1-1", "status": "duplicate", "code": "duplicate", "ref": "sim-1"}
        (outcome,) = self.dialect().read([example_message(1)], answer({**row}))

        assert (OutcomeKind.ACCEPTED, "duplicate", "sim-1") == (
            outcome.kind,
            outcome.code,
            outcome.gateway_ref,
        )
        assert Feature.DUPLICATE_REFUSAL in self.dialect().features


class TestSigned(TestBatch, SignedCallsContract):
    family = Family.SIGNED
    signature_headers = (SIGNATURE_HEADER,)

    def signed_dialect(self, *, secret: str) -> SignedDialect:
        made = SimulatorDialect(settings_of(self.family, secret=secret))
        assert isinstance(made, SignedDialect)
        return made

    def signed_call(self, *, secret: str) -> HttpCallback:
        body = b'{"id": "1-1-1", "status": "delivered"}'
        headers = {SIGNATURE_HEADER: signature_of(ADDRESS, body, api_key=secret)}
        return HttpCallback(message_id="1-1-1", url=ADDRESS, headers=headers, body=body)
