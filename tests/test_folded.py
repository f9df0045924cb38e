"""RepVGG's deployed form, with the arrays that `folded` makes of the trained one's, computes the same in evaluation."""

import numpy as np
import pytest

from common.oracle import reference
from common.spec import inputs
from common.spec.blocks.repvgg import folded, repvgg, repvgg_block
from common.spec.graph import BlockSpec
from common.spec.params import misfits, randomised

PAIRS = {
    "identity": (repvgg_block(6, 6), repvgg_block(6, 6, deployed=True), (2, 6, 9, 12)),
    "stride": (repvgg_block(5, 8, (2, 1)), repvgg_block(5, 8, (2, 1), deployed=True), (4, 5, 11, 8)),
    "network": (
        repvgg(2, 5, (1, 2), 4, 6),
        repvgg(2, 5, (1, 2), 4, 6, deployed=True),
        (4, 2, 40, 24),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_deployed_form_computes_what_the_trained_one_does(
    pair: tuple[BlockSpec, BlockSpec, tuple[int, ...]],
) -> None:
    trained, deployed, shape = pair
    arrays = {name: array.astype(np.float64) for name, array in randomised(trained, 3).items()}
    fewer = folded(arrays)
    assert not any(misfits(deployed, fewer).values())
    x = inputs.make("random", shape, 1)
    right, y = (reference.run(*form, x)[form[0].nodes[-1].name] for form in ((trained, arrays), (deployed, fewer)))
    np.testing.assert_allclose(y, right, rtol=1e-11, atol=1e-11 * np.abs(right).max())
    wrong = {name: np.where(name.endswith("conv.bias"), 0, array) for name, array in fewer.items()}
    assert np.abs(reference.run(deployed, wrong, x)[deployed.nodes[-1].name] - right).max() > 1e-3
