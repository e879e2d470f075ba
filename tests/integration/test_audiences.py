"""Audiences kept under a name, on a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.saved import find_saved, save
from smsflow_provider.core.errors import AudienceError, NotFoundError
from smsflow_provider.core.store.audiences import (
    find_audience,
    list_audiences,
    list_versions,
    save_audience,
)
from smsflow_provider.core.store.connection import Store

REFERENCE = AudienceReference(
    uri="file:///artifacts/who.parquet",
    count=3,
    fingerprint="ab" * 32,
    columns=(Column(name="recipient_id", kind="text"), Column(name="phone", kind="text")),
)


def test_a_saved_audience_is_found_again_whole(store: Store) -> None:
    version = save_audience(
        store, "vip", REFERENCE, columns=[("phone", "text")], dag_id="team.sale", run_id="r1"
    )
    found = find_audience(store, "vip")

    assert 1 == version
    assert ("vip", 1) == (found.name, found.version)
    assert (REFERENCE.uri, 3, "ab" * 32) == (found.uri, found.count, found.fingerprint)
    assert (("phone", "text"),) == found.columns
    assert ("team.sale", "r1") == (found.dag_id, found.run_id)
    assert found.created_at.utcoffset() is not None


def test_every_save_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    save_audience(store, "vip", REFERENCE)
    save_audience(store, "vip", replace(REFERENCE, count=9))

    assert 9 == find_audience(store, "vip").count
    assert 3 == find_audience(store, "vip", version=1).count
    assert [2, 1] == [one.version for one in list_versions(store, "vip")]


def test_names_count_their_versions_apart(store: Store) -> None:
    assert [1, 1] == [save_audience(store, name, REFERENCE) for name in ("vip", "all")]


def test_savers_at_the_same_moment_get_different_versions(store: Store) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        versions = list(pool.map(lambda _: save_audience(store, "vip", REFERENCE), range(24)))

    assert list(range(1, 25)) == sorted(versions)


def test_an_unknown_name_is_told_with_the_near_one(store: Store) -> None:
    save_audience(store, "vip_france", REFERENCE)

    with pytest.raises(NotFoundError) as caught:
        find_audience(store, "vip_frnce")
    assert {"audience": "vip_frnce", "near": ["vip_france"]} == caught.value.facts


def test_an_unknown_version_is_told_with_the_newest(store: Store) -> None:
    save_audience(store, "vip", REFERENCE)

    with pytest.raises(NotFoundError) as caught:
        find_audience(store, "vip", version=7)
    assert {"audience": "vip", "version": 7, "newest": 1} == caught.value.facts


def test_the_list_has_the_newest_version_of_each_name(store: Store) -> None:
    for name in ("b", "a", "b"):
        save_audience(store, name, REFERENCE)

    assert [("a", 1), ("b", 2)] == [(one.name, one.version) for one in list_audiences(store)]


def test_a_name_nobody_saved_has_no_versions(store: Store) -> None:
    assert [] == list_versions(store, "vip")


def test_a_reference_is_saved_with_its_columns_and_found_as_a_reference(store: Store) -> None:
    save(store, "vip", REFERENCE, dag_id="d", run_id="r")

    assert REFERENCE == find_saved(store, "vip")
    assert REFERENCE == find_saved(store, "vip@1")


def test_a_version_in_the_name_is_that_version(store: Store) -> None:
    save(store, "vip", REFERENCE)
    save(store, "vip", replace(REFERENCE, count=9))

    assert [9, 3, 9] == [find_saved(store, name).count for name in ("vip", "vip@1", "vip@2")]


def test_a_bad_name_is_refused_before_the_store_is_asked() -> None:
    with pytest.raises(AudienceError):
        save(Store("host=nowhere.invalid"), "vip@3", REFERENCE)
