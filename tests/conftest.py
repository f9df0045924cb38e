"""Options and fixtures. Nothing here imports a framework: each test imports only the one that it names."""

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

import frameworks
from common.check import cache
from common.processes import machine
from common.protocols import Backend
from common.results.measurements import Peaks

if TYPE_CHECKING:
    from report.runs.runner import Runner

collect_ignore = ["example"]  # a user's project: `test_plugin` runs it
FASTER: dict[str, str] = {}  # settings that make tests faster, and are no user's
if beside := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # each its share: threads that wait for a turn only spin
    FASTER |= dict.fromkeys(("OMP_NUM_THREADS", "NPROC"), str(max(1, machine.processors() // int(beside))))
# XLA compiles in a third of the time with its older way to write a fused loop and without LLVM's optimisations. Its own
# choice is what every command runs: the smoke run of `make report` in .ci/run checks every case with that.
FASTER["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0"
if (kept := cache.folder()) is not None:  # what XLA has compiled is read by every process, and by the next run
    FASTER["JAX_COMPILATION_CACHE_DIR"] = str(kept / "xla")
    FASTER["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    FASTER["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
GIVEN = {name: value for name, value in os.environ.items() if value != FASTER.get(name)}  # xdist's inherit theirs
for name, value in FASTER.items():
    os.environ.setdefault(name, value)


# Their tests compile much, start processes, or repeat the reference many times.
SLOW = {
    "test_bench",
    "test_compare",
    "test_compare_targets",
    "test_devices",
    "test_digits",
    "test_divergence",
    "test_engines",
    "test_plugin",
    "test_porting",
    "test_porting_aligned",
    "test_processes",
    "test_processes_commands",
    "test_random_specs",
    "test_ready_made",
    "test_strict",
    "test_timed",
    "test_timing_commands",
    "test_tuned",
    "test_tuned_installed",
    "test_tuned_jax",
    "test_tuned_jax_functions",
    "test_tuned_paddle",
    "test_tuned_torch",
    "test_tuned_torch_functions",
    "test_upstream",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        action="append",
        default=[],
        choices=list(frameworks.BACKENDS),
        help="run the tests of this backend only, and fail where it is not installed; repeats",
    )
    parser.addoption("--soak", type=int, default=100, help="how many random specs to compare [default: 100]")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*backends, modules=()): the test imports these")
    config.addinivalue_line("markers", "slow: left out by `make test-quick`")
    config.addinivalue_line("markers", "published: run by `make test-published`, which installs what they need")


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")
    items.sort(key=lambda item: item.path.stem not in SLOW)  # last, they would leave processes without work


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        names = metafunc.config.getoption("--backend") or list(frameworks.BACKENDS)
        metafunc.parametrize("backend", names, indirect=True)


def wanted(config: pytest.Config) -> list[str]:
    """The backends that --backend names, or all that are installed; skips if there is none."""
    if names := config.getoption("--backend"):
        for name in names:
            require(config, name)
        return names
    if names := [name for name in frameworks.BACKENDS if not frameworks.missing(name)]:
        return names
    pytest.skip("no framework is installed")


def require(config: pytest.Config, name: str) -> None:
    """Skips where a framework is missing, unless it was asked for by name: then it fails."""
    wanted = config.getoption("--backend")
    if wanted and name not in wanted:
        pytest.skip(f"--backend does not name {name}")
    if reason := frameworks.missing(name):
        pytest.fail(reason, pytrace=False) if wanted else pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            require(item.config, name)
        for name in marker.kwargs.get("modules", ()):
            if importlib.util.find_spec(name) is None:
                reason = f"needs `{name}`: pip install -e '.[published]'"
                pytest.fail(reason, pytrace=False) if item.config.getoption("--backend") else pytest.skip(reason)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    require(request.config, request.param)
    return frameworks.load(request.param)


@pytest.fixture(scope="session")
def _peaks() -> list[Peaks]:
    return []


@pytest.fixture
def peaks_once(_peaks: list[Peaks], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first command that times measures the machine's peak rates, for five seconds; the others take its answer."""
    from report.runs import timing

    measure = timing.peaks

    def once(run: "Runner") -> None:
        if not _peaks:
            measure(run)
            _peaks.extend([run.record.peaks] if run.record.peaks else [])
        else:
            (run.record.peaks,) = _peaks

    monkeypatch.setattr(timing, "peaks", once)


@pytest.fixture
def port_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command `port` in the test's own process: another would import the framework once more each time."""
    from report.port import apart, weights

    monkeypatch.setattr(apart, "port_apart", weights.port)
