"""From a record to its page and nothing else: no run, no framework; and the run's record is safe before its page is."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import frameworks
from common.bench.analysis import Analysis
from common.results.record import RunRecord, Unavailable, dump, load
from common.results.writing import ResultsError
from common.spec.catalogue import names
from report import paths, published, rendering
from report.cli import main
from report.guide import facts, sources
from report.guide import pages as guide
from report.runs import timing
from report.runs.runner import Runner
from report.sections import brief

RESULTS = paths.HERE / paths.RESULTS
WITHOUT_FRAMEWORKS = """
import sys


class Absent:
    def find_spec(self, name, *_):
        if name in ("torch", "paddle", "jax", "flax"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Absent())
from report.cli import main
main(sys.argv[1:])
"""


def status(*arguments: object) -> Any:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def test_the_committed_page_is_rendered_from_the_committed_record_without_any_framework(tmp_path: Path) -> None:
    """Byte for byte; of other runs it tells from the checkout, as the folder has none."""
    shutil.copy(RESULTS, tmp_path)
    command = [sys.executable, "-c", WITHOUT_FRAMEWORKS, "report", "--from", str(tmp_path / paths.RESULTS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"wrote {tmp_path / paths.PAGE}\n", "")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert written == {paths.RESULTS, *paths.PAGES, paths.FIGURE}
    for name in paths.PAGES:
        assert (tmp_path / name).read_bytes() == (paths.HERE / name).read_bytes(), "run `make docs`"


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    return published.generated()


def test_what_is_rendered_is_up_to_date(generated: dict[Path, str]) -> None:
    """REPORT.md, README's figures and docs/."""
    assert not published.stale(generated), "run `make docs`"
    assert {paths.HERE / paths.PAGE, *published.READMES, paths.DOCS / "about.md"} <= generated.keys()


def test_a_file_that_differs_or_that_nothing_generates_is_stale(generated: dict[Path, str]) -> None:
    changed, dropped = paths.ROOT / "README.md", paths.DOCS / "index.md"
    other = {path: text for path, text in generated.items() if path != dropped}
    assert published.stale(other | {changed: generated[changed] + "."}) == [changed, dropped]


def test_figures_and_pages_follow_record_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is slower changes README's table; a block's code its page, and no other page."""
    monkeypatch.setattr(sources, "block_code", lambda name, family: "pass")
    pages = {paths.DOCS / name: text for name, text in guide.pages(load(RESULTS)).items()}
    stale = [path for path in published.stale(pages) if paths.DOCS in path.parents]
    assert [path.stem for path in stale] == sorted(names())
    sweep = load(paths.HERE / paths.SWEEPS / "tuned_networks.json")
    changed = copy.deepcopy(sweep)
    for samples in changed.measurements[0].processes:
        samples.seconds[:] = [1000.0] * len(samples.seconds)
    for path, header in published.READMES.items():
        readme = path.read_text("utf-8")
        assert brief.with_figures(readme, Analysis(sweep), header) == readme
        assert brief.with_figures(readme, Analysis(changed), header) != readme
    with pytest.raises(ResultsError, match="lacks the marks `<!-- results in brief"):
        brief.with_figures("# A page", Analysis(sweep))


def test_the_stamp_of_a_run_is_on_one_page(generated: dict[Path, str]) -> None:
    """All but the report's own pages: a new run changes no page whose figures stay."""
    for commit in {facts.load().environment["commit"], load(RESULTS).environment["commit"]}:
        stamped = [path.name for path, text in generated.items() if commit in text and paths.HERE not in path.parents]
        assert stamped == ["about.md"]


def test_a_page_elsewhere_leads_to_its_record(tmp_path: Path, small: Path) -> None:
    assert status("report", "--from", small, "--output", tmp_path / "pages") == 0
    assert "The raw numbers are in [../small.json](../small.json)." in (tmp_path / "pages" / paths.PAGE).read_text()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A record of which everything is missing."""
    missing = [Unavailable("torch", "", "start", "killed")]
    dump(RunRecord({"date": "2026-01-02", "commit": "abc"}, {}, "quick", unavailable=missing), tmp_path / "small.json")
    return tmp_path / "small.json"


def test_an_older_record_is_rendered(tmp_path: Path) -> None:
    old = Path(__file__).parent / "data" / "results-v1.json"
    assert status("report", "--from", old, "--output", tmp_path) == 0
    assert "## How long they take" in (tmp_path / "parts" / "times.md").read_text()


def test_a_part_that_a_record_has_nothing_for_goes(tmp_path: Path, small: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "costs.md").write_text("of an earlier run")
    (tmp_path / "parts" / "notes.md").write_text("of somebody else")
    assert status("report", "--from", small, "--output", tmp_path) == 0
    assert not (tmp_path / "parts" / "costs.md").exists()
    assert (tmp_path / "parts" / "notes.md").read_text() == "of somebody else"
    assert "parts/costs.md" not in (tmp_path / paths.PAGE).read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.json"], "cannot read no.json: No such file or directory"),
        (
            [paths.HERE / "sweeps" / "threads.json"],
            "threads.json is no record of `convparity report`: its profile is `sweep`",
        ),
        ([paths.HERE / "aa.json"], "is no record of `convparity report`: it has no checks"),
        (
            [RESULTS, "-b", "jax", "--threads", 2],
            "`--from` runs nothing, so --backend, --threads cannot be used with it",
        ),
    ],
)
def test_what_is_refused(
    arguments: list[object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("report", "--output", tmp_path, "--from", *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(message)
    assert not list(tmp_path.iterdir())


def test_a_run_writes_its_record_before_it_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(frameworks, "BACKENDS", {"numpy": frameworks.Row("tests.support.numpy_backend", ("numpy",))})
    missing = Unavailable("numpy", "", "check", "killed")
    monkeypatch.setattr(Runner, "check", lambda run, cases: run.record.unavailable.append(missing))
    monkeypatch.setattr(timing, "time_all", lambda *_: None)
    monkeypatch.setattr(rendering, "render", fail)
    with pytest.raises(ZeroDivisionError):
        main(["report", "--output", str(tmp_path)])
    assert load(tmp_path / paths.RESULTS).costs
