"""The columnar preparation on a real store against the same made row by row."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.fingerprint import MessageDigest, fingerprint_of
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.preparation.time_zones import zones_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_log
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.quarantine import add_quarantined
from tests.core.preparation.preparing import (
    KANNEL,
    SIMULATOR,
    FrameRows,
    exclusions_of,
    make_draft,
    make_preparation,
    messages_of,
)
from tests.integration.preparation_oracle import Case, Expected, expect

#: A few people in many rows: French, Belgian, American, of no country, premium, and no numbers.
PHONES = (
    *(f"+3361234567{n}" for n in range(10)),
    *(f"06 12 34 56 7{n}" for n in range(6)),
    *(f"0033.6.12.34.56.8{n}" for n in range(10)),
    *("+32470123456", "0032470123457", "+12015550123", "1 201 555 0124", "+80012345678"),
    *("+33899123456", "0899 12 34 56", "12", "", " ", "no phone", "6.12E+08", "+336123456789012"),
    *("+870773111632", "+8821612345678", "+883510012345", "+61412345678", "+447911123456"),
    *("٠٦١٢٣٤٥٦٧٩", "612345679", "+33 (0)6 12 34 56 90", "0612345678 ext 5"),
    None,
)
OPT_OUTS = {
    "": frozenset({33612345670, 33612345680}),
    "sender:ACME": frozenset({33612345671, 33612345681, 32470123456}),
    "sender:36111": frozenset({33612345672, 33612345682}),
}
QUARANTINED = frozenset({33612345673, 33612345671})
OTHERS = frozenset({33612345683, 33612345675})
ALLOWED = frozenset(
    [
        *range(33612345670, 33612345690),
        *range(33600000000, 33600000200),
        *range(12015560000, 12015560100),
    ]
)

#: What CSV, joining and splitting could trip over; and what no text may hold.
PIECES = (
    *("Ann", "Zoé", "ê", "€", "\N{GRINNING FACE}", '"', '""', "'", ",", "\\", "\\.", "\\N", "\n"),
    *("\r", "\\.\n", "\n\\.\n", "NULL", "\N{NO-BREAK SPACE}", "½", "1½", "…", "e\u0301", "한글"),
    *("\N{ZERO WIDTH NON-JOINER}", "{{ name }}", "%s", "|", "STOP 36111", " ", "x" * 90, "€" * 81),
)
FORBIDDEN = ("\0", "\t", "\x1e", "\x1f", "\x85")

BODIES = (
    "Hi {{ name }}",
    "{% if code %}{{ code | upper }}{% endif %}{{ name }}, {{ points | money }}",
    "{{ name | first_name }}{{ missing }} {{ body | default('nothing') }}\n",
    "{% for one in name %}{{ loop.index }}{{ one }}{% endfor %} {{ place or 'home' }}",
    "{{ recipient_id }}: {{ phone }} {{ day | date }}",
    "Hello everybody",
)


def template_of(random: Random) -> Template:
    """Make a template with some of everything."""
    lines = [
        f"missing: {random.choice(['exclude', 'exclude', 'fail'])}",
        f"max_parts: {random.choice([1, 2, 3])}",
        f"transliteration: {random.choice(['none', 'punctuation', 'full'])}",
    ]
    if random.random() < 0.5:
        lines.append("class: transactional")
    else:
        lines.append(f"opt_out_policy: {random.choice(['add', 'add', 'require', 'none'])}")
        if "add" in lines[-1]:
            lines += random.choice(
                [
                    [],
                    ["opt_out_mention: STOP 36111"],
                    ['opt_out_mentions: {FR: "STOP au 36111", BE: "STOP 8585"}'],
                ]
            )
    if random.random() < 0.7:
        lines.append("sender: ACME")
    if random.random() < 0.5:
        lines.append('senders: {FR: "36111", US: "+12015550100"}')
    if random.random() < 0.4:
        lines.append("sender_expression: shop")
    body = random.choice(BODIES)
    if random.random() < 0.6:
        lines += ["language: language", "default_language: en"]
        other, third = random.choice(BODIES), random.choice(BODIES)
        body += f"\n--- fr\nFR {other}\n--- de\n{third}"
    return read_template("\n".join(["---", *lines, "---", body, ""]), name="test")


def own_phone(random: Random, row_number: int) -> str:
    """Give a phone nobody else has."""
    return random.choice(
        [
            *(f"+336{row_number:08d}", f"06 {row_number:08d}", f"00336{row_number:08d}"),
            *(f"+32470{row_number:06d}", f"+1201556{row_number:04d}"),
        ]
    )


def row_of(random: Random, row_number: int, *, is_clean: bool) -> dict[str, Any]:
    """Make one recipient; without *is_clean* the values may hold what cannot be sent."""
    pieces = PIECES if is_clean else PIECES + FORBIDDEN

    def text() -> str | None:
        if random.random() < 0.15:
            return random.choice([None, "", " ", "\N{NO-BREAK SPACE}"])
        return "".join(random.choices(pieces, k=random.choice([1, 1, 2, 3])))

    return {
        "recipient_id": random.choice([f"r{row_number}", f'"{row_number},\\', f"\n{row_number}é"]),
        "phone": own_phone(random, row_number) if random.random() < 0.75 else random.choice(PHONES),
        "name": text(),
        "code": text(),
        "missing": text(),
        "body": text(),
        "place": text(),
        "points": random.choice([None, 0, 1, 2, 30, 2**40]),
        "day": random.choice(["2026-03-01", "2026-03-01"] if is_clean else ["2026-03-01", "soon"]),
        "language": random.choice(["fr", "FR_ca", "de", "en", "it", "", None]),
        "shop": random.choice(["ACME", " Lyon ", "", " ", None]),
    }


SCHEMA = dict.fromkeys(row_of(Random(0), 1, is_clean=True), pl.String()) | {"points": pl.Int64()}


def population_of(random: Random) -> Population:
    """Choose what narrows the people."""
    given: dict[str, Any] = {"filters": {"few_points": "points < 1"}}
    if random.random() < 0.5:
        given["duplicates"] = {"keep": "highest", "by": "points"}
    if random.random() < 0.3:
        given["control_group"] = {"count": random.choice([1, 5]), "by": "points"}
    if random.random() < 0.3:
        given["size_limit"] = random.choice(
            [{"count": 0}, {"count": 7}, {"count": 20, "by": "points"}]
        )
    if random.random() < 0.3:
        given["numbers"] = {"countries": ["FR", "US"]}
    if random.random() < 0.3:
        given["audiences"] = ["others"]
    return Population.read(given, what="exclude")


def case_of(random: Random, *, count: int) -> Case:
    """Make a whole case."""
    is_clean, population = random.random() < 0.8, population_of(random)
    template = template_of(random)
    reads_shop = template.settings.sender_expression is not None
    return Case(
        rows=[row_of(random, number, is_clean=is_clean) for number in range(1, count + 1)],
        template=template,
        dialect=SIMULATOR if random.random() < 0.5 else KANNEL,
        region=random.choice(["FR", "FR", "US", None]),
        population=population,
        opt_outs=OPT_OUTS,
        quarantined=QUARANTINED,
        allowed=random.choice([None, None, ALLOWED]),
        audiences={"others": OTHERS} if population.audiences else {},
        is_filtered=lambda row: row["points"] is not None and row["points"] < 1,
        own_sender=lambda row: row["shop"] if reads_shop else None,
    )


def prepared(store: Store, case: Case, *, delivery_id: str, size: int) -> Delivery:
    """Prepare *case* in frames of *size* rows."""
    make_draft(store, delivery_id)
    rows = FrameRows(pl.DataFrame(list(case.rows), schema=SCHEMA), size=size)
    preparation = make_preparation(
        rows,
        template=case.template,
        dialect=case.dialect,
        region=case.region,
        population=case.population,
        allowed=case.allowed,
        excluded_audiences={
            name: pl.Series(sorted(numbers), dtype=pl.UInt64)
            for name, numbers in case.audiences.items()
        },
    )
    return prepare(store, delivery_id, preparation, actor="tester")


def zones_in(store: Store) -> dict[int | None, str]:
    """Give the sets of time zones by number; none has none."""
    with store.transaction() as connection:
        rows = connection.execute("SELECT no, names FROM smsflow_zones").fetchall()
    return {None: "", **{row["no"]: row["names"] for row in rows}}


def check_rows(store: Store, delivery: Delivery, expected: Expected) -> None:
    """Compare every message and every exclusion."""
    found = messages_of(store, delivery)
    names = list(expected.messages[0]) if expected.messages else []
    assert expected.messages == [{name: row[name] for name in names} for row in found]
    zones = zones_in(store)
    for message, row in zip(expected.messages, found, strict=True):
        alone = pl.DataFrame({"phone": [message["phone"]], "kind": [message["kind"]]})
        assert zones_of(alone).item() == zones[row["zone"]]
    left_out = exclusions_of(store, delivery)
    names = list(expected.exclusions[0]) if expected.exclusions else []
    assert expected.exclusions == [{name: row[name] for name in names} for row in left_out]


def check_figures(delivery: Delivery, expected: Expected, case: Case) -> None:
    """Compare what is counted of them."""
    messages, figures = expected.messages, delivery.figures
    reasons = Counter(one["reason"] for one in expected.exclusions)
    assert reasons == figures["excluded"]
    assert (
        len(case.rows),
        len(expected.exclusions),
        len(messages),
        sum(one["parts"] for one in messages),
    ) == (delivery.targeted, delivery.excluded, delivery.to_deliver, delivery.parts)
    for figure, name in (("encodings", "encoding"), ("senders", "sender")):
        assert Counter(one[name] for one in messages) == figures[figure]
    assert Counter(str(one["parts"]) for one in messages) == figures["by_parts"]
    assert Counter(filter(None, (one["language"] for one in messages))) == figures["languages"]
    assert max((one["parts"] for one in messages), default=0) == figures["longest_parts"]
    for region, counted in figures["regions"].items():
        parts = [one["parts"] for one in messages if one["region"] == region]
        assert {"messages": len(parts), "parts": sum(parts)} == counted
    assert set(figures["regions"]) == {one["region"] for one in messages}
    assert samples_of(expected) == figures["samples"]


def samples_of(expected: Expected) -> dict[str, Any]:
    """Choose the samples one by one."""
    messages, units = expected.messages, expected.units
    if not messages:
        return {}

    def firsts(name: str) -> dict[str, int]:
        pairs = [(str(one[name]), one["position"]) for one in reversed(messages) if one[name]]
        return dict(pairs)

    return {
        "first": [one["position"] for one in messages[:3]],
        "longest": max(messages, key=lambda m: (m["parts"], units[m["position"]]))["position"],
        "shortest": min(messages, key=lambda m: units[m["position"]])["position"],
        "dearest": max(messages, key=lambda m: int(m["parts"]))["position"],
        "encodings": firsts("encoding"),
        "languages": firsts("language"),
        "parts": firsts("parts"),
    }


def fingerprint(delivery: Delivery, expected: Expected) -> str:
    """Compute the fingerprint of the rows one by one."""
    digest = MessageDigest()
    names = ("position", "phone", "recipient_id", "sender", "body", "encoding", "parts")
    for one in expected.messages:
        digest.add([tuple(one[name] for name in names)])
    return fingerprint_of(
        template=delivery.template,
        settings=delivery.settings,
        audience=delivery.audience,
        excluded=Counter(one["reason"] for one in expected.exclusions),
        messages=digest.hexdigest(),
    )


def check_log(store: Store, delivery: Delivery, expected: Expected) -> None:
    """Compare what the log says of texts that cannot be made or should not be sent so."""
    log = [(row["event"], row["facts"]) for row in read_log(store, delivery)]
    missing = {facts["field"]: facts["recipients"] for e, facts in log if e == "field_missing"}
    assert expected.missing == missing
    failed = sorted(facts["recipients"] for event, facts in log if event == "text_failed")
    assert sorted(expected.failures.values()) == failed
    told = {event: facts.get("messages", 0) for event, facts in log}
    assert expected.cut == told.get("cut_characters", 0)
    assert expected.without_mention == told.get("opt_out_mention_missing", 0)


@settings(
    max_examples=35,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 2, 40, 150, 400]),
    sizes=st.permutations([1000, 100, 37, 9]),
)
def test_columns_give_what_row_by_row_gives(
    store: Store, seed: int, count: int, sizes: list[int]
) -> None:
    for scope, numbers in OPT_OUTS.items():
        add_opt_outs(store, numbers, scope=scope)
    add_quarantined(store, QUARANTINED)
    case = case_of(Random(seed), count=count)
    expected = expect(case)

    delivery = prepared(store, case, delivery_id=f"d{next(_ids)}", size=sizes[0])

    check_log(store, delivery, expected)
    if expected.missing or expected.failures:
        assert DeliveryState.PREPARATION_FAILED is delivery.state
        assert [] == messages_of(store, delivery)
        return
    assert DeliveryState.READY is delivery.state
    check_rows(store, delivery, expected)
    check_figures(delivery, expected, case)
    assert fingerprint(delivery, expected) == delivery.fingerprint


_ids = itertools.count(1)
