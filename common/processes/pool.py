"""Worker processes as seen from the parent: start, ask, and survive their deaths."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from common.processes.settings import THREADS, settings

ROOT = Path(__file__).parents[2]
TIMEOUT = 300.0  # seconds for one request: a compilation of a large network takes tens


class WorkerFailed(RuntimeError):
    """A request that was not answered with a value: the message says why in one line.

    ``died`` tells a process that ended or hung from one that answered with an error.
    """

    died = False


class Worker:
    """One backend in a process of its own, started when first asked and again after a death, but not endlessly."""

    MAX_DEATHS = 2

    def __init__(
        self,
        name: str,
        module: str,
        threads: int | None,
        timeout: float = TIMEOUT,
        x64: bool = False,
        entry: str = "common.session.session",
        allocator: str = "default",
    ) -> None:
        self.name = name
        self.first = 0  # of the processors: `threads` of them, from here, are its own
        self._entry = entry
        self.timeout = timeout
        self._x64, self._allocator = x64, allocator
        self._module = module
        self._threads = threads
        self._deaths = 0
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._deaths >= self.MAX_DEATHS:
            raise WorkerFailed(f"given up after {self._deaths} deaths of its process")
        self._connection, child = Pipe()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        # Our own packages first, and the current folder not at all: it may have a `common` or a `numpy.py` of its own.
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        inherited = {name: value for name, value in os.environ.items() if self._threads or name not in THREADS}
        environment: Mapping[str, str] = (
            inherited | settings(self._threads, self._x64, self._allocator) | {"PYTHONPATH": path}
        )
        command = [
            "-P",
            "-m",
            self._entry,
            self._module,
            str(child.fileno()),
            str(self._threads or 0),
            str(self.first),
        ]
        self._process = subprocess.Popen(
            [sys.executable, *command],
            pass_fds=[child.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        child.close()
        return self._process

    def precise(self, x64: bool) -> None:
        """Whether JAX computes in float64, which it decides once in the life of a process: so a new one is started."""
        if x64 != self._x64:
            self.stop()
            self._x64 = x64

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def post(self, request: str, *arguments: Any) -> None:
        """Sends a request to be answered by `collect`.

        Raises:
            WorkerFailed: if there is no process to send it to.
        """
        process = self._process or self._start()
        try:
            self._connection.send((request, arguments))
        except OSError:
            raise self._dead(process) from None

    def collect(self) -> Any:
        """The answer to the last request.

        Raises:
            WorkerFailed: if the request raised, the process died, or there is no answer in time.
        """
        process = self._process
        if process is None:
            raise WorkerFailed("its process is gone")
        try:
            if not self._connection.poll(self.timeout):
                raise self._dead(process, f"no answer in {self.timeout:g} s, killed")
            succeeded, value = self._connection.recv()
        except (EOFError, OSError):
            raise self._dead(process) from None
        if not succeeded:
            raise WorkerFailed(value)
        return value

    def ask(self, request: str, *arguments: Any) -> Any:
        """`post` and `collect`."""
        self.post(request, *arguments)
        return self.collect()

    def pause(self) -> None:
        """Stops an idle process altogether: the threads of some pools spin for a while and would disturb the others."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Lets a paused process run for the time of a ``with`` block."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.pause()

    def _dead(self, process: subprocess.Popen[bytes], reason: str = "") -> WorkerFailed:
        error = WorkerFailed(self._ended(process, reason))
        error.died = True
        return error

    def _ended(self, process: subprocess.Popen[bytes], reason: str) -> str:
        self._deaths += 1
        if reason:
            self.stop()
            return reason
        code = process.wait()
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        self.stop()
        if code == -signal.SIGKILL:  # from outside, so what it said before has nothing to do with it
            return "its process was killed by SIGKILL"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return f"its process {how}; the last it said: {said[:200] or 'nothing'}"

    def stop(self) -> None:
        """Ends the process; a later request starts a new one."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._connection.close()
            self._output.close()
            self._process = None
