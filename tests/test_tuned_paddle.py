"""Paddle's tuned inference: the same function of the current arrays; it leaves the process as it was."""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from common.config import LAYOUTS
from common.oracle.optimisers import SGD
from common.protocols import Trained
from common.session.tasks import task
from common.spec.catalogue import Case, block
from common.spec.params import initial, randomised
from tests.test_timed import MOBILENET, SEPARABLE, assert_right

pytestmark = pytest.mark.needs("paddle")
NORMS = {"affine": {}, "plain": {"weight_attr": False, "bias_attr": False}, "scaled": {"bias_attr": False}}


def tuned(case: Case) -> Trained:
    from frameworks import paddle

    return paddle.build(case.spec, randomised(case.spec), variant="tuned")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ["ReLU", "LeakyReLU"])
def test_any_layer_agrees_with_its_predictor(activation: str, norm: str) -> None:
    import paddle
    from paddle import nn

    from frameworks.paddle.tuned import predictor

    layer = nn.Sequential(nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4, **NORMS[norm]), getattr(nn, activation)())
    layer(paddle.randn([2, 3, 8, 9]))  # moves the running statistics
    for shape in ([2, 3, 8, 9], [1, 3, 5, 6]):
        x = paddle.randn(shape)
        y = predictor(layer, shape)(x).numpy()
        assert layer.training
        layer.eval()
        assert np.allclose(y, layer(x).numpy(), atol=1e-5)
        layer.train()


def test_a_group_norm_of_elementary_operations_is_the_stock_one_there() -> None:
    import paddle
    from paddle import nn

    from frameworks.paddle.layers import ExactGroupNorm
    from frameworks.paddle.tuned import predictor

    layer = nn.Sequential(nn.Conv2D(3, 4, 3), ExactGroupNorm(2, 4, weight_attr=False, bias_attr=False))
    x = paddle.randn([2, 3, 8, 9])
    assert np.allclose(predictor(layer, x.shape)(x).numpy(), layer.eval()(x).numpy(), atol=1e-5)


@pytest.mark.parametrize("activation", ["ReLU", "LeakyReLU"])
def test_a_view_is_read_by_its_strides(activation: str) -> None:
    import paddle
    from paddle import nn

    from frameworks.paddle.tuned import predictor

    layer = nn.Sequential(nn.Conv2D(3, 4, 3), getattr(nn, activation)())
    x = paddle.randn([2, 8, 9, 3]).transpose([0, 3, 1, 2])
    assert not x.is_contiguous()
    assert np.allclose(predictor(layer, x.shape)(x).numpy(), layer(x).numpy(), atol=1e-5)


def test_a_copy_of_an_output_survives_the_next_call() -> None:
    import paddle
    from paddle import nn

    from frameworks.paddle.tuned import predictor

    run, x = predictor(nn.Conv2D(3, 4, 3), [1, 3, 8, 9]), paddle.ones([1, 3, 8, 9])
    kept = [run(x).numpy(), run(x).clone().numpy()]
    after = run(-x).numpy()
    assert all(np.allclose(output, kept[0]) and not np.allclose(output, after) for output in kept)
    assert np.array_equal(run(x).numpy(), kept[0])


@pytest.mark.parametrize("case", [SEPARABLE, MOBILENET], ids=["LeakyReLU", "ReLU"])
def test_forward_follows_the_arrays(case: Case) -> None:
    from frameworks import paddle

    built = tuned(case)
    x = task(case, "forward").x
    seen = [built.forward(x)]
    built.load(initial(case.spec))
    seen.append(built.forward(x))
    built.trajectory([(x, np.ones(case.spec.output_shape(x.shape), np.float32))], SGD())
    seen.append(built.forward(x))
    assert np.allclose(seen[-1], paddle.build(case.spec, built.params()).forward(x), atol=1e-5)
    assert all(not np.allclose(one, other, atol=1e-4) for one, other in itertools.pairwise(seen))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["usual", "compiled"])
@pytest.mark.parametrize("case", [SEPARABLE, MOBILENET], ids=["map", "logits"])
def test_what_is_timed_is_right(case: Case, form: str, layout: str) -> None:
    assert_right(tuned(case), task(case, "forward"), form, layout)


@pytest.mark.parametrize("mode", ["gradients", "step"])
def test_training_is_right(mode: str) -> None:
    assert_right(tuned(SEPARABLE), task(SEPARABLE, mode), "usual", "native")


def test_there_is_no_eager_form() -> None:
    with pytest.raises(ValueError, match=r"^unknown form of paddle tuned `eager`; choose from usual, compiled$"):
        tuned(SEPARABLE).timed("forward", task(SEPARABLE, "forward").x, None, "eager")


def test_dtypes_that_onednn_lacks_run_the_reference() -> None:
    from frameworks import paddle
    from frameworks.paddle.built import Built, Tuned

    arrays = randomised(SEPARABLE.spec)
    for dtype, kind in (("float64", Built), ("bfloat16", Built), ("float32", Tuned)):
        assert type(paddle.build(SEPARABLE.spec, arrays, dtype=dtype, variant="tuned")) is kind


def test_the_layers_can_be_seen() -> None:
    x = task(SEPARABLE, "forward").x
    built = tuned(SEPARABLE)
    outputs, _ = built.trace(x)
    assert np.allclose(outputs[SEPARABLE.spec.nodes[-1].name], built.forward(x), atol=1e-5)


def test_the_process_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import paddle

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    built = tuned(Case("leaky", block("conv_bn_act", in_channels=3, out_channels=4), (1, 3, 8, 9)))
    before = {name: array.copy() for name, array in built.params().items()}
    built.forward(np.ones((1, 3, 8, 9), np.float32))
    assert paddle.get_flags("FLAGS_enable_pir_api")["FLAGS_enable_pir_api"]
    assert paddle.base.framework.use_pir_api()
    assert paddle.in_dynamic_mode()
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == set()
    assert all(np.array_equal(array, before[name]) for name, array in built.params().items())
