"""The contract suite of error tables, and of the dialects that read by them. Pure: no socket."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Dialect, HttpResponse
from smsflow_provider.core.gateways.error_table import ErrorClass, ErrorTable, Hardness
from smsflow_provider.core.gateways.http import outcome_of
from smsflow_provider.core.gateways.status import is_hopeless
from smsflow_provider.core.model import Outcome, OutcomeKind
from smsflow_provider.testing.examples import example_message

#: What each class does to a message.
KINDS = {
    ErrorClass.THROTTLED: OutcomeKind.NOT_SENT,
    ErrorClass.TEMPORARY: OutcomeKind.NOT_SENT,
    ErrorClass.REFUSED: OutcomeKind.FAILED,
    ErrorClass.MISCONFIGURED: OutcomeKind.FAILED,
    ErrorClass.UNKNOWN: OutcomeKind.UNKNOWN,
}


class ErrorTableContract(ABC):
    """What every error table says, and that the dialect does what its table says."""

    @abstractmethod
    def table(self) -> ErrorTable:
        """Read the table."""

    @abstractmethod
    def dialect(self) -> Dialect:
        """Make the dialect that reads by it."""

    @abstractmethod
    def refusing(self, code: str) -> HttpResponse | None:
        """Make the answer to one message that carries *code*. None: it comes in receipts only."""

    def test_a_code_nobody_knows_is_not_tried_for_ever(self) -> None:
        """And never quarantines a number: nobody knows what it says."""
        default = self.table().default

        assert default.error_class in {ErrorClass.REFUSED, ErrorClass.UNKNOWN}
        assert Hardness.NONE is default.hardness

    def test_codes_are_codes_and_every_row_says_what_it_means(self) -> None:
        """For people, in words of our own."""
        for code, row in self.table().rows.items():
            assert re.fullmatch(r"[\w.:-]{1,48}", code, re.ASCII), code
            assert row.meaning, code
            assert len(row.meaning) <= 100, code

    def test_only_a_refusal_says_something_about_a_number(self) -> None:
        """A busy gateway or a wrong password is nobody's number's fault."""
        blamed = {ErrorClass.REFUSED, ErrorClass.TEMPORARY}
        for code, row in self.table().rows.items():
            assert row.hardness is Hardness.NONE or row.error_class in blamed, code
            is_for_good = row.hardness in {Hardness.HARD, Hardness.OPT_OUT}
            assert not is_for_good or row.error_class is ErrorClass.REFUSED, code

    def test_the_dialect_does_what_the_table_says(self) -> None:
        """Row by row, and for a code that is in no row."""
        table, seen = self.table(), 0
        for code in [*table.rows, "98765"]:
            response = self.refusing(code)
            if response is None:
                continue
            seen += 1
            row, outcome = table.find(code), self._outcome(response)
            assert KINDS[row.error_class] is outcome.kind, code
            assert outcome.code.endswith(code), code
            assert (row.error_class is ErrorClass.TEMPORARY) == outcome.is_own, code
            hopeless = is_hopeless(outcome.code)
            assert (row.error_class is ErrorClass.MISCONFIGURED) == hopeless, code
        assert seen

    def _outcome(self, response: HttpResponse) -> Outcome:
        message = example_message()
        try:
            (outcome,) = self.dialect().read([message], response)
        except GatewayError as error:
            return outcome_of(error, message_id=message.id)
        return outcome
