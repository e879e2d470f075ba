"""One person in every place there is, erased: neither number nor text is left anywhere."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from smsflow_provider.cli.erase import person_of
from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.place import local_path
from smsflow_provider.core.audience.read import AudienceFile
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import SavedBy, save
from smsflow_provider.core.audience.saved_changes import SavedFiles, append_people
from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.delivery.direct import DirectText, send_direct
from smsflow_provider.core.delivery.erase import Erased, KeptFiles, erase
from smsflow_provider.core.delivery.proof import send_proof
from smsflow_provider.core.delivery.proof_request import Proof
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.model import Origin, Reply
from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.audience_files import register_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.quarantine import add_quarantined
from smsflow_provider.core.store.receipts import append_receipts, apply_all_receipts
from smsflow_provider.core.store.replies import append_replies
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.audience.people import ListSource, open_local
from tests.core.delivery.receiving import received
from tests.core.preparation.preparing import SIMULATOR, make_draft, make_preparation
from tests.prepared_delivery import approve
from tests.sending import check_sums, make_sender, run_send

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PHONE, TESTER = 33612345678, 33600000009
#: What only this person's texts say.
NAME = "Zebulon"
#: As people write it; each row under an id that is the number, too.
WRITTEN = (
    "+33612345678",
    "06 12 34 56 78",
    "0033612345678",
    "+33 (0)6 12 34 56 78",
    "33612345678.0",
    "٠٦١٢٣٤٥٦٧٨",
    "６１２３４５６７８",
    "6.12345678E+08",
    "011 33 612345678",
)
#: Where the number may stand in the store. A new table must be looked at: may it hold people? Then
#: ``erase`` empties it, and it belongs here.
WITH_PEOPLE = {"messages", "exclusions", "opt_outs", "quarantine", "receipts", "replies"}
WITHOUT_PEOPLE = {
    *("approvals", "audit", "requests", "samples", "summaries"),
    *("audience_files", "audiences", "chunks", "circuits", "cursors", "daily"),
    *("deliveries", "delivery_moves", "erased", "erasure_key", "keys", "leases", "log", "marks"),
    *("outcomes", "pace", "preparations", "receipt_inbox", "receipt_parts"),
    *("receipts_by_ref", "references", "reservations", "reviews", "rules", "alembic_version"),
    *("stray_receipts", "switch", "zones"),
}


def place_of(uri: str) -> Path | None:
    return Path(uri) if uri.startswith("/") else local_path(uri)


def remove(uri: str) -> None:
    path = place_of(uri)
    assert path is not None
    for each in (path, path.with_name(f"{path.name}.part")):
        each.unlink(missing_ok=True)


FILES = KeptFiles(open_file=open_local, at=place_of, remove=remove)


def forget(store: Store) -> Erased:
    return erase(store, person_of(PHONE), files=FILES)


def tables_of(store: Store) -> dict[str, str]:
    """Every row of every table of the schema, also of partitions nobody attached, as text."""
    with store.transaction() as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace"
        ).fetchall()
        return {
            row["relname"].removeprefix("smsflow_"): "\n".join(
                one["told"]
                for one in connection.execute(
                    f"SELECT t::text AS told FROM {row['relname']} t"  # noqa: S608  names of ours
                ).fetchall()
            )
            for row in tables
        }


def files_of(folder: Path) -> dict[str, str]:
    """Every file, of Parquet the rows, and the bytes of all: statistics hold numbers, too."""
    found = {}
    for path in (one for one in folder.rglob("*") if one.is_file()):
        raw = path.read_bytes()
        found[str(path)] = raw.decode("latin-1")
        if PHONE.to_bytes(8, "little") in raw:
            found[str(path)] += str(PHONE)
        if path.suffix == ".parquet":
            found[str(path)] += str(pl.read_parquet(path).rows())
    return found


def says(text: str) -> bool:
    """Whether a text holds the number, however it is written, or the person's name."""
    digits = "".join(str(unicodedata.digit(one, one)) for one in text if one not in " .()+-")
    return "612345678" in digits or NAME in text


def found_in(texts: dict[str, str]) -> set[str]:
    return {name for name, text in texts.items() if says(text)}


def person_rows(*phones: str) -> list[tuple[str, str, str]]:
    rows = [(f"+{PHONE}" if n % 2 else phone, phone, NAME) for n, phone in enumerate(phones)]
    return [("b", f"+{TESTER}", "Bob"), *rows, ("c", "0612345679", "Cleo")]


def audience(
    store: Store, folder: Path, name: str, rows: list[tuple[str, str, str]]
) -> AudienceReference:
    source = ListSource(names=("recipient_id", "phone", "name"), lists=(rows,))
    made = build_audience(source, target=folder / f"{name}.parquet")
    assert made is not None
    register_file(store, made)
    return made


def prepared(store: Store, delivery_id: str, who: AudienceReference) -> None:
    make_draft(store, delivery_id)
    rows = AudienceFile(reference=who, open_file=open_local)
    work = make_preparation(rows, audience=who.as_dict())
    assert "ready" == prepare(store, delivery_id, work, actor="ann").state


def sent(store: Store, delivery_id: str, who: AudienceReference) -> None:
    prepared(store, delivery_id, who)
    approve(store, delivery_id)
    run_send(store, RecordingGateway(), delivery_id)
    delivery = find_delivery(store, delivery_id)
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT position FROM smsflow_messages WHERE preparation = %s AND phone = %s",
            (delivery.preparation, PHONE),
        ).fetchone()
        if row is not None:
            append_receipts(connection, [received(delivery, row["position"], ref=f"to {PHONE}")])
    apply_all_receipts(store)


def reject(store: Store, delivery_id: str) -> None:
    fingerprint = find_delivery(store, delivery_id).fingerprint or ""
    decide(
        store,
        delivery_id,
        fingerprint=fingerprint,
        decision=Decision.REJECT,
        decided_by="manager",
        via="cli",
    )


@pytest.fixture
def everywhere(store: Store, tmp_path: Path) -> Store:
    """Put a person wherever one can be."""
    who = audience(store, tmp_path, "who", person_rows(*WRITTEN))
    save(store, "vip", who)
    files = SavedFiles(folder=tmp_path, open_file=open_local)
    more = audience(store, tmp_path, "more", person_rows("0612345678"))
    append_people(store, "vip", more, files=files, by=SavedBy(actor="ann"))
    sent(store, "sent", who)
    sent(store, "archived", who)
    archive(store, "archived", folder=tmp_path)
    prepared(store, "rejected", more)
    reject(store, "rejected")
    asyncio.run(texts_by_hand(store))
    add_opt_outs(store, [PHONE], reason="letter")
    add_quarantined(store, [PHONE])
    sent(store, "opted", more)
    with store.transaction() as connection:
        for ref, sender in enumerate((str(PHONE), "06 12 34 56 78")):
            reply = Reply(
                sender=sender, recipient="36111", body=f"STOP, {NAME}", gateway_ref=str(ref)
            )
            append_replies(connection, "g", [reply], NOON)
    return store


async def texts_by_hand(store: Store) -> None:
    """Send a text and two proofs: one to the person, one of the person's message to another."""
    sender = make_sender(RecordingGateway(), lease_s=0.2)
    text = DirectText(label="ops", to=(PHONE, TESTER), text="It is down", gateway="sms_gateway")
    origin = Origin(dag_id="ops", run_id="r", task_id="tell")
    await send_direct(
        store, text, origin=origin, author="dag:ops", dialect=SIMULATOR, sender=sender
    )
    for key, to, of in (("to", PHONE, "b"), ("of", TESTER, f"+{PHONE}")):
        proof = Proof(key=key, to=(to,), recipients=(of,))
        await send_proof(store, "sent", proof, author="ann", dialect=SIMULATOR, sender=sender)


def test_every_table_is_known_to_hold_people_or_not(store: Store) -> None:
    assert WITH_PEOPLE | WITHOUT_PEOPLE == set(tables_of(store))


def test_neither_number_nor_text_is_left_in_any_table_or_file(
    everywhere: Store, tmp_path: Path
) -> None:
    store = everywhere
    ids = ("sent", "archived", "rejected", "opted")
    before = [report(store, each) for each in ids]
    assert found_in(tables_of(store)) == WITH_PEOPLE

    assert forget(store).is_complete
    assert set() == found_in(tables_of(store))
    assert set() == found_in(files_of(tmp_path))
    assert before == [report(store, each) for each in ids]
    check_sums(report(store, "sent"))
    assert () == forget(store).removed
