"""Every mistake of the list is caught in every framework, at its level and layer; and nothing else is caught."""

import functools
from dataclasses import replace

import pytest

import frameworks
from common.check.divergence import OPTIMISER
from common.check.judge import LEVELS, check, expectations
from common.faults.cases import CASES, SEPARABLE
from common.faults.edits import applied
from common.faults.injection import Fault, Faulty, needed, run
from common.faults.mistakes import FAULTS
from common.oracle.optimisers import updater
from common.protocols import Backend
from common.spec.catalogue import Case
from tests.support import numpy_backend


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_caught_at_its_level_and_layer(backend: Backend, fault: Fault) -> None:
    with applied(fault, frameworks.part(backend.NAME, "faults")) as fault:
        result = run(fault, backend, needed(fault, expectations(fault.case)))
    assert (result.level, result.layer) == (fault.level, fault.layer), result.message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_blocks_without_a_fault_agree(backend: Backend, case: Case) -> None:
    assert [result.message for result in check(case, backend) if not result.passed] == []


def test_the_injection_itself_is_not_what_is_caught(backend: Backend) -> None:
    """Arrays stored and read back through the wrapper, and the right optimiser written by hand, agree."""
    harmless = Fault("none", "", SEPARABLE, "", "", stored=dict, returned=dict, update=functools.partial(updater))
    assert run(harmless, backend, expectations(SEPARABLE)).message == "every level agrees"


def test_the_catalogue_is_broad() -> None:
    assert len(FAULTS) == len({fault.id for fault in FAULTS}) >= 40
    assert {fault.level for fault in FAULTS} == set(LEVELS) - {"case", "builds", "known_differences"}
    for fault in FAULTS:
        layers = {name.removeprefix("after ") for name in fault.layer.split(" or ")}
        assert layers <= {node.name for node in fault.case.spec.nodes} | {OPTIMISER}


def test_a_fault_that_is_not_caught_or_elsewhere_counts_as_missed() -> None:
    """A fault that changes nothing, and one that is expected at the wrong layer."""
    harmless = Fault("nothing", "", SEPARABLE, "forward", "depthwise.conv")
    assert not run(harmless, numpy_backend, needed(harmless, expectations(SEPARABLE))).caught
    slope = next(fault for fault in FAULTS if fault.id == "slope")
    assert run(slope, numpy_backend, needed(slope, expectations(SEPARABLE))).caught
    elsewhere = replace(slope, layer="pointwise.norm")
    assert not run(elsewhere, numpy_backend, needed(elsewhere, expectations(SEPARABLE))).caught


def test_a_wrapped_backend_is_a_backend() -> None:
    wrapped = Faulty(numpy_backend, FAULTS[0])
    assert (wrapped.NAME, wrapped.devices()) == ("numpy", ("cpu", "fake"))
    assert wrapped.environment() == numpy_backend.environment()
    assert wrapped.DIFFERENCES == ()
