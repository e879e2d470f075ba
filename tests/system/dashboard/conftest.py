"""Windows onto the dashboard in a real Airflow: logged in, watched for errors, then closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.requirements import require_program
from tests.system.conftest import System
from tests.system.dashboard import looking
from tests.system.dashboard.looking import (
    ROOT,
    Language,
    OpenPage,
    Picture,
    PictureBoth,
    Scheme,
    take_pictures,
)

# Airflow's pages take their time on a machine that does other things too.
expect.set_options(timeout=30_000)

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_LOCALES = {"en": "en-GB", "fr": "fr-FR"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Debian's Chromium, headless.

    One for each module, not for the folder: as long as it runs, nothing else of the process can use
    asyncio.
    """
    chromium = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=_ARGUMENTS)
        yield browser
        browser.close()


class Watched:
    """What went wrong in the windows of a test."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def watch(self, page: Page, *, tolerate: Sequence[str]) -> None:
        """Note errors of scripts and of the console, but for those that hold one of *tolerate*."""

        def note(what: str) -> None:
            if not any(each in what for each in tolerate):
                self.errors.append(what)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                note(f"console at {page.url}: {message.text[:400]}")

        def on_error(error: Error) -> None:
            note(f"script at {page.url}: {str(error)[:600]}")

        page.on("console", on_console)
        page.on("pageerror", on_error)


@pytest.fixture
def open_page(browser: Browser, system: System) -> Iterator[OpenPage]:
    """
    Open a path of Airflow in a window of its own, logged in, once our part of the page is there.

    The test fails at its end if the browser told of an error meanwhile. Give parts of the errors
    that must be there as *tolerate*, such as ``("409",)`` where the API is to refuse.

    Example:
        ``page = open_page("/plugin/smsflow/deliveries", user="viewer", width=390, scheme="dark")``
    """
    watched = Watched()
    contexts = []

    def open_one(
        path: str,
        *,
        user: str = "manager",
        width: int = 1280,
        height: int = 900,
        scheme: Scheme = "light",
        language: Language = "en",
        tolerate: Sequence[str] = (),
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=_LOCALES[language],
            timezone_id="Europe/Paris",
        )
        contexts.append(context)
        base = system.airflow.base_url
        context.add_cookies([{"name": "_token", "value": system.airflow.token(user), "url": base}])
        # Where Airflow keeps what a person chose.
        context.add_init_script(
            f"localStorage.setItem('i18nextLng', '{language}');"
            f"localStorage.setItem('theme', '{scheme}')"
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        watched.watch(page, tolerate=tolerate)
        page.goto(f"{base}{path}")
        page.locator(ROOT).first.wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [] == watched.errors


@pytest.fixture
def check_axe() -> Callable[[Page], None]:
    """Fail unless axe-core finds nothing in our part of a page."""
    return looking.check_axe


@pytest.fixture
def no_sideways_scroll() -> Callable[[Page], None]:
    """Fail if something of ours is wider than the window."""
    return looking.check_no_sideways_scroll


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """
    Take ``name_light.png`` and ``name_dark.png`` of an open page; fail if they are empty.

    With ``SMSFLOW_SCREENSHOTS=1`` they are kept in ``docs/images/dashboard``.
    """

    def take(page: Page, name: str) -> None:
        take_pictures(page, tmp_path, name)

    return take


@pytest.fixture
def picture_both(open_page: OpenPage, picture: Picture) -> PictureBoth:
    """
    Open a path, and take its pictures.

    Waits for the text *wait* to be there if it is given; other arguments are those of `open_page`.
    """

    def take(path: str, name: str, *, wait: str | None = None, **how: Any) -> None:
        page = open_page(path, **how)
        if wait is not None:
            page.get_by_text(wait).first.wait_for()
        picture(page, name)

    return take
