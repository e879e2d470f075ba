"""
Rules in the store: published by whoever can read their files, read by whoever cannot.

A receiver that runs alone sees no folder of rules, and may lack the code of a gateway that a
worker has: both publish what they know, and what was published last holds for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.statements import statements

_SQL: Final = "rules"


def publish(
    connection: Connection, topic: str, documents: Mapping[str, Any], *, is_whole: bool
) -> None:
    """
    Put *documents* in the place of those of the same names.

    Writes nothing where they are there already, so that it may be called at every start.

    Args:
        topic: What the rules are about.
        documents: By name; what JSON can hold.
        is_whole: There are no others: what else the topic holds is deleted.
    """
    sqls = statements(_SQL)
    for name in sorted(documents):
        values = {"topic": topic, "name": name, "document": Jsonb(documents[name])}
        connection.execute(sqls["publish_document"], values)
    if is_whole:
        kept = {"topic": topic, "names": sorted(documents)}
        connection.execute(sqls["drop_other_documents"], kept)


def read_published(connection: Connection, topic: str) -> dict[str, Any]:
    """Read all documents of a topic by name; empty where none was published."""
    rows = connection.execute(statements(_SQL)["published_documents"], {"topic": topic})
    return {row["name"]: row["document"] for row in rows}
