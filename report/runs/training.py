"""From a selection of backends to a TrainingRecord."""

import numpy as np

from common.check import fitting
from common.oracle import digits
from common.oracle.digits import BATCH, OPTIMISER, Batch, Digits
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.results.training import Fit, Oracle, TrainingRecord, stored
from common.spec import BlockSpec
from common.spec.catalogue import Case
from common.spec.params import Arrays, initial
from report.runs.runner import Runner, costed

NETS = (digits.digits_separable(), digits.digits_standard())
THREADS = 1  # such small nets gain nothing from a second
COMPARED = 42  # steps, from the first seed, that are compared with the oracle: two epochs


def train(run: Runner, seeds: int, epochs: int) -> TrainingRecord:
    """Trains both nets from every seed in all workers at once, and saves after each seed.

    The oracle trains from the first seed meanwhile.
    """
    data = digits.load()
    for number, worker in enumerate(run.workers):
        worker.first = number % machine.processors()
    run.describe()
    record = TrainingRecord(
        run.record.environment,
        run.record.backends,
        seeds,
        epochs,
        BATCH,
        OPTIMISER,
        len(data.train_x),
        len(data.test_x),
        [costed(Case("net", spec, (1, *data.train_x.shape[1:]))) for spec in NETS],
        unavailable=run.record.unavailable,
    )
    for spec in NETS:
        for seed in range(seeds):
            label, params, batches = (
                f"{spec.family}, seed {seed}",
                initial(spec, seed),
                digits.batches(data, epochs, seed),
            )
            run.progress.say(f"train {label}")
            job = (spec, params, batches, OPTIMISER, data.test_x, "float32")
            asked = [w for w in run.workers if run.post(w, label, "fit", "fit", *job, run.places[w.name].device)]
            if seed == 0:
                record.oracles.append(_oracle(spec, params, batches[:COMPARED]))
            fits = [fit for worker in asked if (fit := _collect(run, worker, spec, seed, data))]
            record.fits += fits
            shares = ", ".join(f"{fit.backend} {fit.correct / len(data.test_x):.1%}" for fit in fits)
            run.progress.step(f"train {label}: {shares or 'nothing'}")
            run.save(record)
    return record


def _oracle(spec: BlockSpec, params: Arrays, batches: list[Batch]) -> Oracle:
    expected = fitting.expected(spec, params, batches, OPTIMISER)
    return Oracle(spec.family, 0, stored(expected.exact), stored(expected.allowed))


def _collect(run: Runner, worker: Worker, spec: BlockSpec, seed: int, data: Digits) -> Fit | None:
    """A worker's answer; None, with the reason in the record, if it failed or its loss is not finite."""
    try:
        losses, logits = worker.collect()
        if not np.isfinite(losses).all():
            raise WorkerFailed(f"the loss of step {np.isfinite(losses).argmin() + 1} is not finite")
    except WorkerFailed as error:
        run.lose(worker, f"{spec.family}, seed {seed}", "fit", error)
        run.progress.note(f"[{spec.family}, seed {seed} / {worker.name}] fit: {error}")
        return None
    correct = int((logits.argmax(1) == data.test_labels).sum())
    return Fit(spec.family, worker.name, seed, stored(losses), correct)
