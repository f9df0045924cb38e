"""The report's section on training with real data: a pure function from a TrainingRecord to Markdown."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from common.results.training import Fit, Oracle, TrainingRecord
from report.paths import FIGURE
from report.text import Table, markdown, number, unique

CONFIDENCE = 0.95
APART = (1e-6, 0.01)  # shares of the loss: some units in float32's last place, and what the curves show
STEPS = (1, 2, 5, 10, 20, 40, 100, 200)


def training_section(record: TrainingRecord) -> Iterator[str]:
    """What was trained, how accurate it is, and how far the frameworks' losses come apart."""
    for section in (_setting, _accuracy, _losses, _missing):
        yield from section(record)


def backends(record: TrainingRecord) -> list[str]:
    """Every backend in the record, also those that are not available."""
    return unique([*record.backends, *(item.backend for item in record.unavailable)])


def fits(record: TrainingRecord, net: str, seed: int = 0) -> dict[str, Fit]:
    """A net's fits from one seed by backend."""
    return {fit.backend: fit for fit in record.fits if (fit.net, fit.seed) == (net, seed)}


def spread(by_backend: dict[str, Fit]) -> np.ndarray:
    """The largest loss minus the smallest over the backends, step by step; empty without a fit."""
    return np.ptp([fit.losses for fit in by_backend.values()], 0) if by_backend else np.array([])


def _setting(record: TrainingRecord) -> Iterator[str]:
    separable, standard = record.costs
    versions = ", ".join(f"{name} {facts.get(name, '')}".strip() for name, facts in record.backends.items())
    used = record.optimiser
    yield "## Training on real data"
    yield (
        f"From another run: `convparity train` on {record.environment['date'][:10]} at commit "
        f"`{record.environment['commit']}`, in {record.seconds / 60:.1f} minutes, with {versions}, on "
        f"{record.environment['cpu']}. The raw numbers are in `training.json`."
    )
    yield (
        f"A small separable net and its standard twin learn scikit-learn's handwritten digits, 8x8 pixels, from "
        f"{number(record.train_images)} images, and are tested on {record.test_images} others (a fixed stratified "
        "split; the same writers are in both parts). Both nets are a 3x3 convolution, three blocks, the mean over the "
        "map and a linear layer. A block is a depthwise and a pointwise convolution in one net and a 3x3 convolution "
        "in the other; norm and LeakyReLU follow each convolution. A seed gives the initial weights and the batches, "
        "the same in every framework. Each framework trains with its own cross-entropy and its own SGD (learning rate "
        f"{used.lr:g}, momentum {used.momentum:g}, weight decay {used.weight_decay:g}) for {record.epochs} epochs, in "
        f"batches of {record.batch}, in float32 on one thread."
    )
    rows = [[f"`{c.block}`", number(c.trainable), number(c.buffers), number(c.macs)] for c in record.costs]
    fewer = f"{standard.trainable / separable.trainable:.1f}x", "", f"{standard.macs / separable.macs:.1f}x"
    yield markdown(Table(["net", "trainable", "buffers", "MACs an image"], [*rows, ["times fewer", *fewer]]))


def accuracy(record: TrainingRecord) -> Table:
    """Share of test images classified correctly, by net and backend: mean and range over the seeds; the difference."""

    def cell(values: list[float], form: str) -> str:
        low, middle, high = (format(value, form) for value in (min(values), np.mean(values), max(values)))
        return f"{middle} ({low} to {high})"

    def share(net: str, backend: str) -> str:
        values = [
            100 * fit.correct / record.test_images for fit in record.fits if (fit.net, fit.backend) == (net, backend)
        ]
        return cell(values, ".1f") if values else "not available"

    names, nets = backends(record), [cost.block for cost in record.costs]
    rows = [[f"`{net}`, %", *(share(net, name) for name in names)] for net in nets]
    paired = differences(record)
    points = (cell(list(paired[name].values()), "+.1f") if paired[name] else "not available" for name in names)
    return Table(["", *names], [*rows, ["separable minus standard, points", *points]])


def differences(record: TrainingRecord) -> dict[str, dict[int, float]]:
    """Percentage points by which the separable net is better, by backend and seed."""
    separable, standard = (cost.block for cost in record.costs)
    percent = {(fit.net, fit.backend, fit.seed): 100 * fit.correct / record.test_images for fit in record.fits}
    return {
        name: {
            seed: percent[separable, name, seed] - percent[standard, name, seed]
            for seed in range(record.seeds)
            if {(separable, name, seed), (standard, name, seed)} <= percent.keys()
        }
        for name in backends(record)
    }


def verdict(record: TrainingRecord) -> str:
    """Whether the difference in accuracy is more than the seeds vary."""
    paired = differences(record).values()
    by_seed = [[by[seed] for by in paired if seed in by] for seed in range(record.seeds)]
    values = [float(np.mean(points)) for points in by_seed if points]
    if len(values) < 2:
        return f"{len(values)} seed to compare says nothing about the difference: it may come from the seed."
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / np.sqrt(len(values))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * error
    low, high = mean - half, mean + half
    word, same = ("worse", sum(v < 0 for v in values)) if mean < 0 else ("better", sum(v > 0 for v in values))
    sentence = (
        f"Over {len(values)} seeds, each the mean over the frameworks, the separable net is {abs(mean):.2f} points "
        f"{word} ({CONFIDENCE:.0%} interval by Student's t: {low:+.2f} to {high:+.2f}; {word} for {same} of the seeds)"
    )
    if low <= 0 <= high:
        return f"{sentence}: **within what seeds vary**, so these {len(values)} seeds do not show a difference."
    return f"{sentence}: **more than these seeds vary**, though {len(values)} seeds are few."


def _accuracy(record: TrainingRecord) -> Iterator[str]:
    yield "### Accuracy at the end"
    yield (
        f"Test images classified correctly: the mean over {record.seeds} seeds and the range. One image is "
        f"{100 / record.test_images:.2f} points. The accuracy is that after the last step: no step is picked, and none "
        "are averaged."
    )
    yield markdown(accuracy(record))
    yield verdict(record)
    yield (
        "Both nets had the same settings, which were tuned for neither, and the same number of epochs. The interval is "
        "over seeds only: other test images would change both results. Such small nets on such easy images say little "
        "about large ones: the authors of MobileNet report a loss of 1 % on ImageNet "
        "([Howard et al., 2017](https://arxiv.org/abs/1704.04861)). torch keeps the unbiased running variance, the "
        "others keep the biased one ([pytorch#77427](https://github.com/pytorch/pytorch/issues/77427)). Training does "
        "not depend on it. Evaluation does; in these nets the two differ by less than a thousandth of the variance."
    )


def _losses(record: TrainingRecord) -> Iterator[str]:
    yield "### Loss, step by step"
    compared = max(len(oracle.losses) for oracle in record.oracles)
    yield (
        f"Seed 0. The first {compared} steps are compared with the same training in float64 NumPy, the *oracle*. "
        "*Allowed* is how far from it float32 may be: the training is repeated with rounding of the modelled size put "
        "into every operation (`common/oracle/fitting.py`), and twelve deviations of the loss are allowed, as in all "
        "checks. **Training amplifies rounding**: if an activation's input is within rounding of zero, its sign may "
        "differ, and so may the gradient that it passes on; and each step starts from the result of the one before. So "
        "the band grows. A mistake that is smaller than the band can hide in it: in the first steps even a missing "
        "weight decay does. The checks [of agreement](agreement.md#do-they-agree), "
        "of every array after each of three steps, are finer. "
        "`tests/test_digits.py` also trains the first steps in float64, where a mistake of that size cannot hide. "
        "*Spread* is the largest loss minus the smallest."
    )
    yield f"![Loss of each framework, its distance from the oracle, and the band that rounding explains](../{FIGURE})"
    yield "The step at which a framework leaves the band; if it never does, the largest part of the band that it used:"
    yield markdown(parting(record))
    for oracle in record.oracles:
        yield f"`{oracle.net}`: {_apart(record, oracle)}"
        yield markdown(losses(record, oracle))


def parting(record: TrainingRecord) -> Table:
    """By net and backend: the first step whose loss is further from the oracle's than rounding explains."""

    def cell(oracle: Oracle, fit: Fit | None) -> str:
        if fit is None:
            return "not available"
        if step := oracle.expected.parting(np.array(fit.losses)):
            return f"**step {step}**"
        count = min(len(fit.losses), len(oracle.losses))
        used = np.abs(np.subtract(fit.losses[:count], oracle.losses[:count])) / oracle.allowed[:count]
        return f"never in {count} steps; {used.max():.2f} of it at step {used.argmax() + 1}"

    names = backends(record)
    rows = [
        [f"`{oracle.net}`", *(cell(oracle, fits(record, oracle.net).get(name)) for name in names)]
        for oracle in record.oracles
    ]
    return Table(["net", *names], rows)


def _apart(record: TrainingRecord, oracle: Oracle) -> str:
    by_backend, relative = fits(record, oracle.net), np.divide(oracle.allowed, oracle.losses)
    text = f"in its {len(relative)} steps, the band is within {_until(relative, APART[-1])}"
    if len(by_backend) < 2:
        return f"{text}."
    relative = spread(by_backend) / np.mean([fit.losses for fit in by_backend.values()], 0)
    return f"{text}. The frameworks are within {' and within '.join(_until(relative, share) for share in APART)}."


def _until(relative: np.ndarray, share: float) -> str:
    beyond = relative > share
    when = f"until step {beyond.argmax()}" if beyond.any() else "throughout"
    return f"{100 * share:g} % of the loss {when}"


def losses(record: TrainingRecord, oracle: Oracle) -> Table:
    """Losses of a net from seed 0 at some steps: the oracle's, each backend's, and the spread of the backends."""
    by_name, names = fits(record, oracle.net), backends(record)
    apart = spread(by_name)
    last = max((len(fit.losses) for fit in by_name.values()), default=len(oracle.losses))
    rows = []
    for step in sorted({*(step for step in STEPS if step < last), last}):
        known = step <= len(oracle.losses)
        rows.append(
            [
                str(step),
                f"{oracle.losses[step - 1]:.6f} ± {oracle.allowed[step - 1]:.1e}" if known else "",
                *(f"{by_name[name].losses[step - 1]:.6f}" if name in by_name else "not available" for name in names),
                f"{apart[step - 1]:.1e}" if by_name else "",
            ]
        )
    return Table(["step", "oracle ± allowed", *names, "spread"], rows)


def _missing(record: TrainingRecord) -> Iterator[str]:
    if record.unavailable:
        yield "What could not be trained, and why:"
        rows = [[item.backend, item.case or "everything", item.stage, item.reason] for item in record.unavailable]
        yield markdown(Table(["backend", "net and seed", "stage", "reason"], rows))
