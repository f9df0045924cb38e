"""What people saw in public threads leads to the right pitfall by one command, and by two clicks on the site."""

import pytest

from report.guide import pitfalls
from report.guide.explain import explain_symptom
from report.paths import DOCS

# Threads of GitHub: what each reports, as a symptom and a port; and its pitfall.
THREADS = {
    "pytorch/pytorch/issues/77427": (
        "evaluation-differs torch paddle",
        "batchnorm_running_variance",
    ),
    "google/flax/issues/2993": ("layer-differs torch flax", "padding_same_stride_2"),
    "microsoft/MMdnn/issues/595": ("layer-differs torch jax", "flatten_order"),
    "PaddlePaddle/Paddle/pull/79711": ("training-diverges torch paddle", "init_grouped"),
    "google-deepmind/optax/issues/532": ("training-diverges torch jax", "rmsprop"),
    "PaddlePaddle/docs/pull/5945": ("loading-fails torch paddle", "linear_weight"),
    "pytorch/pytorch/pull/23923": ("layer-differs torch paddle", "grid_sample_corners"),
    "PaddlePaddle/Paddle/issues/48663": ("loss-differs torch paddle", "cross_entropy_ignored"),
    "tensorpack/tensorpack/issues/176": ("accuracy-lower torch paddle", "preprocess_bgr"),
    "pytorch/examples/issues/289": ("evaluation-differs torch flax", "batchnorm_momentum"),
    "pytorch/pytorch/issues/3618": ("counts-differ torch flax", "depthwise_without_groups"),
    "PaddlePaddle/PaddleOCR/issues/3367": (
        "training-diverges torch paddle",
        "parameter_regularizer",
    ),
}


@pytest.mark.parametrize("thread", THREADS)
def test_a_thread_leads_to_its_pitfall(thread: str) -> None:
    seen, name = THREADS[thread]
    (pitfall,) = (pitfall for pitfall in pitfalls.load() if pitfall.id == name)
    assert f"https://github.com/{thread}" in pitfall.threads
    assert f"docs/pitfalls/{name}.md" in explain_symptom(*seen.split())
    section = (DOCS / "pitfalls" / "symptoms.md").read_text("utf-8").split(f"`{seen.split()[0]}`\n")[1]
    assert f"]({name}.md)" in section.split("\n## ")[0]
    assert "](pitfalls/symptoms.md)" in (DOCS / "index.md").read_text("utf-8")


def test_a_pitfall_of_optax_speaks_of_flax_which_trains_with_it() -> None:
    for source in ("torch", "paddle"):
        assert "docs/pitfalls/cross_entropy_optax.md" in explain_symptom("loss-differs", source, "flax")
    page = (DOCS / "pitfalls" / "cross_entropy_optax.md").read_text("utf-8")
    assert "the port to JAX is run, and speaks of both" in page


def test_what_is_slower_is_sent_to_the_pages_that_measure() -> None:
    assert "docs/fast/jax.md" in explain_symptom("slower", "torch", "jax")
    assert "](../fast/index.md)" in (DOCS / "pitfalls" / "symptoms.md").read_text("utf-8")
