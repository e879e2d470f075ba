"""``smsflow receiver``: the receipt endpoint on its own, without Airflow's API server."""

from __future__ import annotations

import argparse

from smsflow_provider.cli.reach import add_store_argument, reach_store
from smsflow_provider.receiver.serve import serve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8891, help="port to listen on (8891)")
    add_store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Listen until interrupted."""
    serve(reach_store(args), host=args.host, port=args.port)
    return 0
