"""Sweeps: a YAML file of blocks, shapes and conditions becomes the experiments that a run times.

For example::

    title: What else moves the clock
    about: Whether batch, threads and allocator change who is fastest.
    budget: 10                # seconds a table
    processes: 3              # of each configuration
    memory: false             # whether peak memory is measured too
    blocks:                   # as `block` of common.spec.catalogue takes them, on an input of (batch, c, h, w)
      - {block: standard_conv, options: {in_channels: 64, out_channels: 64, padding: 1}, input: [1, 64, 28, 28]}
      - {block: depthwise_conv, options: {channels: 64}, input: [1, 64, 28, 28]}
    vary:                     # every combination is a case of each block; what is not varied stays as it is
      batch: [1, 16]
      size: [14, 28]          # height and width
      channels: [32, 64]      # in, and out where the block has the option
    modes: [forward]          # of `common.config.MODES`
    dtypes: [float32]
    configs:                  # what one table compares; every combination of an item's values is a configuration
      - {backend: [torch, paddle, jax, flax]}
      - {backend: torch, form: compiled}
      - {backend: [torch, paddle], allocator: [default, tuned], threads: ["1", unset]}

Only ``blocks`` and ``configs`` are required. A configuration may also have a ``device``, by its framework's name:
``{backend: torch, device: [cpu, cuda], variant: [reference, tuned]}``. A case is named by its block, its options that
are not the default, and its input: ``standard_conv-c32_padding1-16x32x14x14``.
"""

import inspect
import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from common.bench import plain_yaml
from common.bench.schedule import MIN_ROUNDS, SAMPLE_SECONDS
from common.config import ALLOCATORS, FORMS, LAYOUTS, MODES, VARIANTS, Config, configured
from common.layers.values import SpecError
from common.names import known, shown
from common.oracle.rounding import UNIT_ROUNDOFF
from common.results.writing import ResultsError
from common.session.tasks import Experiment
from common.spec.catalogue import CATALOGUE, Case, block
from common.spec.costs import cost

CHOICES = {"variant": VARIANTS, "form": FORMS, "layout": LAYOUTS, "allocator": ("usual", *ALLOCATORS)}
CHANNELS = ("channels", "in_channels", "out_channels")  # the options that `vary: {channels: ...}` sets
# Seconds of one process before its first round, rough. START: interpreter and framework took 1.4 (JAX) to 2.6 (torch)
# seconds of a processor. BUILD: with the first call 0.2 on average and 1.4 at most over the 40 rows of the run at
# 0d43623d3d87. Both on AMD EPYC, 2 processors; compiling a training step of a large network takes far longer.
START, BUILD = 2.5, 0.2
RATE = 10e9  # FLOP/s of a configuration, between those of depthwise and of standard convolutions in that run
MOST_TABLES, MOST_CONFIGS, MOST_PROCESSES, MOST_SECONDS, MOST_THREADS = 10_000, 1000, 100, 86_400, 4096
Words = str | list[str]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A part of the file, which may have no other keys."""


class Block(_Strict, frozen=True):
    """A block, its options, and the input ``(n, c, h, w)`` that it is run on."""

    block: str
    input: tuple[int, int, int, int]
    options: dict[str, Any] = {}


class Vary(_Strict, frozen=True):
    """Values that every block is run with, in every combination; an empty list keeps the block's value."""

    batch: list[int] = []
    size: list[int] = []
    channels: list[int] = []


class Configs(_Strict, frozen=True):
    """Configurations: every combination of the values of `common.config.Config`'s fields."""

    backend: Words
    variant: Words = "reference"
    form: Words = "usual"
    layout: Words = "native"
    threads: str | int | list[str | int] = "usual"
    allocator: Words = "usual"  # the usual one of the variant: see `common.config.configured`
    device: Words = ""  # the framework's first


class Sweep(_Strict, frozen=True):
    """What the file says; see the module."""

    blocks: list[Block]
    configs: list[Configs]
    title: str = ""
    about: str = ""
    budget: float = 10.0
    processes: int = 3
    memory: bool = False
    vary: Vary = Vary()
    modes: tuple[str, ...] = ("forward",)
    dtypes: tuple[str, ...] = ("float32",)


@dataclass(frozen=True)
class Row:
    """One table that would be timed: its title, configurations, processes and seconds."""

    title: str
    configs: int
    processes: int
    seconds: float


def load(path: Path) -> Sweep:
    """Reads a sweep.

    Raises:
        ResultsError: if the file cannot be read, is not YAML, or has an unknown key or a value of a wrong type.
    """
    try:
        sweep = msgspec.convert(plain_yaml.load(path), Sweep)
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise ResultsError(f"{path} is no sweep: {' '.join(str(error).split())[:300]}") from None
    for name, value, most in (("budget", sweep.budget, MOST_SECONDS), ("processes", sweep.processes, MOST_PROCESSES)):
        if not 0 < value <= most:
            raise ResultsError(f"{path}: `{name}` (={value}) must be positive and at most {most}")
    for name in ("blocks", "configs", "modes", "dtypes"):
        if not getattr(sweep, name):
            raise ResultsError(f"{path}: `{name}` is empty; give at least one")
    return sweep


def experiments(sweep: Sweep, backends: Collection[str], inference_only: Collection[str] = ()) -> list[Experiment]:
    """Every case in every mode and dtype with the configurations that can run it.

    ``backends`` are the names that the file may use; those of ``inference_only`` have no mode but `forward`.

    Raises:
        UnknownName: for a block, backend, mode, dtype or value that does not exist.
        SpecError: for options or a shape that a block cannot take.
        ResultsError: if two cases are the same, or nothing is left to time.
    """
    vary, lists = sweep.vary, (sweep.modes, sweep.dtypes)
    ways = math.prod(len(values) or 1 for values in (vary.batch, vary.size, vary.channels))
    if (tables := len(sweep.blocks) * ways * math.prod(map(len, lists))) > MOST_TABLES:
        raise ResultsError(f"it has {tables:,} tables; at most {MOST_TABLES:,} are timed")
    if (rows := sum(math.prod(map(len, _values(item))) for item in sweep.configs)) > MOST_CONFIGS:
        raise ResultsError(f"it has {rows:,} configurations; at most {MOST_CONFIGS:,} are timed")
    configs = list(dict.fromkeys(config for item in sweep.configs for config in _configs(item, backends)))
    modes = [known("mode", mode, MODES) for mode in dict.fromkeys(sweep.modes)]
    dtypes = [known("dtype", dtype, UNIT_ROUNDOFF) for dtype in dict.fromkeys(sweep.dtypes)]
    cases = [case for item in sweep.blocks for case in _cases(item, sweep.vary)]
    if twice := [name for name, count in Counter(case.id for case in cases).items() if count > 1]:
        raise ResultsError(f"`{twice[0]}` occurs twice; blocks of one kind must differ in channels or input")
    results = []
    for case, dtype, mode in itertools.product(cases, dtypes, modes):
        able = tuple(
            config
            for config in configs
            if mode == "forward" or (config.backend not in inference_only and dtype != "bfloat16")
        )
        if able:
            results.append(Experiment(case.cast(dtype), mode, able))
    if not results:
        raise ResultsError(f"nothing to time: no configuration can do {', '.join(modes)} in {', '.join(dtypes)}")
    return results


def plan(todo: Sequence[Experiment], budget: float, processes: int) -> tuple[list[Row], float]:
    """The tables of these experiments, and the seconds that all of them take.

    An estimate: ``budget`` seconds each, or the fewest rounds if they take longer; START and BUILD of each process.
    """

    def row(experiment: Experiment) -> Row:
        count = processes * len(experiment.configs)
        flops = cost(experiment.case.spec, experiment.case.input_shape).flops * (
            1 if experiment.mode == "forward" else 3
        )
        rounds = MIN_ROUNDS * count * max(SAMPLE_SECONDS, 2 * flops / RATE)
        return Row(experiment.title, len(experiment.configs), count, max(budget, rounds) + count * (START + BUILD))

    rows = [row(experiment) for experiment in todo]
    return rows, sum(row.seconds for row in rows)


def _values(item: Configs) -> list[list[Any]]:
    """The values of each of an item's fields."""
    fields = [item.backend, item.device, item.variant, item.form, item.layout, item.threads, item.allocator]
    return [value if isinstance(value, list) else [value] for value in fields]


def _configs(item: Configs, backends: Collection[str]) -> Iterator[Config]:
    """Every combination of an item's values."""
    names, devices, *others, threads, allocators = _values(item)
    known_names: list[Any] = [known("backend", name, backends) for name in names]
    for (kind, choices), values in zip(CHOICES.items(), (*others, allocators), strict=True):
        for value in values:
            known(kind, value, choices)
    threads = [_threads(value) for value in threads]
    for backend, device, *values in itertools.product(known_names, devices, *others, threads, allocators):
        config = Config(backend, *values, device=device)
        usual = configured(config.backend, config.variant).allocator
        yield replace(config, allocator=usual) if config.allocator == "usual" else config


def _threads(value: str | int) -> str:
    if str(value) in ("usual", "unset"):
        return str(value)
    if not str(value).isdecimal() or not str(value).isascii() or not 0 < int(value) <= MOST_THREADS:
        raise SpecError(f"`threads` (={shown(value)}) must be a positive integer up to {MOST_THREADS}, usual or unset")
    return str(int(value))


def _cases(item: Block, vary: Vary) -> Iterator[Case]:
    """A block in every combination of what is varied."""
    make = CATALOGUE[known("block", item.block, CATALOGUE)].make
    defaults = {name: option.default for name, option in inspect.signature(make).parameters.items()}
    for batch, size, channels in itertools.product(vary.batch or [None], vary.size or [None], vary.channels or [None]):
        n, c, h, w = item.input
        shape = tuple(old if new is None else new for old, new in ((n, batch), (c, channels), (h, size), (w, size)))
        options = item.options | {name: channels for name in CHANNELS if channels is not None and name in defaults}
        spec = block(item.block, **options)
        spec.output_shape(shape)
        words = [_word(name, value) for name, value in options.items() if spec.options[name] != defaults[name]]
        ends = dict.fromkeys([spec.in_channels, spec.options.get("out_channels", spec.in_channels)])
        name = "_".join([f"c{'_'.join(map(str, ends))}", *filter(None, words)])
        yield Case(f"{name}-{'x'.join(map(str, shape))}", spec, shape)


def _word(name: str, value: Any) -> str:
    """``stride2``, ``no_bias``, ``kernel_size3x5``: an option that is not the default; empty for channels."""
    if name in CHANNELS:
        return ""
    if isinstance(value, bool):
        return name if value else f"no_{name}"
    return name + "x".join(re.findall(r"[\w.]+", str(value)))
