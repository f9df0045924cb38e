"""The comparison report: a pure function from records to Markdown."""

import itertools
from collections.abc import Mapping
from types import MappingProxyType

from common.bench.analysis import Analysis
from common.results.record import RunRecord
from common.results.training import TrainingRecord
from report.paths import RESULTS
from report.sections.agreement import agreement_section
from report.sections.calibration import calibration_section
from report.sections.costs import costs_section
from report.sections.effects import effects_section
from report.sections.method import method_section, missing_section
from report.sections.selftest import selftest_section
from report.sections.separable import separable_section
from report.sections.summary import machine_section, summary_section
from report.sections.sweeps import sweep_section
from report.sections.timing import timing_section
from report.sections.training import training_section
from report.sections.tuning import has_tuned, tuning_section


def render(
    record: RunRecord,
    selftest: RunRecord | None = None,
    training: TrainingRecord | None = None,
    calibration: RunRecord | None = None,
    sweeps: Mapping[str, RunRecord] = MappingProxyType({}),
    raw: str = RESULTS,
) -> str:
    """The whole report of a run; the other records are from other runs. ``raw`` is the path to the run's record."""
    run, swept = Analysis(record), {name: Analysis(sweep) for name, sweep in sweeps.items()}
    sections = (
        summary_section(run, raw),
        machine_section(record),
        agreement_section(record),
        selftest_section(selftest) if selftest else [],
        costs_section(record),
        separable_section(run),
        timing_section(run),
        effects_section([run, *swept.values()]),
        calibration_section(Analysis(calibration)) if calibration else [],
        tuning_section(swept),
        *(sweep_section(sweep, name) for name, sweep in swept.items() if not has_tuned(sweep.record)),
        training_section(training) if training else [],
        missing_section(record),
        method_section(record, raw),
    )
    return "\n\n".join(itertools.chain.from_iterable(sections)) + "\n"
