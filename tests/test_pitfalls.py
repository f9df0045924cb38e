"""Every pitfall of tests/pitfalls: the naive port is wrong, by as much as the page says; the right one agrees."""

import re
from pathlib import Path

import numpy as np
import pytest

from report.guide import facts, pitfalls
from report.guide.pitfalls import Pitfall, judged
from tests.conftest import require

PITFALLS = pitfalls.load()
RUNS = [(pitfall, port) for pitfall in PITFALLS for port in pitfall.ports]


@pytest.mark.filterwarnings("ignore")  # a naive port may warn: the outcome is what counts
@pytest.mark.parametrize(("pitfall", "port"), RUNS, ids=[f"{pitfall.id}-{port}" for pitfall, port in RUNS])
def test_the_naive_port_is_wrong_and_the_right_one_agrees(
    request: pytest.FixtureRequest, pitfall: Pitfall, port: str
) -> None:
    for name in port.split("-to-"):
        require(request.config, name)
    naive, right = pitfall.run(port)
    assert naive.kind in ("differs", "shape", "raises"), naive.detail
    assert right.kind == "right", right.detail
    assert not pitfall.sampled or pitfall.run(port) == (naive, right), "the draws have no seed"
    recorded, _ = facts.load().pitfalls[pitfall.id][port]
    assert (naive.kind, naive.detail if naive.error is None else None) == (
        recorded.kind,
        recorded.detail if recorded.error is None else None,
    ), "run `make facts`"
    if naive.error is not None:  # how much, to what rounding and chance allow
        assert naive.error == pytest.approx(recorded.error, rel=0.05), "run `make facts`"


RANGES = [(pitfall, port) for pitfall, port in RUNS if pitfall.harmful or pitfall.harmless]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("pitfall", "port"), RANGES, ids=[f"{pitfall.id}-{port}" for pitfall, port in RANGES])
def test_the_range_of_a_pitfall_is_what_its_page_says(
    request: pytest.FixtureRequest, pitfall: Pitfall, port: str
) -> None:
    for name in port.split("-to-"):
        require(request.config, name)
    for settings, kinds in ((pitfall.harmful, ("differs", "shape", "raises")), (pitfall.harmless, ("right",))):
        for setting in settings:
            naive, right = pitfall.run(port, setting)
            assert naive.kind in kinds, f"{setting}: the naive port is {naive.detail}"
            assert right.kind == "right", f"{setting}: the right port is {right.detail}"


def test_a_range_names_constants_of_its_file() -> None:
    (pitfall,) = (pitfall for pitfall in PITFALLS if pitfall.id == "memory_shared")
    with pytest.raises(ValueError, match=r"memory_shared\.py has no constant SIZE"):
        pitfall.run("paddle-to-torch", {"SIZE": 3})


@pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda pitfall: pitfall.id)
def test_a_pitfall_says_what_it_must(pitfall: Pitfall) -> None:
    assert pitfall.title
    assert len(pitfall.text) > 80
    assert pitfall.origin not in pitfall.targets
    assert pitfall.targets
    assert pitfall.symptoms
    assert set(pitfall.symptoms) <= pitfalls.SYMPTOMS.keys()
    urls = (*pitfall.threads, *pitfall.related)
    assert urls
    assert all(re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+", url) for url in urls)
    assert all(pitfall.code(f"right_{target}") for target in pitfall.targets)


def test_every_pair_of_frameworks_has_a_pitfall() -> None:
    pairs = {port for _, port in RUNS}
    names = {name for pair in pairs for name in pair.split("-to-")}
    assert len(pairs) == len(names) * (len(names) - 1) == 12


EXPECTED = np.array([1.0, -2.0], np.float32)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (EXPECTED, "right"),
        (EXPECTED * np.float32(1 + 1e-6), "right"),
        (EXPECTED * np.float32(1 + 2e-5), "unclear"),
        (EXPECTED * np.float32(1 + 1e-3), "differs"),
        (EXPECTED * np.nan, "differs"),
        (EXPECTED[:1], "shape"),
        (EXPECTED.reshape(2, 1), "shape"),
    ],
    ids=str,
)
def test_the_judge_tells_right_from_wrong(answer: np.ndarray, kind: str) -> None:
    assert judged(lambda: answer, EXPECTED).kind == kind


def test_whole_numbers_must_be_equal() -> None:
    assert judged(lambda: np.array(12), np.array(12)).kind == "right"
    assert judged(lambda: np.array(13), np.array(12)).kind == "differs"


def test_draws_are_judged_by_their_number() -> None:
    def kind(answer: float, samples: int) -> str:
        return judged(lambda: np.array(answer), np.array(1.0), samples=samples).kind

    assert [kind(1.04, 10_000), kind(1.2, 10_000), kind(1.6, 10_000)] == ["right", "unclear", "differs"]


def test_an_exception_is_an_outcome_but_a_missing_package_is_not() -> None:
    def raises(error: Exception) -> np.ndarray:
        raise error

    assert judged(lambda: raises(ValueError("no")), EXPECTED).detail == "ValueError: no"
    with pytest.raises(ImportError):
        judged(lambda: raises(ImportError("torch")), EXPECTED)


def test_rounding_and_being_wrong_are_never_the_same() -> None:
    """No pitfall sums so many terms that its allowance for rounding reaches what counts as wrong."""
    for pitfall, port in RUNS:
        for outcome in facts.load().pitfalls[pitfall.id][port]:
            if outcome.allowance and outcome.scale:
                assert outcome.allowance < pitfalls.WRONG * 2.0**-24 * outcome.scale or pitfall.sampled


def test_code_is_cut_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pitfall.py"
    path.write_text(
        '"""Title\n\nText of\ntwo lines.\n"""\n\nimport numpy as np\n\nFROM = "jax"\nX = 3\n\n\n'
        "def helper():\n    return X\n\n\ndef source():\n    return helper()\n\n\ndef naive_torch():\n    return 4\n"
    )
    pitfall = Pitfall(path, path.read_text())
    assert (pitfall.title, pitfall.text, pitfall.origin, pitfall.targets, pitfall.setup) == (
        "Title",
        "Text of two lines.",
        "jax",
        ("torch",),
        "X = 3",
    )
    assert pitfall.code("source") == "def helper():\n    return X\n\n\ndef source():\n    return helper()"
