"""What `convparity port` does, in a process of its own: a framework that crashes at its import ends that alone."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.layers.values import SpecError
from common.names import UnknownName
from common.port.alignment import NameMap
from common.port.weights import Disagreement, PortError
from common.processes.pool import Worker, WorkerFailed
from common.processes.serve import serve
from convparity.packages import OURS
from frameworks import MissingFramework
from report.port.networks import Carried, port_file
from report.port.stored import PARTIAL, write_map
from report.port.weights import Ported, port


@dataclass(frozen=True)
class Outcome:
    """What the process answers: what `Ported` says in words, or why nothing was ported."""

    notes: tuple[str, ...] = ()
    names: NameMap = field(default_factory=dict)
    problem: str = ""
    details: tuple[str, ...] = ()
    disagrees: bool = False


class Session:
    """The request that the process answers."""

    def port(self, source: Path, destination: Path, options: dict[str, Any]) -> Outcome:
        save_map, networks = options.get("save_map"), "first" in options
        try:
            if not networks:
                ported: Ported | Carried = port(source, destination, **options)
            else:
                ported = port_file(source, destination, **{k: v for k, v in options.items() if k != "save_map"})
                if save_map:
                    write_map(save_map, ported.names)
        except (PortError, UnknownName, SpecError, MissingFramework) as error:
            details = getattr(error, "details", ())
            return Outcome(problem=str(error), details=details, disagrees=isinstance(error, Disagreement))
        return Outcome(ported.notes, ported.names)


def port_apart(source: Path, destination: Path, **options: Any) -> Outcome:
    """Ports as `report.port.weights.port` does, with its ``options``, or as `port_file` if these have two networks.

    Raises:
        PortError: for anything that is wrong, also if the process dies or hangs; nothing is written then.
        Disagreement: as `report.port.weights.port` does.
    """
    worker = Worker("port", "port", None, entry="report.port.apart")
    try:
        worker.post("port", source, destination, options)
        partial = PARTIAL.format(worker.pid)
        try:
            outcome: Outcome = worker.collect()
        finally:
            worker.stop()
            for folder in destination.parent.glob(f"{partial}*"):  # of a process that was killed
                shutil.rmtree(folder, ignore_errors=True)
    except WorkerFailed as error:
        ends = [options[name] for name in (("first", "second") if "first" in options else ("from_", "to"))]
        raise PortError(f"nothing was ported from {ends[0]} to {ends[1]}: {error}") from None
    if outcome.problem:
        raise (Disagreement if outcome.disagrees else PortError)(outcome.problem, outcome.details)
    return outcome


if __name__ == "__main__":
    with OURS:
        serve(Session, *sys.argv[2:])
