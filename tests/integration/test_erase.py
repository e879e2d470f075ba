"""A person is erased: gone everywhere, counted as before, and never texted again."""

from __future__ import annotations

import io
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from psycopg.types.json import Jsonb

from smsflow_provider.cli.erase import person_of
from smsflow_provider.cli.main import main
from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.place import local_path
from smsflow_provider.core.audience.read import read_audience
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import find_saved, save
from smsflow_provider.core.delivery.erase import Erased, KeptFiles, erase
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.model import OutcomeKind, Reply
from smsflow_provider.core.preparation.exclusions.exclude import exclude
from smsflow_provider.core.preparation.exclusions.lists import load_lists
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.audience_files import find_file, iterate_files, register_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.erased import erased_among, remember_erased
from smsflow_provider.core.store.opt_outs import add_opt_outs, count_opt_outs
from smsflow_provider.core.store.replies import Effect, append_replies, take_effect
from smsflow_provider.core.store.suppressed import NOBODY
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.audience.people import ListSource, open_local
from tests.core.preparation.exclusions.people import Person, make_candidates
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
#: The second recipient of every prepared delivery.
PHONE = 33600000002
PERSON = person_of(PHONE)


def place_of(uri: str) -> Path | None:
    return Path(uri) if uri.startswith("/") else local_path(uri)


def remove(uri: str) -> None:
    path = place_of(uri)
    assert path is not None
    path.unlink(missing_ok=True)


FILES = KeptFiles(open_file=open_local, at=place_of, remove=remove)


def forget(store: Store, **more: Any) -> Erased:
    return erase(store, PERSON, files=FILES, **more)


def places_of(found: Erased) -> dict[str, int]:
    return {one.place: one.count for one in found.removed}


def everything(store: Store) -> str:
    """Every row of every table of the store, as text."""
    with store.transaction() as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'p') AND NOT relispartition AND n.nspname = 'public'"
        ).fetchall()
        return "\n".join(
            str(row["told"])
            for table in tables
            for row in connection.execute(
                f"SELECT t::text AS told FROM {table['relname']} t"  # noqa: S608
            ).fetchall()
        )


def finished(store: Store) -> None:
    make_prepared(store, count=3)
    approve(store)
    run_send(store, RecordingGateway())


def saved_audience(store: Store, folder: Path, *rows: tuple[str, str]) -> AudienceReference:
    source = ListSource(names=("recipient_id", "phone"), lists=(rows,))
    reference = build_audience(source, target=folder / "who.parquet")
    assert reference is not None
    register_file(store, reference)
    save(store, "vip", reference)
    return reference


def test_nothing_of_a_person_is_left_in_any_table_and_counts_stay(store: Store) -> None:
    finished(store)
    add_opt_outs(store, [PHONE], scope="sender:ACME", reason="letter")
    with store.transaction() as connection:
        append_replies(connection, "g", [_reply("33600000002", "r2 says STOP")], NOON)
        append_replies(connection, "g", [_reply("0600000002", "stop me", ref="b")], NOON)
    before = report(store, "d1")

    found = forget(store)
    assert {"opt-outs": 1, "replies": 2, "messages of delivery d1": 1} == places_of(found)
    assert found.is_complete
    rest = everything(store)
    for piece in (str(PHONE), "600000002", "Hello 2", "r2", "STOP", "stop me"):
        assert piece not in rest, piece
    assert before == report(store, "d1")
    check_sums(report(store, "d1"))
    assert () == forget(store).removed


def _reply(sender: str, body: str, *, ref: str = "a") -> Reply:
    return Reply(sender=sender, recipient="36111", body=body, gateway_ref=ref)


def test_a_dry_run_counts_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    finished(store)
    saved_audience(store, tmp_path, ("a", f"+{PHONE}"))
    before = everything(store)

    counted = places_of(forget(store, dry_run=True))
    assert before == everything(store)
    assert counted == places_of(forget(store))


def test_a_person_who_was_erased_gets_nothing_that_was_prepared_later(store: Store) -> None:
    remember_erased(store, PHONE)

    assert [PHONE] == erased_among(store, [0, 5, PHONE])
    make_prepared(store, count=3)
    approve(store)
    gateway = RecordingGateway()
    run_send(store, gateway)
    assert PHONE not in {int(one.to.lstrip("+")) for one in gateway.messages}
    assert "finished" == find_delivery(store, "d1").state


def test_a_preparation_excludes_the_erased_as_opted_out(store: Store) -> None:
    remember_erased(store, PHONE)
    candidates = make_candidates([Person(phone=PHONE), Person(phone=PHONE + 1)])
    rules = ExclusionRules()

    exclude(candidates, rules, load_lists(store, candidates, rules, delivery_no=0, now=NOON))
    found = candidates.slice(0, 2).select("reason", "detail").rows()
    assert [("opted_out", ""), (None, "")] == found


@pytest.mark.parametrize("is_approved", [True, False])
def test_what_may_still_be_sent_stays_as_it_was_approved_and_is_cancelled(
    store: Store, *, is_approved: bool
) -> None:
    make_prepared(store, count=3)
    if is_approved:
        approve(store)

    found = forget(store)
    assert ["delivery d1"] == [one.what for one in found.left]
    if not is_approved:
        approve(store)
    gateway = RecordingGateway()
    run_send(store, gateway)
    assert 2 == len(gateway.messages)
    check_sums(report(store, "d1"))
    assert {"messages of delivery d1": 1} == places_of(forget(store))


def test_audiences_lose_the_person_and_versions_follow(store: Store, tmp_path: Path) -> None:
    old = saved_audience(store, tmp_path, ("a", "0600000002"), ("b", "0600000003"))
    save(store, "vip", old)

    found = forget(store)
    assert {f"audience file {old.uri}": 1} == places_of(found)
    one, new = (find_saved(store, name) for name in ("vip@1", "vip@2"))
    assert one == new
    for reference in (one, new):
        rows = pl.concat(read_audience(reference, open_file=open_local, check_content=True)).rows()
        assert [("b", "0600000003")] == rows
    assert find_file(store, old.uri).purged_at is not None
    assert [new.uri] == [one.uri for one in iterate_files(store)]
    assert not (tmp_path / "who.parquet").exists()
    assert () == forget(store).removed


def test_an_old_file_that_could_not_be_removed_is_found_by_the_next_try(
    store: Store, tmp_path: Path
) -> None:
    """As when the first try is killed just before."""
    old = saved_audience(store, tmp_path, ("a", "0600000002"), ("b", "0600000003"))

    def fail(_: str) -> None:
        raise PermissionError

    stuck = KeptFiles(open_file=open_local, at=place_of, remove=fail)
    found = erase(store, PERSON, files=stuck)
    assert [(f"audience file {old.uri}", "PermissionError")] == [
        (one.what, one.why) for one in found.left
    ]
    kept = find_saved(store, "vip")
    assert old.uri != kept.uri

    assert {f"audience file {old.uri}": 1} == places_of(forget(store))
    assert kept == find_saved(store, "vip")
    assert not (tmp_path / "who.parquet").exists()


def test_an_audience_from_which_a_delivery_is_being_prepared_is_left(
    store: Store, tmp_path: Path
) -> None:
    old = saved_audience(store, tmp_path, ("a", "0600000002"))
    make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET state = 'preparing', audience = %s",
            (Jsonb(old.as_dict()),),
        )

    assert {
        "delivery d1": "it is being prepared",
        f"audience file {old.uri}": "a delivery is being prepared from it",
    } == {one.what: one.why for one in forget(store).left}
    assert old.uri == find_saved(store, "vip").uri


def test_an_audience_nobody_of_whom_goes_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    old = saved_audience(store, tmp_path, ("a", "+336000000021"), ("b", ""))

    assert () == forget(store).removed
    assert old.uri == find_saved(store, "vip").uri


def test_files_of_others_and_unreachable_ones_are_told(store: Store) -> None:
    reference = AudienceReference(uri="s3://b/who.parquet", count=1, fingerprint="0" * 64)
    register_file(store, reference)
    save(store, "theirs", AudienceReference(uri="/x.parquet", count=1, fingerprint="0" * 64))

    assert {
        "audience file s3://b/who.parquet": "it cannot be reached from here",
        "file /x.parquet": "smsflow did not write it",
    } == {one.what: one.why for one in forget(store).left}


def test_archives_keep_their_rows_without_the_person(store: Store, tmp_path: Path) -> None:
    finished(store)
    result = archive(store, "d1", folder=tmp_path)
    files = {path.name: path for path in Path(result.uri).iterdir()}
    before = {name: pl.read_parquet(path) for name, path in files.items()}

    assert {f"archive {result.uri}": 1} == places_of(forget(store))
    after = {name: pl.read_parquet(path) for name, path in files.items()}
    assert set(files) == {path.name for path in Path(result.uri).iterdir()}
    for name, frame in before.items():
        assert (frame.schema, frame.height) == (after[name].schema, after[name].height)
        assert 0o600 == stat.S_IMODE(files[name].stat().st_mode)
    row = after["messages.parquet"].row(1, named=True)
    assert (NOBODY, "", "", "") == (
        row["phone"],
        row["body"],
        row["recipient_id"],
        row["gateway_ref"],
    )
    others = pl.col("position") != 2
    for name in ("messages.parquet", "attempts.parquet"):
        assert before[name].filter(others).equals(after[name].filter(others))
    assert () == forget(store).removed


def test_start_to_every_list_consents_anew_and_start_to_one_does_not(store: Store) -> None:
    remember_erased(store, PHONE)

    def start(scope: str | None) -> int:
        effect = Effect(phone=PHONE, scope=scope, is_opt_out=False, keyword="start")
        with store.transaction() as connection:
            take_effect(connection, [effect], at=NOON)
        return len(erased_among(store, [PHONE]))

    assert [1, 0] == [start("sender:ACME"), start(None)]


def test_a_store_of_the_former_version_knows_of_nobody(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_erased")

    assert [] == erased_among(store, [PHONE])


def test_the_hash_is_the_hmac_of_the_standard(store: Store) -> None:
    import hashlib  # noqa: PLC0415  the oracle
    import hmac  # noqa: PLC0415  same

    remember_erased(store, PHONE)
    remember_erased(store, PHONE)
    with store.transaction() as connection:
        key = connection.execute("SELECT secret FROM smsflow_erasure_key").fetchone()
        kept = connection.execute("SELECT hash FROM smsflow_erased").fetchall()
    assert key is not None
    expected = hmac.new(key["secret"], str(PHONE).encode(), hashlib.sha256).digest()[:16]
    assert [expected] == [row["hash"] for row in kept]


def command(dsn: str, *words: str) -> int:
    return main(["erase", *words, "--store", dsn])


def test_the_command_takes_the_number_from_standard_input_and_never_prints_it(
    store: Store,
    store_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finished(store)
    monkeypatch.setattr("sys.stdin", io.StringIO("06 00 00 00 02\n"))

    assert 0 == command(store_dsn, "-", "--region", "FR", "--yes")
    told = capsys.readouterr()
    assert "1  removed  messages of delivery d1" in told.out
    assert "600000002" not in told.out + told.err
    assert 0 == command(store_dsn, f"+{PHONE}", "--lift")
    assert "may be texted again" in capsys.readouterr().out


def test_the_command_says_what_is_left_and_wants_a_word(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_prepared(store, count=3)

    with pytest.raises(SystemExit):
        command(store_dsn, f"+{PHONE}")
    assert 1 == command(store_dsn, "+33", "--yes")
    capsys.readouterr()
    assert 3 == command(store_dsn, f"+{PHONE}", "--dry-run", "--json")
    assert [{"what": "delivery d1", "why": "prepare it again, or reject it"}] == (
        json.loads(capsys.readouterr().out)["left"]
    )
    assert 0 == count_opt_outs(store)


def test_what_failed_for_a_person_does_not_go_again_after_they_were_erased(store: Store) -> None:
    make_prepared(store, count=3)
    approve(store)
    run_send(store, RecordingGateway([RefusedError("no", code="x")] * 3))
    forget(store)

    assert 3 == resend(store, "d1", kinds=frozenset({OutcomeKind.FAILED}), actor="ann")
    gateway = RecordingGateway()
    run_send(store, gateway)
    assert {PHONE - 1, PHONE + 1} == {int(one.to.lstrip("+")) for one in gateway.messages}
    found = report(store, "d1")
    check_sums(found)
    assert (2, 1) == (found["accepted"], found["cancelled"])
