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
from report.sections.provenance import headed
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
    """The whole report of a run. The other records are from other runs: where these had another machine, other versions
    or threads, the heading of their section says so. ``raw`` is the path to the run's record.
    """
    run, swept = Analysis(record), {name: Analysis(sweep) for name, sweep in sweeps.items()}
    sections = (
        summary_section(run, raw),
        machine_section(record),
        agreement_section(record),
        headed(selftest_section(selftest), selftest, record) if selftest else [],
        costs_section(record),
        separable_section(run),
        timing_section(run),
        effects_section([run, *swept.values()]),
        headed(calibration_section(Analysis(calibration)), calibration, record) if calibration else [],
        tuning_section(swept, record),
        *(
            headed(sweep_section(sweep, name), sweep.record, record)
            for name, sweep in swept.items()
            if not has_tuned(sweep.record)
        ),
        headed(training_section(training), training, record) if training else [],
        missing_section(record),
        method_section(record, raw),
    )
    return "\n\n".join(itertools.chain.from_iterable(sections)) + "\n"
