"""Every named statement is valid on the real schema, and the hot ones walk their index."""

from __future__ import annotations

import re
from importlib.resources import files

import psycopg
import pytest

from smsflow_provider.core.errors import SchemaError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.counters import COUNTERS
from smsflow_provider.core.store.prepared import PARTITIONED
from smsflow_provider.core.store.statements import statements
from tests.prepared_delivery import make_prepared

SUBJECTS = sorted(
    path.name.removesuffix(".sql") for path in files("smsflow_provider.core.store.sql").iterdir()
)
NAMED = [(subject, name) for subject in SUBJECTS for name in statements(subject)]

#: Statements that run for every message or tick, and the access each must use.
HOT = {
    ("ledger", "read_messages"): "smsflow_messages",
    ("ledger", "lease_chunk"): "smsflow_chunks",
    ("ledger", "move_chunk"): "smsflow_chunks",
    ("ledger", "suppressed"): "smsflow_opt_outs",
    ("ledger", "hold_lease"): "smsflow_leases",
    ("receipts", "known_messages"): "smsflow_marks",
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_statements_can_be_prepared(store: Store, subject: str) -> None:
    """The server parses each and resolves every table, column and type."""
    wrong = {}
    for name, text in statements(subject).items():
        try:
            _prepare(store, text)
        except (psycopg.Error, SchemaError) as error:
            wrong[name] = str(error)

    assert {} == wrong


def _prepare(store: Store, text: str) -> None:
    with store.transaction() as connection:
        connection.execute(f"PREPARE s AS {_with_places(text)}".encode())


def _with_places(text: str) -> str:
    """Write parameters as ``$1``."""
    numbered: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        return f"${numbered.setdefault(match[1], len(numbered) + 1)}"

    return re.sub(r"%\((\w+)\)s", place, text).replace("%%", "%")


def test_a_statement_about_one_delivery_locks_the_tables_of_no_other(store: Store) -> None:
    """A store keeps those of thousands, and a server has only so many locks."""
    numbers = [
        make_prepared(store, delivery_id=f"d{each}", count=3).preparation for each in range(4)
    ]
    partitioned = re.compile(rf"smsflow_({'|'.join(PARTITIONED)}|message_states)\b")
    locked = {
        f"{subject}.{name}": _locked_by_plan(store, text, preparation=numbers[1])
        for subject, name in NAMED
        if partitioned.search(text := statements(subject)[name])
    }

    assert len(locked) > 40
    assert {} == {name: found for name, found in locked.items() if found - {numbers[1]}}


def test_no_plan_is_made_for_whatever_delivery_may_come(store: Store) -> None:
    """The server tries one after ten times, if it may, and locks the tables of all deliveries."""
    text = statements("ledger")["read_messages"]
    with store.transaction() as connection:
        for position in range(15):
            connection.execute(text, {"preparation": 1, "first": position, "last": position})
        row = connection.execute(
            "SELECT sum(custom_plans) AS own, sum(generic_plans) AS generic"
            "  FROM pg_prepared_statements"
        ).fetchone()

    assert row is not None
    assert (True, 0) == (row["own"] >= 5, row["generic"])


def _locked_by_plan(store: Store, text: str, *, preparation: int) -> set[int]:
    """Plan a statement about one preparation; gives the preparations whose tables that locks."""
    with store.transaction() as connection:
        connection.execute(f"PREPARE s AS {_with_places(text)}".encode())
        row = connection.execute(
            "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 's'"
        ).fetchone()
        assert row is not None
        values = [_sample(each, number=preparation) for each in row["types"]]
        given = f"({', '.join(values)})" if values else ""
        connection.execute(f"EXPLAIN EXECUTE s{given}".encode())
        rows = connection.execute(
            "SELECT DISTINCT substring(c.relname from '_p([0-9]+)$')::int AS preparation"
            "  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE l.pid = pg_backend_pid() AND c.relname ~ '_p[0-9]+$'"
        ).fetchall()
    return {row["preparation"] for row in rows}


def _sample(type_: str, *, number: int) -> str:
    """Write a value of a type: *number*, wherever there may be one."""
    plain = type_.removesuffix("[]")
    if plain.startswith("timestamp") or plain == "date":
        value = "2026-11-01"
    else:
        value = {"json": "{}", "jsonb": "{}", "boolean": "true"}.get(plain, str(number))
    return f"'{{{value}}}'::{type_}" if type_.endswith("[]") else f"'{value}'::{type_}"


@pytest.mark.parametrize(("subject", "name"), NAMED)
def test_a_statement_says_what_it_is_for(subject: str, name: str) -> None:
    assert statements(subject)[name].startswith("-- ")


@pytest.mark.parametrize(("subject", "name"), list(HOT))
def test_a_hot_statement_walks_an_index(store: Store, subject: str, name: str) -> None:
    delivery = make_prepared(store, count=3000)
    values: dict[str, object] = {
        "preparation": delivery.preparation,
        "delivery_no": delivery.no,
        "first": 1000,
        "last": 1050,
        "scopes": [""],
        "lane": 0,
        "epoch": 1,
        "after": -1,
        "until": None,
        "chunk": 0,
        "next_position": 1,
        "is_free": False,
        "phones": [33600000001],
        **dict.fromkeys(COUNTERS, 0),
        "preparations": [delivery.preparation],
        "positions": [7],
        "with_gateways": True,
        "with_parts": False,
    }
    with store.transaction() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        rows = connection.execute(
            b"EXPLAIN " + statements(subject)[name].encode(), values
        ).fetchall()
    plan = "\n".join(row["QUERY PLAN"] for row in rows)

    scans = [line for line in plan.splitlines() if HOT[subject, name] in line]
    assert any("Index" in line for line in scans), plan
    assert not any("Seq Scan" in line for line in scans), plan


def test_a_missing_table_names_the_command_that_mends_it(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_approvals")
    with pytest.raises(SchemaError, match="smsflow db migrate"), store.transaction() as connection:
        connection.execute(
            statements("approvals")["find_approval"], {"delivery_no": 1, "preparation": 1}
        )
