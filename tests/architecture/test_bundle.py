"""The dashboard's bundle as it is kept: small, at home, without what Airflow lends."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "smsflow_provider" / "plugins" / "www" / "dist"
BUNDLE = DIST / "smsflow.js"
MOST_BYTES = 200_000
#: What only a copy of the library itself says: React, React's renderer, Emotion, Chakra, Zag.
OF_THE_HOST = (
    "Minified React error",
    "react.transitional.element",
    "unstable_batchedUpdates",
    "data-emotion",
    "defineSlotRecipe",
    "@zag-js/",
)
#: Names that texts of errors and of XML hold; nothing is loaded from there.
NAMED = ("https://formatjs.github.io/", "https://formatjs.io/", "http://www.w3.org/")


@pytest.fixture(scope="module")
def bundle() -> str:
    """The text of the bundle."""
    return BUNDLE.read_text(encoding="utf-8")


def test_there_is_one_script_and_the_icons_of_the_navigation() -> None:
    assert ["icon-dark.svg", "icon.svg", BUNDLE.name] == sorted(
        path.name for path in DIST.iterdir()
    )


def test_the_bundle_is_small_on_the_wire(bundle: str) -> None:
    size = len(gzip.compress(bundle.encode(), compresslevel=9))

    assert 10_000 < size < MOST_BYTES, f"{size:,} bytes gzipped of {MOST_BYTES:,}"


@pytest.mark.parametrize("words", OF_THE_HOST)
def test_the_bundle_holds_no_copy_of_what_airflow_lends(bundle: str, words: str) -> None:
    assert words not in bundle


def test_the_bundle_takes_what_airflow_lends(bundle: str) -> None:
    head = bundle[:2_000]

    assert [] == [
        name
        for name in ("React", "ReactJSXRuntime", "ReactRouterDOM", "ChakraUI")
        if not re.search(rf"\b{name}\b", head)
    ]


def test_the_bundle_loads_nothing_from_elsewhere(bundle: str) -> None:
    addresses = set(re.findall(r"(?:https?:|wss?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+/", bundle))

    assert set() == {each for each in addresses if not each.startswith(NAMED)}
    assert "import(" not in bundle
    assert "sourceMappingURL" not in bundle


def test_the_bundle_names_no_place_of_the_machine_that_built_it(bundle: str) -> None:
    assert [] == re.findall(r"node_modules|/home/\w+|/work/\w+|/tmp/\w+", bundle)
