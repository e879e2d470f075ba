"""Replies on a real PostgreSQL: kept whole and once, applied in order, by one at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.keywords import Action
from smsflow_provider.core.delivery.published import keywords_in, publish_rules
from smsflow_provider.core.delivery.replies import AppliedReply, apply_all_replies, apply_replies
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.group_writer import GroupWriter, ReceivedReply
from smsflow_provider.core.store.opt_outs import add_opt_outs, iterate_opt_outs
from smsflow_provider.core.store.qualified import Limits, read_qualifier
from smsflow_provider.core.store.replies import (
    StoredReply,
    append_replies,
    count_waiting_replies,
    iterate_replies,
    phone_of,
    take_waiting,
)
from smsflow_provider.receiver.stored import applying

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ANNA, BEN = 33612345678, 4917612345678


def reply(body: str, *, phone: int = ANNA, ref: str = "", recipient: str = "36111") -> Reply:
    return Reply(sender=f"+{phone}", recipient=recipient, body=body, gateway_ref=ref)


def came_in(store: Store, *replies: Reply, gateway: str = "kannel", at: datetime = NOON) -> int:
    with store.transaction() as connection:
        return append_replies(connection, gateway, replies, at)


def write(store: Store, *bodies: str, phone: int = ANNA, recipient: str = "36111") -> None:
    came_in(store, *(reply(body, phone=phone, recipient=recipient) for body in bodies))
    apply_all_replies(store)


def lists_of(store: Store) -> list[tuple[int, str, str]]:
    return [(one.phone, one.scope, one.source) for page in iterate_opt_outs(store) for one in page]


def kept(store: Store) -> list[StoredReply]:
    return [one for page in iterate_replies(store, page=2) for one in page]


def rules(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_stop_takes_a_number_off_everything(store: Store) -> None:
    write(store, "Stop.")

    assert [(ANNA, "", "reply")] == lists_of(store)
    ((entry,),) = iterate_opt_outs(store)
    assert "replied STOP" == entry.reason


def test_start_takes_it_back(store: Store) -> None:
    write(store, "STOP")
    write(store, "START")

    assert [] == lists_of(store)


@pytest.mark.parametrize(
    ("bodies", "out"),
    [
        (["STOP", "START"], 0),
        (["START", "STOP"], 1),
        (["STOP", "START", "STOP"], 1),
        (["STOP", "STOP", "START"], 0),
        (["STOP", "START", "thanks"], 0),
        (["START", "STOP", "start please"], 1),
    ],
)
def test_the_last_word_counts_also_within_one_batch(
    store: Store, bodies: list[str], out: int
) -> None:
    write(store, *bodies)

    assert out == len(lists_of(store))


def test_start_leaves_alone_what_no_reply_brought(store: Store) -> None:
    add_opt_outs(store, [ANNA], reason="asked by letter", source="import legal.csv")
    write(store, "STOP", "START")

    assert [(ANNA, "", "import legal.csv")] == lists_of(store)


def test_others_stay_as_they_are(store: Store) -> None:
    write(store, "STOP", phone=BEN)
    write(store, "STOP")
    write(store, "START")

    assert [(BEN, "", "reply")] == lists_of(store)


def test_a_stop_may_be_of_one_sender(store: Store, tmp_path: Path) -> None:
    publish_rules(store, rules(tmp_path, keywords="opt_out_scope: sender\n"))
    write(store, "STOP", recipient="+36111")
    write(store, "STOP", recipient="acme")
    write(store, "STOP", recipient="", phone=BEN)
    assert [
        (ANNA, "sender:36111", "reply"),
        (ANNA, "sender:ACME", "reply"),
        (BEN, "", "reply"),
    ] == sorted(lists_of(store))

    write(store, "START", recipient="36111")
    write(store, "START", recipient="")
    assert [(ANNA, "sender:ACME", "reply"), (BEN, "", "reply")] == sorted(lists_of(store))


def test_start_takes_back_the_lists_of_senders_too(store: Store, tmp_path: Path) -> None:
    publish_rules(store, rules(tmp_path, keywords="opt_out_scope: sender\n"))
    write(store, "STOP")
    publish_rules(store, rules(tmp_path, keywords="opt_out_scope: everything\n"))
    write(store, "STOP")
    write(store, "START")

    assert [] == lists_of(store)


def test_a_late_stop_does_not_undo_a_later_start(store: Store) -> None:
    """Its transaction was committed behind that of the later reply."""
    came_in(store, reply("START"), at=NOON + timedelta(seconds=1))
    apply_all_replies(store)
    came_in(store, reply("STOP"), at=NOON)
    apply_all_replies(store)

    assert [] == lists_of(store)
    assert ["opt_out", "opt_in"] == [one.action for one in kept(store)]


def test_one_reply_is_kept_once_by_the_id_of_its_gateway(store: Store) -> None:
    assert 1 == came_in(store, reply("STOP", ref="r1"), reply("STOP", ref="r1"))
    assert 0 == came_in(store, reply("STOP", ref="r1"))
    assert 1 == came_in(store, reply("STOP", ref="r1"), gateway="other")
    assert 2 == came_in(store, reply("hi"), reply("hi"))

    assert 4 == count_waiting_replies(store)
    assert 4 == apply_all_replies(store)
    assert 0 == apply_replies(store)


def test_a_stop_that_comes_again_after_a_start_changes_nothing(store: Store) -> None:
    came_in(store, reply("STOP", ref="r1"))
    write(store, "START")
    came_in(store, reply("STOP", ref="r1"), at=NOON + timedelta(days=1))
    apply_all_replies(store)

    assert [] == lists_of(store)


def test_every_text_is_kept_whole(store: Store) -> None:
    texts = ["", "Grüße 👋\n\tbye", "x" * 5_000, "nul \x00 half \ud83d"]
    write(store, *texts)

    found = [one.body for one in reversed(kept(store))]
    assert [*texts[:3], "nul \ufffd half ?"] == found


def test_an_opt_out_of_an_unreadable_number_is_for_a_person(store: Store) -> None:
    came_in(store, Reply(sender="0612345678", recipient="36111", body="STOP"))
    apply_all_replies(store)

    (one,) = kept(store)
    assert (None, "0612345678", "review", "stop") == (
        one.phone,
        one.sender,
        one.action,
        one.keyword,
    )
    assert [] == lists_of(store)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+33612345678", ANNA),
        ("33612345678", ANNA),
        ("0033612345678", ANNA),
        ("+33 (6) 12-34.56/78", ANNA),
        ("0612345678", None),
        ("36111", None),
        ("ACME", None),
        ("", None),
        ("++33612345678", None),
        ("+3361234567890123", None),
        ("٣٣٦١٢٣٤٥٦٧٨", None),
    ],
)
def test_only_international_numbers_are_read(text: str, phone: int | None) -> None:
    assert phone == phone_of(text)


def test_what_was_understood_is_told_once_it_is_committed(store: Store) -> None:
    told: list[AppliedReply] = []

    def tell(applied: Sequence[AppliedReply]) -> None:
        assert [(ANNA, "", "reply")] == lists_of(store)
        told.extend(applied)

    came_in(store, reply("STOP"), reply("help"), reply("please stop"), reply("hello"))
    assert 4 == apply_replies(store, on_applied=tell)

    assert [Action.OPT_OUT, Action.HELP, Action.REVIEW, Action.NONE] == [
        one.understood.action for one in told
    ]
    assert [True, False, False, False] == [one.took_effect for one in told]
    assert str(ANNA) not in repr(told)
    assert "please" not in repr(told)


def test_a_failing_listener_changes_nothing_of_what_was_applied(store: Store) -> None:
    def fail(_: Sequence[AppliedReply]) -> None:
        raise ValueError("no answer today")

    came_in(store, reply("STOP"))
    with pytest.raises(ValueError, match="no answer today"):
        apply_replies(store, on_applied=fail)

    assert [(ANNA, "", "reply")] == lists_of(store)
    assert 0 == apply_replies(store)


def test_many_appliers_at_once_keep_the_order(store: Store) -> None:
    """Each phone writes START and STOP by turns; small batches, six appliers."""
    phones = [ANNA + one for one in range(20)]
    for turn in range(9):
        came_in(
            store,
            *(reply("START" if turn % 2 else "STOP", phone=phone) for phone in phones),
            at=NOON + timedelta(seconds=turn),
        )

    def work(_: int) -> int:
        total = 0
        while count_waiting_replies(store):
            total += apply_replies(store, limit=7)
        return total

    with ThreadPoolExecutor(6) as threads:
        assert 180 == sum(threads.map(work, range(6)))

    assert phones == [phone for phone, _, _ in lists_of(store)]


def test_only_one_applier_works_at_a_time(store: Store) -> None:
    came_in(store, reply("STOP"), reply("START"))
    with store.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('smsflow replies', 0))")
        assert 0 == apply_replies(store)

    assert 2 == apply_replies(store)


def test_an_applier_that_is_stopped_in_the_middle_keeps_out_the_others_for_30_s_only(
    store: Store,
) -> None:
    came_in(store, reply("STOP"))
    with store.transaction() as connection:
        assert 1 == len(take_waiting(connection, limit=10))
        row = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()

    assert {"idle_in_transaction_session_timeout": "30s"} == row


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    story=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["STOP", "START", "hello"])), max_size=12
    ),
    limit=st.integers(1, 5),
)
def test_any_story_ends_with_the_last_word_of_each(
    store: Store, story: list[tuple[int, str]], limit: int
) -> None:
    with store.transaction() as connection:
        connection.execute("TRUNCATE smsflow_replies, smsflow_opt_outs")
    for who, body in story:
        came_in(store, reply(body, phone=ANNA + who))
    apply_all_replies(store, limit=limit)

    last = {who: body for who, body in story if body != "hello"}
    assert sorted(ANNA + who for who, body in last.items() if body == "STOP") == [
        phone for phone, _, _ in lists_of(store)
    ]


# Rules that are published


def test_rules_are_published_and_taken_back(store: Store, tmp_path: Path) -> None:
    folder = rules(
        tmp_path,
        keywords="opt_out: [HALT]\n",
        qualification='limits: {soft_errors: 2}\ngateways: {sms_kannel: {"1": none}}\n',
    )
    publish_rules(store, folder)
    publish_rules(store, None)
    with store.transaction() as connection:
        assert "halt" in keywords_in(connection).words_of(Action.OPT_OUT)
        qualifier = read_qualifier(connection)
    assert Limits(soft_errors=2) == qualifier.limits
    assert "none" == qualifier.hardness_of("sms_kannel", "1")
    assert "hard" == qualifier.hardness_of("sms_kannel", "9")

    for name in ("keywords", "qualification"):
        (folder / f"{name}.yaml").unlink()
    publish_rules(store, folder)
    with store.transaction() as connection:
        assert "halt" not in keywords_in(connection).words_of(Action.OPT_OUT)
        assert Limits() == read_qualifier(connection).limits


def test_a_file_with_problems_leaves_the_former_rules(store: Store, tmp_path: Path) -> None:
    publish_rules(store, rules(tmp_path, keywords="opt_out: [HALT]\n"))
    folder = rules(tmp_path, keywords="opt_uot: [X]\n", qualification="limits: {soft_errors: 3}\n")
    with pytest.raises(ConfigError) as caught:
        publish_rules(store, folder)

    assert "keywords.yaml:1" in str(caught.value.facts["problems"])
    with store.transaction() as connection:
        assert "halt" in keywords_in(connection).words_of(Action.OPT_OUT)
        assert 3 == read_qualifier(connection).limits.soft_errors


def test_a_folder_that_is_not_there_says_nothing(store: Store, tmp_path: Path) -> None:
    publish_rules(store, rules(tmp_path, qualification="limits: {soft_errors: 3}\n"))
    publish_rules(store, tmp_path / "none")

    with store.transaction() as connection:
        assert 3 == read_qualifier(connection).limits.soft_errors


@pytest.mark.parametrize("document", ['{"new_field": 1}', '{"opt_out": 7}', "[1]", "null"])
def test_stop_is_understood_whatever_a_newer_version_published(store: Store, document: str) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_rules (topic, name, document) VALUES ('keywords', 'own', %s)",
            (document,),
        )
    write(store, "STOP")

    assert [(ANNA, "", "reply")] == lists_of(store)


def test_publishing_again_writes_nothing(store: Store, tmp_path: Path) -> None:
    folder = rules(tmp_path, keywords="opt_out: [HALT]\n")
    found = []
    for _ in range(2):
        publish_rules(store, folder)
        with store.transaction() as connection:
            rows = connection.execute("SELECT topic, name, published_at FROM smsflow_rules")
            found.append(sorted(map(str, rows)))

    assert found[0] == found[1]


# The command


def smsflow(dsn: str, *words: str) -> int:
    return main(["replies", "list", *words, "--store", dsn])


def test_the_command_masks_numbers_unless_asked(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(store, "Stop\x1b[2J please")
    assert 0 == smsflow(store_dsn)
    assert (
        "2026-11-02 12:00 +33·······78 to 36111\n  opt_out stop: Stop [2J please\n"
        == capsys.readouterr().out
    )

    assert 0 == smsflow(store_dsn, "--show-phones")
    assert f"+{ANNA}" in capsys.readouterr().out


def test_the_command_picks_by_number_time_and_action(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(store, "STOP", "hello")
    write(store, "please stop", phone=BEN)
    came_in(store, reply("later"), at=NOON + timedelta(days=2))

    def bodies(*words: str) -> list[str]:
        assert 0 == smsflow(store_dsn, "--json", *words)
        return [row["body"] for row in json.loads(capsys.readouterr().out)]

    assert ["later", "please stop", "hello", "STOP"] == bodies()
    assert ["later", "hello", "STOP"] == bodies("--phone", "06 12 34 56 78", "--region", "FR")
    assert ["please stop"] == bodies("--action", "review")
    assert ["hello"] == bodies("--action", "none")
    assert ["later"] == bodies("--since", "2026-11-03")
    assert ["later", "please stop"] == bodies("--limit", "2")
    assert 1 == smsflow(store_dsn, "--limit", "0")


def test_an_unreadable_number_is_shown_as_it_came_only_when_asked(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    came_in(store, Reply(sender="0612345678", recipient="", body="hi"))

    assert 0 == smsflow(store_dsn)
    told = capsys.readouterr().out
    assert "waiting: hi" in told
    assert "0612345678" not in told
    assert 0 == smsflow(store_dsn, "--show-phones")
    assert "0612345678 to ?" in capsys.readouterr().out


# The receiver


def test_the_receiver_applies_replies_whatever_becomes_of_receipts(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_receipt_inbox RENAME TO smsflow_elsewhere")
    rounds = iter([store, store])

    def find() -> Store:
        if next(rounds, None) is None and not kept(store):
            came_in(store, reply("STOP"))  # behind a round in which receipts failed
        return store

    asyncio.run(until_applied(store, find))

    assert [(ANNA, "", "reply")] == lists_of(store)


async def until_applied(store: Store, find: Callable[[], Store]) -> None:
    async with applying(find), asyncio.timeout(30):
        while not await asyncio.to_thread(lists_of, store):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("word", "body", "action"),
    [
        ("stop", "GENUG", Action.OPT_OUT),
        ("stop", "START", Action.OPT_OUT),
        ("start", "WIEDER", Action.OPT_IN),
        ("start", "STOP", Action.OPT_OUT),
        ("help", "AIUTO MI", Action.HELP),
        ("help", "please stop", Action.REVIEW),
        ("other", "GENUG", Action.NONE),
    ],
)
def test_what_the_gateway_took_it_for_counts_and_an_opt_out_wins(
    store: Store, word: str, body: str, action: Action
) -> None:
    came_in(store, replace(reply(body, ref="SM1"), keyword=word))
    apply_all_replies(store)

    (one,) = kept(store)
    assert action == one.action
    assert (action is Action.OPT_OUT) is bool(lists_of(store))


def test_an_opt_out_that_only_the_gateway_understood_of_nobody_is_looked_at(store: Store) -> None:
    came_in(store, replace(reply("GENUG"), sender="ACME", keyword="stop"))
    apply_all_replies(store)

    (one,) = kept(store)
    assert ("review", "stop") == (one.action, one.keyword)


def test_replies_that_are_stored_together_keep_their_moments(store: Store) -> None:
    """A store that hangs gathers many seconds of them; the gateway's ids are in no order."""
    start, stop = reply("START", ref="SM9"), reply("STOP", ref="SM1")
    writer = GroupWriter(store)
    writer.write(
        [
            ReceivedReply(gateway="g", reply=start, received_at=NOON),
            ReceivedReply(gateway="g", reply=stop, received_at=NOON + timedelta(seconds=5)),
        ]
    )
    writer.close()
    apply_all_replies(store)

    assert [(ANNA, "", "reply")] == lists_of(store)
