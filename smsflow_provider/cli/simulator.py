"""``smsflow simulator``: run a gateway on this machine that sends nothing to anybody."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.settings import declared_settings
from smsflow_provider.simulator.behaviour import Behaviour

#: Holds the API key; a key on the command line would show in the list of processes.
API_KEY_VARIABLE = "SMSFLOW_SIMULATOR_API_KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options: where to listen, the seed, and one for each setting of `Behaviour`."""
    parser.description = (
        "Run a simulated SMS gateway: it takes messages, remembers them, reports receipts and "
        f"misbehaves on demand. An API key, if any, is read from {API_KEY_VARIABLE}."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8890, help="0: any free one (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is left to chance")
    for name, each in declared_settings(Behaviour).items():
        _add_setting(parser, name, default=each.default, metadata=each.metadata)


def _add_setting(
    parser: argparse.ArgumentParser, name: str, *, default: Any, metadata: Any
) -> None:
    flag = f"--{name.replace('_', '-')}"
    words = f"{metadata['description'][0].lower()}{metadata['description'][1:]}"
    if isinstance(default, bool):
        parser.add_argument(flag, dest=name, action="store_true", default=None, help=words)
        return
    parser.add_argument(
        flag,
        dest=name,
        metavar=type(default).__name__.upper(),
        help=f"{words} ({default!r})",
    )


def run(args: argparse.Namespace) -> int:
    """
    Serve until interrupted.

    Returns:
        0 after SIGINT or SIGTERM, 2 when it could not start; why is on stderr.
    """
    # The web server is needed here only; parsing a command line must not load it.
    from smsflow_provider.simulator.server import listen, make_app  # noqa: PLC0415
    from smsflow_provider.simulator.server import run as serve  # noqa: PLC0415

    given = {name: getattr(args, name) for name in declared_settings(Behaviour)}
    try:
        behaviour = Behaviour.from_mapping({k: v for k, v in given.items() if v is not None})
        app = make_app(behaviour, api_key=os.environ.get(API_KEY_VARIABLE, ""), seed=args.seed)
        listening = listen(args.host, args.port)
    except ConfigError as error:
        print(f"smsflow simulator: {error}", file=sys.stderr)
        return 2
    host, port = listening.getsockname()[:2]
    print(f"The simulator listens at http://{host}:{port}", file=sys.stderr, flush=True)
    serve(app, listening=listening)
    return 0
