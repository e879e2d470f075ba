"""Forms are written as the standard library writes them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.gateways.form import encoded_form

VALUES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" +&=%~-_.\r\n\0é€😀"))


@given(st.dictionaries(st.sampled_from(["To", "From", "Body"]), VALUES))
def test_a_form_reads_as_urlencode_writes_it(form: dict[str, str]) -> None:
    assert urlencode(form).encode() == encoded_form(form.items())


def test_what_is_no_text_is_refused_and_not_quoted() -> None:
    with pytest.raises(RefusedError) as caught:
        encoded_form([("Body", "secret \ud800")])

    assert ("bad_text", False) == (caught.value.facts["code"], "secret" in str(caught.value))
