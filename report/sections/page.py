"""The comparison report: a pure function from records to its pages in Markdown."""

import itertools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from common.bench.analysis import Analysis
from common.results.record import RunRecord
from common.results.training import TrainingRecord
from report.paths import PAGE, PARTS, RESULTS
from report.sections.agreement import agreement_section
from report.sections.calibration import calibration_section
from report.sections.costs import costs_section
from report.sections.effects import effects_section
from report.sections.front import Part, front_page
from report.sections.method import accelerators_section, method_section
from report.sections.provenance import headed
from report.sections.selftest import selftest_section
from report.sections.separable import separable_section
from report.sections.summary import machine_section
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
) -> dict[str, str]:
    """The pages of a run's report by their paths: `REPORT.md`, and the parts that its records have anything for.

    The other records are from other runs: where these had another machine, other versions or threads, the heading of
    their section says so. ``raw`` is the path to the run's record.
    """
    run, swept = Analysis(record), {name: Analysis(sweep) for name, sweep in sweeps.items()}
    untuned = {name: sweep for name, sweep in swept.items() if not has_tuned(sweep.record)}
    sections: dict[str, Iterable[Iterable[str]]] = {
        "agreement": (
            agreement_section(record),
            headed(selftest_section(selftest), selftest, record) if selftest else (),
        ),
        "costs": (costs_section(record), separable_section(run)),
        "times": (
            timing_section(run),
            effects_section([run, *swept.values()]),
            *(headed(sweep_section(sweep, name), sweep.record, record) for name, sweep in untuned.items()),
        ),
        "tuning": (tuning_section(swept, record),),
        "training": (headed(training_section(training), training, record) if training else (),),
        "accelerators": (accelerators_section([record, *sweeps.values()]),),
        "method": (
            machine_section(record),
            method_section(record, f"../{raw}"),
            headed(calibration_section(Analysis(calibration)), calibration, record) if calibration else (),
        ),
    }
    assert tuple(sections) == PARTS
    texts = {name: [*itertools.chain.from_iterable(each)] for name, each in sections.items()}
    parts = [Part(name, texts[name]) for name in PARTS if texts[name]]
    others = {"selftest": selftest, "bench --aa": calibration, "train": training} | {
        f"sweep {name}": sweep for name, sweep in sweeps.items()
    }
    front = front_page(run, swept, {"report": record} | others, parts, raw)
    return {PAGE: _joined(front), **{part.path: _joined(part.page()) for part in parts}}


def _joined(paragraphs: Iterable[str]) -> str:
    return "\n\n".join(paragraphs) + "\n"
