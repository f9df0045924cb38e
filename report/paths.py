"""The files that runs and rendering write: in report/ of the checkout, unless another folder is named."""

from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS, SELFTEST, TRAINING, CALIBRATION = "results.json", "selftest.json", "training.json", "aa.json"
SWEEPS = "sweeps"  # a folder
PAGE, FIGURE = "REPORT.md", "training.svg"
PARTS = ("agreement", "costs", "times", "tuning", "training", "accelerators", "method")  # parts/*.md
PAGES = (PAGE, *(f"parts/{name}.md" for name in PARTS))
FACTS = HERE / "facts.json"
DOCS = ROOT / "docs"
_NAMES = (RESULTS, "*.partial.json", SELFTEST, TRAINING, CALIBRATION, f"{SWEEPS}/*.json", *PAGES, FIGURE, FACTS.name)
WRITTEN = ("docs", *(f"{HERE.name}/{name}" for name in _NAMES))  # from the root of the checkout, as git takes paths


def partial(path: Path) -> Path:
    """The file for the results of a run that is not finished, if those of a whole run are to be in ``path``."""
    return path.with_suffix(".partial.json")
