"""Which command lists the pitfalls that fit what a comparison of two modules found."""

from common.port.comparing import Comparison
from report.guide import pitfalls
from report.guide.pairs import concerning


def hint(comparison: Comparison) -> str | None:
    """``convparity explain --symptom ...``; None if they agree, are of one framework, or no pitfall is known."""
    key, (source, target) = symptom(comparison), comparison.frameworks
    if key is None or not any(key in pitfall.symptoms for pitfall, _ in concerning(pitfalls.load(), source, target)):
        return None
    return f"convparity explain --symptom {key} --from {source} --to {target}"


def symptom(comparison: Comparison) -> str | None:
    """One of `SYMPTOMS`: the earliest that is seen of what differs."""
    wrong = {finding.what for finding in comparison.findings if finding.problem}
    outputs = {mode for mode in ("evaluation", "training") for what in wrong if what.endswith(f" in {mode}")}
    trained = any(finding.what.endswith(" in training") for finding in comparison.findings)
    if wrong and comparison.code and comparison.code.agrees:
        return "loading-fails"  # the arrays differ, and the code does not
    if outputs:
        if comparison.divergence and "has shapes" in comparison.divergence:
            return "shape-differs"
        if outputs == {"training"}:
            return "training-diverges"
        return "evaluation-differs" if trained and "training" not in outputs else "layer-differs"
    if any(what.startswith("gradient") for what in wrong):
        return "gradients-differ"
    return "evaluation-differs" if "running statistics after a pass" in wrong else None
