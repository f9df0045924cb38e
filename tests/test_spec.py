"""What a spec accepts, what it becomes, and what it says when it is not valid."""

from itertools import chain
from pathlib import Path

import pytest

from common.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    ReLU,
)
from common.layers.values import SpecError, resolve_padding
from common.names import UnknownName
from common.spec import BlockSpec, Node, blocks
from common.spec.catalogue import CATALOGUE, NETWORKS, PROFILES, block, cases, names, published_cases, timed_cases


def test_every_file_of_blocks_is_a_family_and_every_block_of_it_an_entry() -> None:
    files = Path(blocks.__file__).parent.glob("[!_]*.py")
    assert {family.__name__ for family in blocks.FAMILIES} == {f"{blocks.__name__}.{file.stem}" for file in files}
    made = [
        name
        for family in blocks.FAMILIES
        for name, value in vars(family).items()
        if hasattr(value, "__wrapped__") and value.__module__ == family.__name__
    ]
    assert set(made) == set(names())


def test_every_block_is_checked_and_timed_and_its_cases_are_its_own() -> None:
    for selection in (cases(), timed_cases("full"), published_cases()):
        assert len({case.id for case in selection}) == len(selection)
    for name, entry in CATALOGUE.items():
        assert entry.cases, name
        assert "quick" in entry.timed or (name in NETWORKS and entry.timed), name  # most networks take too long for it
        assert set(entry.timed) <= set(PROFILES), name
        assert {case.spec.family for case in (*entry.cases, *chain(*entry.timed.values()), *entry.published)} == {name}


def test_a_timed_case_with_a_checked_one_s_name_has_its_arrays() -> None:
    """The report counts the arrays of the checked one beside what the spec of the other says."""
    checked = {case.id: case.spec for case in cases()}
    for case in (*timed_cases("full"), *published_cases()):
        twin = checked.get(case.id.rpartition("-")[0], case.spec)
        assert twin.params() == case.spec.params(), case.id


def test_cases_are_such_that_a_wrong_port_cannot_pass() -> None:
    options = [case.spec.options for case in cases()]
    assert any(case.input_shape[2] != case.input_shape[3] for case in cases())
    for case in cases():
        # 4x4 and 3x3 are the sources' own; 224 is MobileNet's.
        assert case.input_shape[2] != case.input_shape[3] or case.input_shape[2] in (3, 4, 64, 224), case.id
    assert {o["alpha"] for o in options if "alpha" in o} >= {0.25, 0.5, 0.75, 1.0}
    assert {o["affine"] for o in options if "affine" in o} == {True, False}
    assert {o["bias"] for o in options if "bias" in o} == {True, False}
    assert any(o.get("dilation") not in (None, (1, 1)) for o in options)
    assert any(o.get("stride") == (2, 2) for o in options)
    assert any(o.get("kernel_size", (1, 1))[0] % 2 == 0 for o in options)


def test_options_become_complete_tuples() -> None:
    spec = block("depthwise_separable", in_channels=3, out_channels=8, kernel_size=5, stride=(2, 1), padding=2)
    assert spec.options["kernel_size"] == (5, 5)
    assert spec.options["stride"] == (2, 1)
    assert spec.options["padding"] == ((2, 2), (2, 2))
    assert spec.options["negative_slope"] == 0.1


def test_parameters_are_in_network_order() -> None:
    spec = block("depthwise_separable", in_channels=3, out_channels=8)
    assert [param.name for param in spec.params()][:7] == [
        "depthwise.conv.weight",
        "depthwise.conv.bias",
        "depthwise.norm.weight",
        "depthwise.norm.bias",
        "depthwise.norm.running_mean",
        "depthwise.norm.running_var",
        "pointwise.conv.weight",
    ]
    assert spec.params()[0].shape == (3, 1, 3, 3)
    assert [param.name for param in spec.params() if not param.trainable] == [
        f"{part}.norm.{leaf}" for part in ("depthwise", "pointwise") for leaf in ("running_mean", "running_var")
    ]


def test_an_option_about_initial_values_is_no_argument_of_a_framework() -> None:
    spec = block("mobilenet_v1", group_aware_init=True)
    assert spec.options["group_aware_init"]
    assert "group_aware_init" not in spec.arguments


@pytest.mark.parametrize(
    ("rule", "kernel", "stride", "expected"),
    [
        ("valid", (3, 3), (1, 1), ((0, 0), (0, 0))),
        ("same", (3, 5), (1, 1), ((1, 1), (2, 2))),
        ("same", (4, 2), (1, 1), ((1, 2), (0, 1))),
        ("kernel_minus_stride", (3, 3), (2, 2), ((1, 1), (1, 1))),
        ("kernel_minus_stride", (2, 2), (1, 1), ((1, 1), (1, 1))),
        ("kernel_minus_stride", (1, 1), (3, 3), ((0, 0), (0, 0))),
    ],
)
def test_padding_rules(rule: str, kernel: tuple[int, int], stride: tuple[int, int], expected: object) -> None:
    assert resolve_padding(rule, kernel, stride, (1, 1)) == expected


def test_same_counts_the_dilation() -> None:
    assert resolve_padding("same", (3, 3), (1, 1), (2, 3)) == ((2, 2), (3, 3))


def test_the_published_rule_does_not_keep_the_size_of_an_even_kernel() -> None:
    spec = block("depthwise_conv", channels=3, kernel_size=2, padding="kernel_minus_stride")
    assert spec.output_shape((1, 3, 4, 4)) == (1, 3, 5, 5)


BAD = [
    ("standard_conv", {"in_channels": 0, "out_channels": 1}, "`in_channels` (=0) must be a positive integer"),
    ("standard_conv", {"in_channels": 3}, "`standard_conv`: missing a required argument: 'out_channels'"),
    ("standard_conv", {"in_channels": 3, "out_channels": 2.5}, "`out_channels` (=2.5) must be an integer"),
    ("standard_conv", {"in_channels": True, "out_channels": 2}, "`in_channels` (=True) must be an integer"),
    ("standard_conv", {"in_channels": 3, "out_channels": 4, "stride": 0}, "`stride` (=0) must be an integer >= 1"),
    ("standard_conv", {"in_channels": 3, "out_channels": 4, "padding": -1}, "`padding` (=-1) must be an integer >= 0"),
    ("standard_conv", {"in_channels": 3, "out_channels": 4, "padding": "half"}, "choose from valid, same"),
    ("standard_conv", {"in_channels": 3, "out_channels": 4, "padding": "same", "stride": 2}, "needs stride 1"),
    (
        "standard_conv",
        {"in_channels": 3, "out_channels": 4, "kernal": 3},
        "`kernal` is not an option of `standard_conv`",
    ),
    (
        "grouped_conv",
        {"in_channels": 8, "out_channels": 6, "groups": 3},
        "`groups` (=3) must divide `in_channels` (=8)",
    ),
    (
        "grouped_conv",
        {"in_channels": 6, "out_channels": 8, "groups": 3},
        "`groups` (=3) must divide `out_channels` (=8)",
    ),
    ("conv_bn_act", {"in_channels": 3, "out_channels": 4, "eps": 0.0}, "`eps` (=0.0) must be greater than 0"),
    ("conv_bn_act", {"in_channels": 3, "out_channels": 4, "momentum": 2.0}, "`momentum` (=2.0) must lie in [0, 1]"),
    ("conv_bn_act", {"in_channels": 3, "out_channels": 4, "bias": "yes"}, "`bias` (='yes') must be true or false"),
    ("mobilenet_v1", {"alpha": float("inf")}, "`alpha` (=inf) must be finite"),
    ("mobilenet_v1", {"alpha": 0.01}, "`alpha` (=0.01) must leave the stem"),
    ("ghost_module", {"in_channels": 3, "out_channels": 4, "ratio": 1}, "`ratio` (=1) must be at least 2"),
    ("ghost_module", {"in_channels": 3, "out_channels": 4, "kernel_size": 2}, "`kernel_size` (=(2, 2)) must be odd"),
    ("resnet", {"depths": 3}, "`depths` (=3) must be a list of the number of blocks in each stage"),
    ("resnet", {"depths": [2, 0]}, "`depths` (=0) must be a positive integer"),
    ("mobilenet_v2", {"depths": [1] * 8}, "`depths` (=(1, 1, 1, 1, 1, 1, 1, 1)) must be at most 7 numbers"),
    ("mobilenet_v3", {"blocks": 12, "large": False}, "`blocks` (=12) must be from 1 to 11, or 0 for all"),
    ("inverted_residual", {"in_channels": 3, "out_channels": 4, "hidden": 6, "act": "swish"}, "one of relu, relu6, "),
    ("shuffle_unit", {"in_channels": 4, "out_channels": 6}, "must be `in_channels` (=4) at stride 1"),
    ("conv_stack", {"in_channels": 3, "depth": 0}, "`depth` (=0) must be a positive integer"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_bad_options_are_refused_in_one_line(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        block(name, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_block_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownName, match=r"unknown block `lstm`; choose from standard_conv, .*squeezenet"):
        block("lstm")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 4, 8, 8), "has 4 channels; `mobilenet_v1` takes 3"),
        ((1, 3, 32, 32), "`pool`: `height` (=1) with padding (0, 0) is smaller than the kernel, which spans 7"),
        ((3, 224, 224), "must be (batch, channels, height, width)"),
        ((0, 3, 224, 224), "each at least 1"),
        ((1, 3, 512, 512), "`linear`: `in_features` (=1024) does not match its input, of shape (1, 4096)"),
    ],
)
def test_bad_inputs_name_the_layer(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        block("mobilenet_v1").output_shape(shape)
    assert message in str(caught.value)


CONV = Conv2d(3, 4)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([Node("a", CONV), Node("a", ReLU())], "`a` names two layers"),
        ([Node("a", CONV, ("b",)), Node("b", ReLU())], "`a` reads `b`, which is not before it; choose from input"),
        ([Node("a", CONV), Node("b", BatchNorm2d(5))], "`b`: `num_features` (=5) does not match the 4 channels"),
        ([Node("a", CONV), Node("b", Add(), ("a", "input"))], "`b`: add needs equal channels, not 4, 3"),
        ([Node("a", CONV), Node("b", ReLU(), ("a", "input"))], "`b` (ReLU) takes one input, not 2"),
        ([Node("a", CONV), Node("b", ChannelSlice(0, 5))], "`stop` (=5) exceeds the 4 channels"),
        (
            [Node("a", CONV), Node("b", Concat(), ("a", "input")), Node("c", Conv2d(6, 2))],
            "does not match the 7 channels",
        ),
    ],
)
def test_graphs_that_do_not_fit_are_refused(nodes: list[Node], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        BlockSpec("mine", {}, 3, tuple(nodes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeakyReLU(1.5), "`negative_slope` (=1.5) must lie in [0, 1)"),
        (lambda: Dropout(1.0), "`rate` (=1.0) must lie in [0, 1)"),
        (lambda: ChannelSlice(3, 3), "0 <= start < stop, not 3:3"),
        (lambda: AvgPool2d((2, 2), padding=(2, 2)), "at most half of `kernel_size`"),
        (lambda: Linear(0, 3), "`in_features` (=0) must be a positive integer"),
    ],
)
def test_layers_refuse_what_cannot_be(make: object, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()  # type: ignore[operator]
    assert message in str(caught.value)


def test_a_graph_of_ones_own() -> None:
    spec = BlockSpec(
        "residual",
        {},
        4,
        (
            Node("conv", Conv2d(4, 4, (3, 3), padding=((1, 1), (1, 1)))),
            Node("sum", Add(), ("conv", "input")),
            Node("both", Concat(), ("sum", "conv")),
            Node("pool", GlobalAvgPool2d()),
            Node("flat", Flatten()),
            Node("linear", Linear(8, 5)),
        ),
    )
    assert spec.shapes((2, 4, 5, 7))["both"] == (2, 8, 5, 7)
    assert spec.output_shape((2, 4, 5, 7)) == (2, 5)
