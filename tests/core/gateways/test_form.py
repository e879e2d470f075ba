"""Values of forms are written as the standard library writes them."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.gateways.form import quoted, quoted_address

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" +&=%~-_.?/:\r\n\0é€😀")
)


@given(TEXTS)
def test_a_value_is_written_as_the_standard_library_writes_it(text: str) -> None:
    whole = quote_plus(text)

    assert (whole, whole) == (quoted(text), quoted_address(text))


def test_what_is_no_text_is_refused_and_not_quoted() -> None:
    with pytest.raises(RefusedError) as caught:
        quoted("secret \ud800")

    assert ("bad_text", False) == (caught.value.facts["code"], "secret" in str(caught.value))
