"""Published networks that are the same function agree; one changed value is found, and its layer named."""

import re

import pytest

from convparity import assert_parity
from tests.support.published_pairs import PAIRS


@pytest.mark.parametrize("name", PAIRS)
def test_published_networks_agree_and_a_changed_one_does_not(name: str) -> None:
    pair = PAIRS[name]
    assert_parity(pair.first(), pair.second(), pair.shape, output=pair.output)
    wrong = pair.first()
    pair.change(wrong)
    first_layer = re.escape(f"first layer that differs: `{pair.layer}` (")
    with pytest.raises(AssertionError, match=rf"(?s){pair.seen}.* DIFFERS: .*{first_layer}"):
        assert_parity(wrong, pair.second(), pair.shape, output=pair.output)
