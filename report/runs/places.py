"""The devices that frameworks have, and those on which they are run."""

import contextlib
from collections.abc import Iterable, Sequence

import frameworks
from common.config import Config
from common.names import known
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed


def devices_of(names: Iterable[str]) -> dict[str, list[str]]:
    """The devices of each framework, asked in a process of its own; a framework that cannot start is left out."""
    workers, devices = [Worker(name, frameworks.module(name), machine.processors()) for name in names], {}
    try:
        for worker in workers:
            with contextlib.suppress(WorkerFailed):
                worker.post("environment")
        for worker in workers:
            with contextlib.suppress(WorkerFailed):
                devices[worker.name] = worker.collect()["devices"].split(", ")
    finally:
        for worker in workers:
            worker.stop()
    return devices


def choose_places(names: Sequence[str], devices: Sequence[str]) -> list[Config]:
    """Every framework on each of the devices that it has, or on its first device if none is named.

    Frameworks use different names: what torch calls ``cuda`` is ``gpu`` to the others.

    Raises:
        UnknownName: for a device that no framework has, and a framework that has none of the devices.
    """
    if not devices:
        return list(map(Config, names))
    available = devices_of(names)
    for name, choices in available.items():
        if not set(choices) & set(devices):
            known(f"device of {name}", devices[0], choices)
    for device in devices if available else ():
        known("device", device, dict.fromkeys(choice for choices in available.values() for choice in choices))
    # A framework that could not start is tried again, so that its reason is reported.
    return [Config(n, device=d) for n in names for d in dict.fromkeys(devices) if d in available.get(n, devices)]


def refuse_devices(configs: Iterable[Config]) -> None:
    """Checks before the work that every device exists.

    Raises:
        UnknownName: for a device that its framework does not have.
    """
    named = [config for config in configs if config.device]
    available = devices_of(dict.fromkeys(config.backend for config in named))
    for config in named:
        known(f"device of {config.backend}", config.device, available.get(config.backend, [config.device]))
