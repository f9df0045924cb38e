"""What README, its pages and docs/fast print works: their Python is run, their commands are read."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from common.bench import sweeps
from common.protocols import Backend
from convparity import assert_parity
from frameworks import BACKENDS
from report.cli import cli, main
from report.guide.fast_steps import STEPS, in_order
from report.paths import DOCS, HERE, ROOT
from tests.support import nets
from tests.support.installed import unpacked

README, CHINESE = (ROOT / name for name in ("README.md", "README.zh-CN.md"))
BY_HAND = (README, *(HERE / f"{name}.md" for name in ("USING", "PORTING", "READING")), ROOT / "CONTRIBUTING.md")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = [block for path in BY_HAND[:-1] for block in FENCED.findall(path.read_text("utf-8"))]
BLOCKS = [text for language, text in CODE if language == "python"]
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for language, text in CODE
    if not language
    for line in text.replace("\\\n", " ").splitlines()
    if line.startswith("convparity ")
]
IMAGES, CHANNELS = (2, 8, 9, 10), 8


def net(name: str) -> dict[str, Any]:
    """The names that a reader has already: a small net, called ``module``, ``layer`` or ``apply``, and its input."""
    x = np.random.default_rng(0).integers(-4, 5, IMAGES).astype(np.float32)
    if name == "torch":
        import torch
        from torch import nn

        stem = nn.Sequential()
        stem.add_module("conv", nn.Conv2d(CHANNELS, CHANNELS, 3))
        stem.add_module("norm", nn.BatchNorm2d(CHANNELS))
        module = nn.Sequential()
        module.add_module("stem", stem)
        return {"torch": torch, "module": module.eval(), "x": torch.from_numpy(x)}
    if name == "paddle":
        import paddle
        from paddle import nn

        layer = nn.Sequential(nn.Conv2D(CHANNELS, CHANNELS, 3), nn.BatchNorm2D(CHANNELS))
        layer.eval()
        return {"paddle": paddle, "layer": layer, "x": paddle.to_tensor(x)}
    import jax
    from jax import lax

    x = x.transpose(0, 2, 3, 1)
    kernel = np.ones((3, 3, 1, CHANNELS), np.float32)
    if name == "jax":
        how = {"window_strides": (1, 1), "padding": "SAME", "feature_group_count": CHANNELS}
        how["dimension_numbers"] = ("NHWC", "HWIO", "NHWC")
        apply = lambda params, x: lax.conv_general_dilated(x, params, **how)  # noqa: E731
        return {"jax": jax, "x": x, "kernel": kernel, "params": kernel, "apply": apply}
    from flax import nnx

    rngs = nnx.Rngs(0)
    module = nnx.Sequential(nnx.Conv(CHANNELS, CHANNELS, (3, 3), rngs=rngs))
    return {"nnx": nnx, "rngs": rngs, "channels": CHANNELS, "module": module, "x": x}


def test_the_steps_of_the_fast_pages_run_as_printed(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they import is installed first, as docs/fast/index.md says."""
    monkeypatch.syspath_prepend(unpacked("jax" if backend.NAME == "flax" else backend.NAME, tmp_path))
    names = net(backend.NAME)
    steps = [step.how for step in STEPS[backend.NAME].values() if step.language == "python"]
    assert steps
    for step in steps:
        exec(step, names)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_gained_nothing_has_no_number(name: str) -> None:
    parts = re.split(r"^## ", (DOCS / "fast" / f"{name}.md").read_text("utf-8"), flags=re.MULTILINE)
    steps = [part for part in parts if "\nGained: " in part or "\nMeasured: " in part]
    faster = [any(float(times) > 1 for times in re.findall(r" ms, ([\d.]+)x", part)) for part in steps]
    assert faster == [part[0].isdigit() for part in steps]
    assert any(faster)
    assert not all(faster)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_a_configuration_of_its_sweep(name: str) -> None:
    sweep = sweeps.load(HERE / "sweeps" / f"steps_{name}.yaml")
    labels = [config.label for config in sweeps.experiments(sweep, BACKENDS)[0].configs]
    assert list(STEPS[name]) == labels[1:]
    assert in_order(name, labels) == list(STEPS[name].values())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["jax", "jax tuned"], "steps_jax begins with `jax`; it must begin with `jax threads unset`"),
        (["jax threads unset", "jax tuned"], "`jax tuned default allocator` is not both in steps_jax and in STEPS"),
        (["jax threads unset", *STEPS["jax"], "jax eager"], "`jax eager` is not both in steps_jax and"),
    ],
)
def test_a_step_without_a_counterpart_is_an_error(labels: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        in_order("jax", labels)


BUILD, TUNED, PORT, PARITY = BLOCKS


@pytest.mark.needs("paddle")
def test_the_block_that_readme_builds_is_the_framework_s_own() -> None:
    import paddle

    names: dict[str, Any] = {}
    exec(BUILD, names)
    assert isinstance(names["built"].native, paddle.nn.Layer)


@pytest.mark.needs("torch", "paddle")
def test_the_port_of_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    import convparity

    exec(PORT, {"convparity": convparity, "torch_net": nets.torch_net(), "paddle_net": nets.paddle_net()})
    assert "verified: both networks compute the same" in capsys.readouterr().out


@pytest.mark.needs("torch", "flax")
def test_the_test_of_readme_passes() -> None:
    from flax import nnx

    names = {"TorchNet": nets.torch_net, "FlaxNet": lambda rngs: nets.flax_net(), "nnx": nnx}
    exec(PARITY, names)
    names["test_our_port"](assert_parity)


@pytest.mark.needs("torch")
def test_the_first_command_of_readme_prints_what_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """But for the margin: another processor rounds otherwise."""
    (shown,) = (text for language, text in CODE if language == "text")
    with pytest.raises(SystemExit) as ended:
        main(COMMANDS[0])
    assert not ended.value.code
    printed = capsys.readouterr().out
    assert re.sub(r"\d+\.\d", "", printed) == re.sub(r"\d+\.\d", "", shown)


def structure(text: str) -> dict[str, Any]:
    prose = FENCED.sub("", text)
    return {
        "headings": [line.partition(" ")[0] for line in prose.splitlines() if re.match("#+ ", line)],
        "code": FENCED.findall(text),
        "links": re.findall(r"\]\(([^)]+)\)", prose)[1:],  # the first leads to the other language
        "figures": [line for line in prose.splitlines() if line.startswith("| `")],
        "items of lists": re.findall("^- ", prose, re.MULTILINE),
        "names": sorted(set(re.findall(r"`[^`\n]+`", prose))),
    }


def test_the_chinese_readme_has_the_structure_of_the_english_one() -> None:
    english, chinese = (structure(path.read_text("utf-8")) for path in (README, CHINESE))
    for kind, items in english.items():
        assert chinese[kind] == items, kind
        assert items


@pytest.mark.parametrize("path", [*BY_HAND, CHINESE], ids=lambda path: path.name)
def test_the_pages_written_by_hand_have_no_dead_link(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_command_line_reads_the_commands_of_readme(arguments: list[str]) -> None:
    """Files that the reader has are taken to exist."""
    name, *rest = arguments
    command = cli.commands[name]
    for option in command.params:
        if isinstance(option.type, click.Path):
            option.type.exists = False
    command.make_context(name, rest)
