"""Modules as they are, with their own weights: which array is wrong and how, or that it is the code."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.port import held
from common.port.weights import PortError
from convparity import assert_parity, compare
from report.port.modules import input_of
from tests.test_cli import status

kinds = pytest.importorskip("tests.support.kinds", reason="needs torch")
nn: Any = kinds.nn
X = np.random.default_rng(0).standard_normal((2, 3, 6, 8), np.float32)
CODE = "the arrays, not the code: with the arrays of the first, the second computes the same"


def net() -> Any:
    made = kinds.tail(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(32, 8), nn.Linear(8, 8))
    with kinds.torch.no_grad():
        for value in made.state_dict().values():
            value.copy_(kinds.torch.rand(value.shape) + 0.5 if value.is_floating_point() else value)
    return made.eval()


def put(array: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """Replaces an array of a state by a function of it."""

    def changed(state: dict[str, Any]) -> None:
        state[array].copy_(change(state[array].clone()).reshape(state[array].shape))

    return changed


def exchanged(state: dict[str, Any]) -> None:
    weight = state["1.weight"].clone()
    state["1.weight"].copy_(state["1.bias"])
    state["1.bias"].copy_(weight)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "reshaped": (
        put("0.weight", lambda a: a.permute(2, 3, 1, 0)),
        "`0.weight` (`0.weight` in the first) is reshaped where it must be transposed: numbers in the order hwIO are "
        "read as OIhw",
    ),
    "transposed": (put("6.weight", lambda a: a.T), "is transposed: its axes are the axes (1, 0) of the right one"),
    "flipped": (put("3.weight", lambda a: a.flip(2, 3)), "is flipped along its axes (2, 3)"),
    "flattened": (
        put("5.weight", lambda a: a.reshape(8, 4, 8).transpose(1, 2)),
        "is not in the order of this flatten (inputs after a flatten of 4 channels, which come last): it must be",
    ),
    "colours": (put("0.weight", lambda a: a.flip(1)), "has its numbers along axis 1 in another order: 2, 1, 0"),
    "exchanged": (exchanged, "`1.weight` (`1.weight` in the first) is exchanged with `1.bias`"),
    "of another": (lambda state: state["1.weight"].copy_(state["1.bias"]), "holds the numbers of `1.bias`"),
    "a deviation": (put("1.running_var", lambda a: a.sqrt()), "is the square root of what it must be"),
    "scaled": (put("1.running_var", lambda a: a * 1.25), "is 1.25 times what it must be"),
    "new": (put("1.running_mean", lambda a: 0 * a), "is 0 everywhere, as in a new layer: not loaded"),
    "drawn": (put("3.weight", kinds.torch.randn_like), "nothing in common with the right ones: not loaded"),
    "rounded": (put("3.weight", lambda a: a.half().float()), "is rounded, as in float16: relative errors reach"),
    "in part": (put("6.bias", lambda a: a + kinds.torch.eye(8)[2]), "differs in 1 of 8 numbers, first at (2,)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_the_wrong_array_is_named_and_what_was_done_to_it(kind: str) -> None:
    first, (change, message) = net(), WRONG[kind]
    second = copy.deepcopy(first)
    change(second.state_dict())
    comparison = compare(first, second, X, as_is=True)
    assert not comparison.agrees
    assert message in comparison.reasons[0]
    assert comparison.reasons[-1] == CODE


def test_equal_weights_agree_and_other_code_is_told_from_arrays() -> None:
    first = net()
    second = copy.deepcopy(first)
    assert_parity(first, second, X, as_is=True)
    assert_parity(net(), net(), X.shape)
    with pytest.raises(AssertionError, match=r"why: array `0\.weight`"):
        assert_parity(net(), net(), X, as_is=True)
    second[1].eps = 1e-3
    with pytest.raises(AssertionError, match=r"the code: all arrays are equal; .* first layer that differs is `1`"):
        assert_parity(first, second, X, as_is=True)


def test_what_outputs_do_not_show_is_said() -> None:
    first = net().train()
    second = copy.deepcopy(first)
    second[6].weight.data[:] = second[6].bias.data[:] = first[6].weight.data[:] = first[6].bias.data[:] = 1
    second[5].bias.data[:4] += 1
    second[5].bias.data[4:] -= 1
    comparison = compare(first, second, X, as_is=True)
    notes = "\n".join(comparison.notes)
    assert "the outputs do not show it, but array `5.bias`" in notes
    assert "the first module is in training mode as it stands; it is compared in evaluation" in notes
    assert all(finding.what != "parameters" for finding in comparison.findings), "the arrays differ"


def test_arrays_in_other_layers_are_not_compared_and_outputs_are() -> None:
    first = net()
    two = nn.Conv2d(4, 2, 3), nn.Conv2d(4, 2, 3)
    for number, part in enumerate(two):
        part.load_state_dict({n: a[2 * number : 2 * number + 2] for n, a in first[3].state_dict().items()})
    halves = kinds.Made(lambda net, x: kinds.torch.cat([net.a(x), net.b(x)], 1), a=two[0], b=two[1])
    second = nn.Sequential(*first[:3], halves, *first[4:])
    assert_parity(first, second, X, as_is=True)
    two[0].bias.data += 1
    comparison = compare(first, second, X, as_is=True)
    assert not comparison.agrees
    assert "arrays were not compared: the layers do not match" in comparison.reasons[0]


@pytest.mark.needs("flax")
def test_linen_and_nnx_and_a_function_hold_weights_too() -> None:
    import jax
    from flax import linen, nnx

    first = nn.Sequential(kinds.conv(), nn.Flatten(), nn.Linear(96, 5))
    kernel, bias, matrix, shift = (value.detach().numpy() for value in first.parameters())
    right = matrix.reshape(5, 4, 24).transpose(0, 2, 1).reshape(5, 96).T
    variables = {
        "params": {"a": {"kernel": kernel.transpose(2, 3, 1, 0), "bias": bias}, "b": {"kernel": right, "bias": shift}}
    }

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            x = linen.Conv(4, (3, 3), padding="VALID", name="a")(x)
            return linen.Dense(5, name="b")(x.reshape(len(x), -1))

    assert_parity(first, (Net(), variables), X, as_is=True)
    variables["params"]["b"]["kernel"] = matrix.T
    with pytest.raises(AssertionError, match=r"array `b.weight` .* flatten of 4 channels, which come first"):
        assert_parity(first, Net().bind(variables), X, as_is=True)
    own: Any = nnx.Conv(3, 4, (3, 3), padding="VALID", rngs=nnx.Rngs(0))
    own.kernel.set_value(kernel.reshape(3, 3, 3, 4))
    own.bias.set_value(bias)
    with pytest.raises(AssertionError, match="numbers in the order OIhw are read as hwIO"):
        assert_parity(first[0], own, X, as_is=True)
    with pytest.raises(PortError, match=r"a linen module holds no arrays: give \(module, variables\)"):
        compare(first, Net(), X, as_is=True)


def test_ids_of_tokens_are_inputs() -> None:
    ids = input_of("2x7:int20")
    first, second = (nn.Sequential(nn.Embedding(20, 6), nn.Linear(6, 3)) for _ in range(2))
    assert_parity(first, second, ids.values)  # pyright: ignore[reportAttributeAccessIssue]
    second[0].padding_idx, second[0].max_norm = None, 0.5
    with pytest.raises(AssertionError, match="first layer that differs: `0`"):
        assert_parity(first, second, np.arange(8).reshape(2, 4))
    for text in ("2x7:int", "2x7:int0", "2x7:int-3", "2x7:intx"):
        with pytest.raises(PortError, match=f"`--input {text}` must say below which number"):
            input_of(text)


def test_the_command_reads_an_input_and_says_which_array_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "import torch\ndef net(bias):\n    net = torch.nn.Conv2d(3, 2, 3)\n    torch.nn.init.ones_(net.weight)\n"
    (tmp_path / "net.py").write_text(code + "    torch.nn.init.constant_(net.bias, bias)\n    return net\n")
    np.save(tmp_path / "x.npy", X)
    assert status("compare", "net.py:net(3.)", "net.py:net(2.)", "--input", "x.npy", "--as-is") == 1
    assert "why: array `bias` (`bias` in the first) is 2 everywhere" in capsys.readouterr().out
    np.save(tmp_path / "x.npy", np.array([np.inf]))
    (tmp_path / "y.npy").write_bytes(b"no array")
    for name, message in (("x", "it has numbers that are not finite"), ("y", ""), ("z", "No such file")):
        with pytest.raises(PortError, match=rf"the input {name}.npy: {message}"):
            input_of(f"{name}.npy")


def test_equal_arrays_have_nothing_wrong() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert held.wrong({"a": array, "b": array}, {"a": array * (1 + 1e-7)}) == {}
    assert held.wrong({"a": array}, {"a": array * np.nan}) == {"a": "has numbers that are not finite"}
