"""The port computes what the original computes: outputs, gradients and running statistics."""

from functools import partial

import jax
import pytest
import stem_jax
from stem_torch import Stem

IMAGES = (2, 3, 16, 12)  # n, c, h, w, whatever the layout of a network is


def test_the_port_is_the_same_function(assert_parity):
    assert_parity(Stem(), (stem_jax.apply, *stem_jax.init(jax.random.key(0))), IMAGES)


def test_a_wrong_epsilon_would_be_found(assert_parity):
    wrong = partial(stem_jax.apply, eps=1e-5)
    with pytest.raises(AssertionError, match=r"first layer that differs: `norm` \(norm\)"):
        assert_parity(Stem(), (wrong, *stem_jax.init(jax.random.key(0))), IMAGES)
