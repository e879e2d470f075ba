"""``smsflow demo``: the whole path on one machine, with nothing installed but this package."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NoReturn

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import ConfigError, SmsflowError

if TYPE_CHECKING:
    from smsflow_provider.cli.demo.machines import Machines
    from smsflow_provider.cli.demo.screen import Screen

_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Run a campaign on this machine: PostgreSQL, Airflow, a gateway that sends nothing to "
        "anybody, 2,000 invented customers. Stays up until Ctrl-C when it has a terminal."
    )
    parser.add_argument(
        "--review",
        choices=("auto", "manual"),
        default="auto",
        help="who presses Send: the demo's manager over REST, or you in the UI (%(default)s)",
    )
    parser.add_argument("--port", type=int, default=_PORT, help="port of Airflow (%(default)s)")
    parser.add_argument(
        "--home",
        type=Path,
        default=None,
        help="folder for all files; emptied at each start (.demo in the checkout)",
    )
    parser.add_argument(
        "--remove", action="store_true", help="stop what a killed demo left, delete its files, end"
    )


def run(args: argparse.Namespace) -> int:
    """
    Tell the story and stop all that was started.

    Returns:
        0 when the campaign ran and its figures add up, 1 otherwise; why is on stderr. 130 after
        Ctrl-C before the end of the story.
    """
    # Airflow's client and the store are needed here only; parsing a command line loads neither.
    from smsflow_provider.cli.demo.machines import remove_home  # noqa: PLC0415
    from smsflow_provider.cli.demo.show import failure_lines  # noqa: PLC0415

    try:
        checkout = find_checkout()
        home = (args.home or checkout / ".demo").absolute()
        if args.remove:
            remove_home(home)
        else:
            _play(args, home=home, checkout=checkout)
    except SmsflowError as error:
        print("\n".join(failure_lines(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def find_checkout(package: Path = Path(__file__).parents[2]) -> Path:
    """
    Find the checkout this package is part of; the demo uses its ``dags`` folder.

    Raises:
        ConfigError: The package was installed without one.
    """
    checkout = package.parent
    if not (checkout / "dags").is_dir():
        raise ConfigError(
            "the demo uses the example workflows of a checkout, and there is none here",
            looked_in=str(checkout),
            do="clone the repository and run: make demo",
        )
    return checkout


def _play(args: argparse.Namespace, *, home: Path, checkout: Path) -> None:
    from smsflow_provider.cli.demo.machines import Machines  # noqa: PLC0415
    from smsflow_provider.cli.demo.screen import Screen  # noqa: PLC0415
    from smsflow_provider.cli.demo.story import Story  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _leave)
    screen = Screen(sys.stdout)
    now = utc_now()
    machines = Machines(
        home=home, checkout=checkout, port=args.port, today=now.date(), progress=screen.step
    )
    with machines:
        run_id = f"demo-{now:%Y%m%d-%H%M%S}"
        Story(machines=machines, screen=screen, run_id=run_id, review_by=args.review).tell()
        _farewell(machines, screen)
    screen.step("everything is stopped")


def _farewell(machines: Machines, screen: Screen) -> None:
    """Say where to look, and stay while somebody may look."""
    logins = ", ".join(
        f"{user.name}/{user.password} ({user.role.lower()})"
        for user in machines.airflow.users.values()
    )
    screen.lines([f"Airflow: {machines.airflow.base_url}", f"Logins:  {logins}"])
    screen.lines([f"Shell:   . {quote(str(machines.environment))} && smsflow deliveries"])
    screen.lines([f"Logs:    {machines.home}", ""])
    if screen.is_terminal and sys.stdin.isatty():
        screen.lines(["It stays up until you press Ctrl-C."])
        _stay(machines)


def _stay(machines: Machines) -> None:
    """Watch over the servers until Ctrl-C."""
    try:
        while not threading.Event().wait(2):
            machines.airflow.check()
    except KeyboardInterrupt:
        print()


def _leave(_number: int, _frame: object) -> NoReturn:
    """Treat the polite signal as Ctrl-C: everything is stopped on the way out."""
    raise KeyboardInterrupt
