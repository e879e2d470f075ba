"""Reaching the store from a command line, and keeping stdout for the answer."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store

_STORE_HELP = (
    "libpq connection string of the store; else the variable SMSFLOW_STORE, else Airflow's"
    " connection smsflow_store"
)


def add_store_argument(parser: argparse.ArgumentParser) -> None:
    """Let a verb be told which store."""
    parser.add_argument("--store", metavar="DSN", help=_STORE_HELP)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Let a verb answer for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document and nothing else"
    )


def reach_store(args: argparse.Namespace) -> Store:
    """
    Find the store: the flag, the variable, Airflow's connection, in this order.

    Raises:
        ConfigError: None of the three is there, with all three; or the string cannot be read.
    """
    dsn = getattr(args, "store", None) or os.environ.get("SMSFLOW_STORE")
    if dsn:
        return Store(_checked(dsn))
    with stdout_kept():
        from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415  takes seconds

        from smsflow_provider.hooks.find_store import find_store  # noqa: PLC0415  same

        try:
            return find_store()
        except AirflowNotFoundException:
            raise ConfigError(
                "there is no store: give --store DSN, or set SMSFLOW_STORE, or make the Airflow"
                " connection smsflow_store"
            ) from None


def _checked(dsn: str) -> str:
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # The driver's own words quote the string, and with it the password.
        problem = ConfigError(
            "the connection string of the store cannot be read: write"
            " postgresql://user:password@host:5432/database"
        )
    else:
        return dsn
    raise problem


def words_for(error: Exception) -> str | None:
    """Say what went wrong with the store, without the driver's words. None: something else."""
    if not isinstance(error, psycopg.Error):
        return None
    state = f", SQLSTATE {error.sqlstate}" if error.sqlstate else ""
    return f"the store failed ({type(error).__name__}{state})"


@contextlib.contextmanager
def stdout_kept() -> Iterator[None]:
    """
    Send whatever libraries print to stdout to stderr instead, also from below Python.

    Log handlers made meanwhile keep writing to stderr afterwards.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
