"""A full disk is one line, costs what could not be written, and leaves what was there before.

The system lets no file become larger than a limit here: a write fails as on a full disk.
"""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

import frameworks
from common.port.weights import PortError
from common.processes.pool import Worker
from common.results.record import load
from common.results.writing import ResultsError, claimed
from common.spec.params import randomised
from report.port.apart import port_apart
from report.port.weights import port
from tests.conftest import require
from tests.support.weights import TINY, suffixes, write
from tests.test_cli import status


@contextlib.contextmanager
def full(size: int) -> Iterator[None]:
    """No file can have more than so many bytes, of this process and of those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("owner", "suffix"), suffixes())
def test_weights_that_do_not_fit_on_the_disk_are_one_line(
    owner: str, suffix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require(request.config, owner)
    options = {"in_channels": 3, "out_channels": 4, "bias": True}
    source, out = write(owner, tmp_path / f"w{suffix}", randomised(TINY)), tmp_path / f"o{suffix}"
    run = port if suffix else port_apart  # a thread of Orbax goes on after its error
    with full(100), pytest.raises(PortError, match="cannot write ") as caught:
        run(source, out, from_=owner, to=owner, block="conv_bn_act", options=options)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


@pytest.mark.usefixtures("numpy_only")
def test_results_that_cannot_be_written_anywhere_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.json"
    path.write_text("before")
    with full(1000):
        assert status("check", "-k", "pointwise_conv-bias", "--json", str(path)) == 2
    printed = capsys.readouterr()
    assert "agrees 1/1" in printed.out
    assert "wrote" not in printed.out
    here, elsewhere = printed.err.splitlines()[-2:]
    assert here == f"convparity: cannot write {path}: File too large"
    assert elsewhere.startswith("convparity: nor elsewhere: cannot write ")
    assert path.read_text() == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["r.json"]


def test_a_lock_that_does_not_fit_on_the_disk_is_not_left_there(tmp_path: Path) -> None:
    with full(0), pytest.raises(ResultsError, match=r"r\.json: File too large"), claimed(tmp_path / "r.json"):
        pytest.fail("not refused")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("numpy_only", "brief")
def test_a_worker_that_fills_the_disk_costs_its_own_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, path = Worker._start, tmp_path / "r.json"

    def started(worker: Worker) -> object:
        with monkeypatch.context() as patch:
            patch.setenv("CONVPARITY_TEST_FAULT", worker.name if worker.name == "fills" else "")
            return start(worker)

    monkeypatch.setattr(Worker, "_start", started)
    monkeypatch.setitem(frameworks.BACKENDS, "fills", frameworks.BACKENDS["numpy"])
    with full(2**23):
        assert status("bench", "-k", "pointwise_conv", "--threads", "1", "--json", str(path)) == 1
    lost = "not available: fills pointwise_conv-on_3x3 build: OSError: [Errno 27] File too large\n"
    assert lost in capsys.readouterr().err
    assert {row.backend for row in load(path).measurements} == {"numpy"}
