"""The guide: its facts hold, its pages are what the code says now, its links lead somewhere; and `explain`."""

import copy
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import frameworks
from common.port.facts import ARGUMENTS, QUESTIONS, described, mapping, zeros_added
from common.protocols import Backend
from common.spec.catalogue import names
from report.cli import main
from report.guide import diagram, facts, pitfalls, rules, site, sources
from report.guide.explain import explain, explain_symptom
from report.guide.facts import Facts
from report.guide.pitfalls import Pitfall
from report.paths import DOCS

RECORDED = facts.load()


def test_the_recorded_facts_hold(backend: Backend) -> None:
    changed = facts.changed(facts.ask(backend.NAME), RECORDED.frameworks[backend.NAME])
    assert not changed, "run `make facts`:\n" + "\n".join(changed)


def test_only_what_has_changed_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is no longer there is dropped."""
    asked, now = [], facts.keys()
    monkeypatch.setattr(facts, "_questions", lambda name: asked.append(name) or RECORDED.frameworks[name])
    monkeypatch.setattr(facts, "_held", lambda name, family: asked.append(f"{family} in {name}") or [])
    monkeypatch.setattr(Pitfall, "run", lambda pitfall, port: asked.append(f"{pitfall.id} {port}") or ())
    recorded = replace(RECORDED, keys=copy.deepcopy(now), pitfalls=RECORDED.pitfalls | {"gone": {}})
    same = facts.measure(recorded, now)
    assert (same.frameworks, same.pitfalls, asked) == (RECORDED.frameworks, RECORDED.pitfalls, [])
    del recorded.keys["questions"]["jax"]
    recorded.keys["blocks/flax"]["ghost_module"] = recorded.keys["pitfalls/same_seed"]["torch-to-paddle"] = "another"
    measured = facts.measure(recorded, now)
    assert asked == ["jax", "ghost_module in flax", "same_seed torch-to-paddle"]
    assert (measured.keys, measured.frameworks["flax"].parameters["ghost_module"]) == (now, [])


def test_what_a_fact_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block's code, a pitfall's file, and the versions of the frameworks that are asked."""
    recorded, code, versions = Facts({}, keys=facts.keys()), sources.block_code, facts._versions
    monkeypatch.setattr(sources, "block_code", lambda name, family: code(name, family) + "#" * (family == "conv_stack"))
    assert facts.outdated(recorded, facts.keys()) == [f"blocks/{name}/conv_stack" for name in frameworks.BACKENDS]
    monkeypatch.undo()
    (first, *others), text = pitfalls.load(), "# another"
    monkeypatch.setattr(pitfalls, "load", lambda: (replace(first, source=first.source + text), *others))
    assert facts.outdated(recorded, facts.keys()) == [f"pitfalls/{first.id}/{port}" for port in first.ports]
    monkeypatch.undo()
    monkeypatch.setattr(facts, "_versions", lambda *of: [*versions(*of), *(["a later one"] if "paddle" in of else [])])
    ports = [f"pitfalls/{p.id}/{port}" for p in pitfalls.load() for port in p.ports if "paddle" in port]
    blocks = [f"blocks/paddle/{family}" for family in names()]
    assert facts.outdated(recorded, facts.keys()) == ["questions/paddle", *blocks, *ports]


def test_every_framework_answers_every_question() -> None:
    assert list(RECORDED.frameworks) == list(frameworks.BACKENDS) == list(sources.TITLES)
    for framework in RECORDED.frameworks.values():
        assert framework.answers.keys() == QUESTIONS.keys()
        assert framework.arguments.keys() == ARGUMENTS.keys()
        assert framework.parameters.keys() == set(names())
        assert all(set(concepts) <= set(ARGUMENTS[layer]) for layer, concepts in framework.arguments.items())


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    given = re.findall(r'<a id="(.+?)">', text)
    return {*given, *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)}


def test_links_lead_somewhere() -> None:
    links = 0
    for page in DOCS.rglob("*.md"):
        for target in re.findall(
            r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        ):
            if not target.startswith("https://"):
                path, _, anchor = target.partition("#")
                linked = (page.parent / path).resolve() if path else page
                assert linked.is_file(), f"{page.name}: {target}"
                assert not anchor or anchor in _anchors(linked.read_text("utf-8")), f"{page.name}: {target}"
                links += 1
    assert links > 200


def test_no_page_fetches_anything_from_elsewhere() -> None:
    for path in DOCS.rglob("*"):
        if path.suffix in (".md", ".svg", ".css"):
            text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
            assert not re.search(r"!\[[^]]*\]\(https?:|<script|<link|@import|url\(", text), path.name


def test_the_site_shows_folded_parts_as_tabs() -> None:
    text = "before\n\n<!-- tabs -->\n\n<details open><summary>A</summary>\n\none\n\ntwo\n\n</details>\n\n"
    text += "<details><summary>B</summary>\n\nthree\n\n</details>\n\n<!-- /tabs -->\n\nafter"
    tabs = '=== "A"\n\n    one\n\n    two\n\n=== "B"\n\n    three'
    assert site.on_page_markdown(text) == f"before\n\n{tabs}\n\nafter"


def test_code_is_shown_with_what_it_uses_of_its_framework() -> None:
    shown = sources.block_code("torch", "depthwise_separable")
    assert shown.index("class Conv2d(nn.Conv2d)") < shown.index("class ConvBnAct") < shown.index("class DepthwiseSep")
    source = Path(sources.ROOT / "frameworks/torch/blocks/separable.py").read_text("utf-8")
    assert source[source.index("class DepthwiseSeparable") :].rstrip() in shown


def test_repeated_parts_are_folded() -> None:
    steps = diagram.steps(facts.documented("mobilenet_v1"))
    assert [step.times for step in steps if step.name.startswith("blocks.")] == [13] * 6
    assert [step.name for step in diagram.steps(facts.documented("ghost_module")) if step.reads] == ["concat"]
    listed = {step.name: step for step in diagram.steps(facts.documented("resnet"))}
    assert listed["blocks.0.add"].times == 2
    assert listed["blocks.2.add"].beside == ("blocks.0.act",)  # it reads blocks.1.act, which is not listed


def test_transposes_between_two_frameworks() -> None:
    canonical = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    there, here = (2, 3, 1, 0), (1, 0, 3, 2)
    moved = canonical.transpose(there).transpose(rules.between(there, here))
    assert np.array_equal(moved, canonical.transpose(here))


def test_arrays_are_found_by_their_values() -> None:
    weight = np.arange(6.0).reshape(2, 3)
    (row,) = mapping({"a.0.weight": weight}, {"a.0.bias": np.arange(3.0), "a.0.kernel": weight.T})
    assert (row.canonical, row.native, row.shape, row.axes) == ("a.*.weight", "a.*.kernel", "[3, 2] first", (1, 0))
    with pytest.raises(ValueError, match=r"`a\.weight` is held under no name"):
        mapping({"a.weight": weight}, {"a.weight": weight + 1})


def test_paddings_are_read_off_an_output() -> None:
    def conv(top: int, bottom: int, left: int, right: int):
        def run(x: np.ndarray) -> np.ndarray:
            x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
            return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).sum((-1, -2))

        return run

    for sides in ((0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 1, 0)):
        assert zeros_added(conv(*sides)) == str((sides[:2], sides[2:]))


def test_an_argument_that_is_gone_is_an_error() -> None:
    def layer(stride: int = 1) -> None: ...

    assert described(layer, {"stride": "stride"}) == {"stride": "stride=1"}
    with pytest.raises(KeyError):
        described(layer, {"stride": "strides"})


@pytest.mark.parametrize("family", names())
def test_explain_prints_both_implementations_and_the_rules(family: str) -> None:
    text = explain(family, "torch", "flax")
    assert sources.block_code("torch", family) in text
    assert sources.block_code("flax", family) in text
    assert re.search(r"\| Kernels +\|.*\| Transpose \(2, 3, 1, 0\)\. +\|", text)
    assert "## Pitfalls" in text
    assert "https://github.com/" in text


def test_explain_finds_pitfalls_by_what_one_sees() -> None:
    """Those of both directions of the port, and no others; a page lists those of all ports."""
    chosen = [pitfall for pitfall in pitfalls.load() if "training-diverges" in pitfall.symptoms]
    for source, target in (("torch", "paddle"), ("paddle", "torch")):
        text = explain_symptom("training-diverges", source, target)
        direct = {pitfall.title for pitfall in chosen if f"{source}-to-{target}" in pitfall.ports}
        turned = {pitfall.title for pitfall in chosen if f"{target}-to-{source}" in pitfall.ports} - direct
        assert set(re.findall("^## (.+)$", text, re.MULTILINE)) == direct | turned
        assert text.count("(Run in the other direction.)") == len(turned)
    page = (DOCS / "pitfalls" / "symptoms.md").read_text("utf-8")
    assert all(page.count(f"]({pitfall.id}.md)") == len(pitfall.symptoms) for pitfall in pitfalls.load())


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "report", *arguments], capture_output=True, text=True, check=False)


def test_explain_as_a_command_is_plain_text_and_imports_no_framework() -> None:
    code = "import sys; from report.guide.explain import explain; explain('ghost_module', 'torch', 'paddle')"
    check = f"{code}; assert not {{'torch', 'paddle', 'jax', 'flax'}} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
    ran = _run("explain", "ghost_module", "--from", "torch", "--to", "paddle")
    assert ran.returncode == 0
    assert ran.stdout == explain("ghost_module", "torch", "paddle")
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "--from", "torch", "--to", "paddle"), "unknown block `nothing`; choose from standard_conv, "),
        (
            ("ghost_module", "--from", "keras", "--to", "jax"),
            "unknown backend `keras`; choose from torch, paddle, jax, ",
        ),
        (
            ("ghost_module", "--from", "jax", "--to", "jax"),
            "nothing to port from `jax` to `jax`; choose another of torch",
        ),
        (("ghost_module", "--from", "jax"), "Missing option '--to'"),
        (("--from", "jax", "--to", "flax"), "give either a block or --symptom"),
        (("ghost_module", "--symptom", "slower", "--from", "jax", "--to", "flax"), "give either a block or --symptom"),
        (("--symptom", "slow", "--from", "jax", "--to", "flax"), "unknown symptom `slow`; did you mean `slower`?"),
        (("--symptom", "slower", "--from", "jax", "--to", "jax"), "nothing to port from `jax` to `jax`; choose "),
    ],
)
def test_what_explain_refuses(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_explain_keeps_to_the_layers_of_the_block() -> None:
    assert "Linear weights" in explain("mobilenet_v1", "torch", "paddle")
    assert "Linear weights" not in explain("ghost_module", "torch", "paddle")


def test_rules_are_of_known_questions() -> None:
    assert rules.RULES.keys() <= QUESTIONS.keys()
