from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.person_keys import PersonKeys, phone_keys
from smsflow_provider.core.audience.rows import batch_of

ROW = st.tuples(
    st.sampled_from(["a", "b", "c", "1", "é"]),
    st.none() | st.sampled_from(["+33 6 12", "0033612", "0612", "", "?", "+44 7"]),
)


@given(known=st.lists(ROW, max_size=5), asked=st.lists(ROW, min_size=1, max_size=5))
def test_a_row_is_known_by_its_id_or_the_digits_of_its_phone(
    known: list[tuple[str, str | None]], asked: list[tuple[str, str | None]]
) -> None:
    def digits(phone: str | None) -> str | None:
        return "".join(filter(str.isdigit, phone or "")).removeprefix("00") or None

    ids = {one for one, _ in known}
    phones = {digits(phone) for _, phone in known} - {None}
    batch = batch_of(["recipient_id", "phone"], [(*row,) for row in asked])
    keys = [batch_of(["recipient_id", "phone"], [row]) for row in known]
    texts = [one.set_column(1, "phone", one.column(1).cast("string")) for one in keys]
    batch = batch.set_column(1, "phone", batch.column(1).cast("string"))

    by_both = PersonKeys.of(texts, by_id=True).are_in(batch).tolist()
    by_phone = PersonKeys.of(texts, by_id=False).are_in(batch).tolist()

    assert [one in ids or digits(phone) in phones for one, phone in asked] == by_both
    assert [digits(phone) in phones for _, phone in asked] == by_phone


@pytest.mark.parametrize("text", ["", "none", "1" * 19, "0" * 2])
def test_what_is_no_phone_has_no_key(text: str) -> None:
    assert [None] == phone_keys(pl.Series([text])).to_list()
