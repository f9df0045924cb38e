"""What importing costs: nothing but names until a backend is loaded. Who may import whom is in pyproject.toml."""

import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

FRAMEWORKS = ("torch", "paddle", "jax", "flax")


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import common, frameworks",
        "import common.check.judge, common.spec.costs, common.bench.schedule, common.session.session",
        "import frameworks; frameworks.installed()",
        "import report.cli, report.runs.runner, report.sections.page",
        "import report.guide.facts; report.guide.facts.keys()",
        "import report.guide.explain, report.published; report.published.generated()",
    ],
)
def test_importing_us_imports_no_framework(statement: str) -> None:
    assert not modules_after(statement) & set(FRAMEWORKS)


def test_the_command_starts_with_click_alone() -> None:
    assert not modules_after("import convparity, report.cli") & {
        "numpy",
        "rich",
        "msgspec",
        "sklearn",
        "tabulate",
    }


def test_common_does_not_know_the_layers_above_it() -> None:
    statement = "import common.check.judge, common.bench.schedule, common.session.session, common.spec.costs"
    assert not {name for name in modules_after(statement) if name.split(".")[0] in ("frameworks", "report")}


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Inside functions too, and where one of them is the package of another, which no contract sees."""
    graph = grimp.build_graph("common", "convparity", "frameworks", "report", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises a CycleError that names the modules
