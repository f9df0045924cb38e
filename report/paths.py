"""The files that runs and rendering write: in report/ of the checkout, unless another folder is named."""

from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS, SELFTEST, TRAINING, CALIBRATION = "results.json", "selftest.json", "training.json", "aa.json"
PARTIAL = "results.partial.json"  # of a run that is not finished
SWEEPS = "sweeps"  # a folder
PAGE, FIGURE = "REPORT.md", "training.svg"
FACTS = HERE / "facts.json"
DOCS = ROOT / "docs"
_NAMES = (RESULTS, PARTIAL, SELFTEST, TRAINING, CALIBRATION, f"{SWEEPS}/*.json", PAGE, FIGURE, FACTS.name)
WRITTEN = ("docs", *(f"{HERE.name}/{name}" for name in _NAMES))  # from the root of the checkout, as git takes paths
