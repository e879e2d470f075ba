"""``smsflow quarantine``: numbers that cannot get a text, from a file or by hand."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence

from smsflow_provider.cli.number_files import Raw
from smsflow_provider.cli.number_lists import Good, ListCommand
from smsflow_provider.cli.reach import reach_store
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.quarantine import (
    QUARANTINE_COLUMNS,
    Quarantined,
    add_quarantined_entries,
    iterate_quarantined,
    remove_quarantined,
)


class Quarantine(ListCommand):
    """The quarantine: one list, whoever has the number."""

    to = "into quarantine"
    off = "take numbers out of quarantine, with no errors counted"
    on = "in quarantine"
    columns = QUARANTINE_COLUMNS
    facts = ("reason", "source")

    def add_own_arguments(self, parser: argparse.ArgumentParser, *, action: str) -> None:
        """There is nothing of its own to say."""

    def problem_of(self, raw: Raw) -> str | None:  # noqa: ARG002  any words will do
        """Nothing can be wrong."""
        return None

    def add(self, store: Store, good: Good, args: argparse.Namespace, *, source: str) -> int:
        """Put numbers into quarantine."""
        return add_quarantined_entries(
            store, (_entry(raw, phone, args, source=source) for raw, phone in good)
        )

    def remove(self, store: Store, phones: Sequence[int], args: argparse.Namespace) -> int:  # noqa: ARG002  no flags
        """Take numbers out."""
        return remove_quarantined(store, phones)

    def pages(
        self,
        store: Store,
        args: argparse.Namespace,  # noqa: ARG002  no flags
    ) -> Iterator[Iterable[Sequence[object]]]:
        """Hand out the whole quarantine."""
        for page in iterate_quarantined(store):
            yield [one.as_row() for one in page]


def _entry(raw: Raw, phone: int, args: argparse.Namespace, *, source: str) -> Quarantined:
    facts = raw.facts
    return Quarantined(
        phone=phone,
        reason=facts.get("reason", "") if args.reason is None else args.reason,
        source=facts.get("source", "") or source,
    )


_COMMAND = Quarantine()
add_arguments = _COMMAND.add_arguments


def run(args: argparse.Namespace) -> int:
    """Do what the command line says, on the store it names."""
    return _COMMAND.run(args, reach_store(args))
