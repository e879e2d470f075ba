"""
``smsflow receiver``: receipts and replies of gateways, without Airflow's API server.

This process applies what comes in; its children take the calls.
"""

from __future__ import annotations

import argparse
import os

from smsflow_provider.cli.reach import add_store_argument, reach_store, stdout_kept
from smsflow_provider.core.delivery.signing import read_signer
from smsflow_provider.core.delivery.tokens import check_public_url, inbound_url
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import check_schema
from smsflow_provider.hooks.dialects import read_dialects
from smsflow_provider.receiver.processes import python_module, run_children
from smsflow_provider.receiver.serve import listen
from smsflow_provider.receiver.stored import applying_aside

#: Airflow's own variable for ``[smsflow] public_url``.
PUBLIC_URL_VARIABLE = "AIRFLOW__SMSFLOW__PUBLIC_URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8891, help="port to listen on (8891)")
    parser.add_argument("--workers", type=_workers, default=1, help="processes that take calls (1)")
    parser.add_argument(
        "--public-url",
        metavar="URL",
        default=os.environ.get(PUBLIC_URL_VARIABLE, ""),
        help=f"where gateways reach it, which is what they sign; else {PUBLIC_URL_VARIABLE}",
    )
    parser.add_argument(
        "--addresses",
        action="store_true",
        help="print the address of each gateway's replies, to be entered there, and end",
    )
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Listen until interrupted, or print addresses."""
    store = reach_store(args)
    public_url = _public_url(args)
    if args.addresses:
        return _print_addresses(store, public_url)
    check_schema(store)
    with listen(args.host, args.port) as listener, applying_aside(store):
        run_children(
            python_module("smsflow_provider.cli.receiver_process"),
            listener=listener,
            told={"dsn": store.dsn, "public_url": public_url},
            count=args.workers,
        )
    return 0


def _public_url(args: argparse.Namespace) -> str:
    if args.public_url:
        check_public_url(args.public_url)
    return str(args.public_url)


def _print_addresses(store: Store, public_url: str) -> int:
    signer = read_signer(store)
    with stdout_kept():
        dialects = read_dialects(store)
    for conn_id, dialect in sorted(dialects.items()):
        address = inbound_url(
            public_url or "https://<public_url>",
            conn_type=dialect.name,
            conn_id=conn_id,
            signer=signer,
        )
        print(f"{conn_id}\t{address}")
    return 0


def _workers(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 64:
        raise argparse.ArgumentTypeError("must be 1 to 64")
    return count
