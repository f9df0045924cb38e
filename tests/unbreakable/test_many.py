"""Many bad inputs, drawn at random: each is accepted, or refused in one line with status 2, and nothing is left behind.

A fifth of ``--soak`` inputs of each kind: 100 by default, 2,000 in ``make soak``.
"""

import contextlib
import io
import json
import math
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import frameworks
from common.port import trees
from common.port.weights import PortError, finite, fit
from common.results.record import as_json, load
from common.spec.catalogue import CATALOGUE
from common.spec.params import randomised
from report.cli import main
from tests.conftest import wanted
from tests.support.weights import TINY

KINDS = 5
GROWTH = 2**29  # bytes that the process may grow by: more than any of its imports, less than any bomb
SAMPLE = Path(__file__).parents[1] / "data" / "results-v1.json"
SWEEP = {
    "title": "x",
    "budget": 1,
    "processes": 2,
    "memory": False,
    "blocks": [{"block": "standard_conv", "options": {"in_channels": 4, "out_channels": 8}, "input": [1, 4, 9, 12]}],
    "vary": {"batch": [1, 2], "size": [14], "channels": [8]},
    "modes": ["forward"],
    "dtypes": ["float32"],
    "configs": [{"backend": ["torch", "jax"], "form": "usual", "threads": ["1", "unset"]}],
}
WORDS = [
    "",
    "x" * 5000,
    "\x1b[31m\r\n",
    "\u0661",
    "²",
    "-",
    "torch",
    "nan",
    "1e999",
    "0x" + "f" * 5000,
    "../..",
    "%s{}",
]
NUMBERS: list[Any] = [0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**400, 0.5, -0.0, 1e308, math.inf, -math.inf, math.nan]
VALUES: list[Any] = [*WORDS, *NUMBERS, None, True, [], {}, [[]], [0], {"a": {"b": []}}, [None] * 500]
hostile = st.sampled_from(VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def changed(tree: Any, value: Any, choose: random.Random) -> Any:
    """A copy of a tree in which one part, at any depth, is another value, or is gone, or occurs under another name."""
    if not isinstance(tree, dict | list) or not tree or choose.random() < 0.1:
        return value
    copy = tree.copy()
    place = choose.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    match choose.random():
        case fate if fate < 0.05:
            del copy[place]
        case fate if fate < 0.1 and isinstance(copy, dict):
            copy[str(value)[:100]] = copy.pop(place)
        case _:
            copy[place] = changed(tree[place], value, choose)
    return copy


def damaged(data: bytes, choose: random.Random) -> bytes:
    """Bytes of a file with a few of them changed, lost, repeated or put in."""
    for _ in range(choose.randint(1, 4)):
        place, length = choose.randrange(len(data) + 1), choose.choice((1, 1, 2, 4, 8, 100))
        part = choose.choice(
            (b"", choose.randbytes(length), bytes(length), b"\xff" * length, data[place:][:length] * 2)
        )
        data = data[:place] + part + data[place + choose.choice((0, length)) :]
    return data


def children() -> set[str]:
    """The processes that this one has started."""
    return {child for task in Path("/proc/self/task").glob("*/children") for child in task.read_text().split()}


def run(folder: Path, *arguments: str) -> None:
    """The command in this process: a status, and one line if it is 2."""
    before, processes = sorted(folder.iterdir()), children()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code in (0, 1, 2)
    if caught.value.code == 2:
        first, *details = err.getvalue().splitlines()
        assert first.startswith("convparity: ")
        assert len(details) <= 21
        assert all(line.isprintable() for line in (first, *details))
        assert not out.getvalue()
    assert sorted(folder.iterdir()) == before
    assert children() == processes
    assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) < GROWTH


def sweep(folder: Path, value: Any, choose: random.Random) -> None:
    text = yaml.safe_dump(changed(SWEEP, value, choose), allow_unicode=choose.random() < 0.5)
    (folder / "x.yaml").write_bytes(text.encode() if choose.random() < 0.7 else damaged(text.encode(), choose))
    run(folder, "sweep", str(folder / "x.yaml"), "--plan")


def record(folder: Path, value: Any, choose: random.Random) -> None:
    whole = json.loads(SAMPLE.read_bytes() if choose.random() < 0.5 else as_json(load(SAMPLE)))
    part = choose.choice(["measurements", None])
    text = json.dumps(whole | {part: changed(whole[part], value, choose)} if part else changed(whole, value, choose))
    (folder / "x.json").write_bytes(text.encode() if choose.random() < 0.8 else damaged(text.encode(), choose))
    run(folder, "diff", str(SAMPLE), str(folder / "x.json"), "--across-machines")


def options(folder: Path, value: Any, choose: random.Random) -> None:
    family = choose.choice(list(CATALOGUE))
    given = CATALOGUE[family].cases[-1].spec.options
    typed = {name: repr(part) for name, part in given.items() if choose.random() < 0.9}
    typed[choose.choice([*given, "name", "x"])] = str(value) if isinstance(value, str) else shortened(value)
    sets = [part for name, text in typed.items() for part in ("--set", f"{name}={text}")]
    run(
        folder,
        "port",
        str(folder / "none.pt"),
        "--from",
        "torch",
        "--to",
        "torch",
        "--block",
        family,
        *sets,
        "-o",
        "o.pt",
    )


def shortened(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:
        return hex(value)


def arguments(folder: Path, value: Any, choose: random.Random) -> None:
    """Paths, names, words, shapes and maps, and options that do not exist."""
    text = (str(value) if isinstance(value, str) else shortened(value)).replace("\0", "0")
    (folder / "map.json").write_text(json.dumps(changed({"a": "b"}, value, choose)))
    source = ("--from", "torch", "--to", "torch", "--block", "pointwise_conv", "-o", "o.pt")
    call = choose.choice(
        [
            ("port", str(folder / "none.pt"), *source, "--map", str(folder / "map.json")),
            ("port", text, *source),
            ("port", str(folder / "none.pt"), *source[:3], text, *source[4:]),
            ("port", str(folder / "none.pt"), *source[:-1], text),
            ("compare", "convparity.torch:x", "convparity.torch:x", "--input", f"1x{text}x3x3"),
            ("check", "-k", f"no{text}"),
            ("check", "-b", f"no{text}"),
            ("check", "--dtype", text),
            ("bench", "--threads", f"{text}x"),
            ("bench", "--profile", text),
            ("explain", text, "--from", "torch", "--to", text),
            ("diff", text, text),
            ("sweep", text, "--plan"),
            (f"x{text}",),
            ("check", f"--x{text}"),
        ]
    )
    (folder / "map.json").touch()
    run(folder, *call)


KIND: dict[str, Callable[[Path, Any, random.Random], None]] = {
    "sweep": sweep,
    "record": record,
    "options": options,
    "arguments": arguments,
}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux, to see which processes there are")
@pytest.mark.parametrize("kind", KIND)
def test_many_bad_texts(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(tmp_path)

    @seed(1)
    @settings(
        max_examples=pytestconfig.option.soak // KINDS,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(hostile, st.integers(0, 2**32))
    def check(value: Any, number: int) -> None:
        KIND[kind](tmp_path, value, random.Random(number))

    check()


def test_many_damaged_files(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Each is read as what it still is, or refused; what is read fits the block or is refused too."""
    arrays = randomised(TINY)
    np.savez(tmp_path / "tree.npz", **arrays)  # type: ignore[arg-type]
    np.savez_compressed(tmp_path / "small.npz", **arrays)  # type: ignore[arg-type]
    files: list[tuple[Path, Callable[..., Any]]] = [(path, trees.read) for path in tmp_path.iterdir()]
    for name in wanted(pytestconfig):
        part = frameworks.part(name, "files")
        for suffix in filter(None, part.SUFFIXES):
            path = tmp_path / f"{name}{suffix}"
            if suffix != ".orbax":
                part.write(path, arrays)
                files.append((path, part.read))

    @seed(1)
    @settings(max_examples=pytestconfig.option.soak // KINDS, deadline=None, database=None)
    @given(st.sampled_from(files), st.integers(0, 2**32))
    def check(file: tuple[Path, Callable[..., Any]], number: int) -> None:
        from report.port import weights

        path, read = file
        bad = tmp_path / f"bad{path.suffix}"
        bad.write_bytes(damaged(path.read_bytes(), random.Random(number)))
        part = type("Files", (), {"read": staticmethod(read), "from_native": staticmethod(dict)})
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(PortError):
            patch.setattr(frameworks, "part", lambda *_: part)
            finite(fit(TINY, weights.read("torch", bad, 2**20)[0]))

    check()
