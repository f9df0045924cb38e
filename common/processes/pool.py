"""Worker processes as seen from the parent: start, ask, and survive their deaths."""

import contextlib
import fcntl
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from common.names import UnknownName
from common.processes import family, messages
from common.processes.settings import THREADS, settings

ROOT = Path(__file__).parents[2]
LIMIT = "CONVPARITY_TIMEOUT"  # the environment variable that names another limit
TIMEOUT = 300.0  # seconds for one request: a compilation of a large network takes tens
GLANCE = 0.5  # seconds between two looks at whether a process is still there
TAIL = 2**16  # bytes of what a process has said last
MOST = 2**26  # bytes that a process may have said; what it has said before is dropped then


def limit() -> float:
    """Seconds in which a request must be answered.

    Raises:
        UnknownName: if LIMIT names what is no number above 0.
    """
    text = os.environ.get(LIMIT) or str(TIMEOUT)
    with contextlib.suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise UnknownName(f"{LIMIT}={text} must be a number of seconds above 0")


class WorkerFailed(RuntimeError):
    """A request that was not answered with a value: the message says why in one line.

    ``died`` tells a process that ended, hung or could not be started again from one that answered with an error.
    """

    def __init__(self, message: str, died: bool = False) -> None:
        super().__init__(message)
        self.died = died


class Worker:
    """One backend in a process of its own, started when first asked and again after a death, but not endlessly.

    ``entry`` is a module that serves a class called ``Session``: a request is a method of it, whose annotation is the
    type of the answer. ``timeout`` is in seconds, by default `limit`.
    """

    MAX_DEATHS = 2

    def __init__(
        self,
        name: str,
        module: str,
        threads: int | None,
        timeout: float | None = None,
        x64: bool = False,
        entry: str = "common.session.session",
        allocator: str = "default",
    ) -> None:
        self.name = name
        self.first = 0  # of the processors: `threads` of them, from here, are its own
        self._entry = entry
        self.timeout = timeout or limit()
        self._x64, self._allocator = x64, allocator
        self._module = module
        self._threads = threads
        self._deaths = 0
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._deaths >= self.MAX_DEATHS:
            raise WorkerFailed(f"given up after {self._deaths} deaths of its process", died=True)
        try:
            return self._started()
        except OSError as error:  # no descriptor, process or temporary folder left
            self._deaths += 1
            raise WorkerFailed(f"its process cannot be started: {error.strerror or error}", died=True) from None

    def _started(self) -> subprocess.Popen[bytes]:
        # Our own packages first, and the current folder not at all: it may have a `common` or a `numpy.py` of its own.
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        inherited = {name: value for name, value in os.environ.items() if self._threads or name not in THREADS}
        own = {"PYTHONPATH": path, family.MARK: (mark := os.urandom(8).hex())}
        environment: Mapping[str, str] = inherited | settings(self._threads, self._x64, self._allocator) | own
        output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        fcntl.fcntl(output, fcntl.F_SETFL, fcntl.fcntl(output, fcntl.F_GETFL) | os.O_APPEND)  # it may be cut meanwhile
        channel, child = socket.socketpair()
        channel.setblocking(False)
        with child:
            numbers = map(str, (child.fileno(), self._threads or 0, self.first))
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._entry, self._module, *numbers],
                pass_fds=[child.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        self._channel, self._output, self._mark = channel, output, mark
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
            WorkerFailed: if there is no process to send it to, or it does not read in time.
        """
        process = self._process or self._start()
        self._request, self._id = request, os.urandom(messages.ID)
        try:
            parts = messages.request(self._id, request, arguments)
        except MemoryError:
            raise WorkerFailed("its request does not fit into memory") from None
        deadline = time.monotonic() + self.timeout
        try:
            for data in map(memoryview, parts):
                while data:
                    self._wait(process, select.POLLOUT, deadline)
                    with contextlib.suppress(BlockingIOError):
                        data = data[self._channel.send(data) :]
        except OSError:
            raise self._dead(process) from None

    def collect(self) -> Any:
        """The answer to the last request.

        Raises:
            WorkerFailed: if the request raised, the process died, or there is no answer in time.
        """
        process, deadline = self._process, time.monotonic() + self.timeout
        if process is None:
            raise WorkerFailed("its process is gone")

        def receive(buffer: memoryview) -> int:
            while True:
                self._wait(process, select.POLLIN, deadline)
                with contextlib.suppress(BlockingIOError):
                    return self._channel.recv_into(buffer)

        try:
            identity, succeeded, length = messages.ANSWER.unpack(messages.exactly(messages.ANSWER.size, receive))
            if identity != self._id:
                raise ValueError("something else wrote to its socket")
            body = messages.exactly(length, receive)
            if succeeded:
                return messages.decode(body, self._answers())
        except (EOFError, OSError):
            raise self._dead(process) from None
        except MemoryError:
            raise self._dead(process, "its answer does not fit into memory, killed") from None
        except ValueError as error:
            raise self._dead(process, f"what it sent is no answer ({error}), killed") from None
        raise WorkerFailed(str(body, errors="replace"))

    def _answers(self) -> Any:
        """The type of the last request's answer."""
        session = importlib.import_module(self._entry).Session
        return get_type_hints(getattr(session, self._request))["return"]

    def _wait(self, process: subprocess.Popen[bytes], event: int, deadline: float) -> None:
        """Returns when the socket can be read or written, or is closed.

        It looks at the process too, because a child of that may hold the other end of the socket.
        """
        poller = select.poll()
        poller.register(self._channel, event)
        while True:
            ended, left = process.poll() is not None, deadline - time.monotonic()
            if os.fstat(self._output.fileno()).st_size > MOST:  # a process that prints without end would fill the disk
                self._output.truncate(0)
            if poller.poll(0 if ended else 1e3 * max(0.0, min(GLANCE, left))):
                return
            if ended:
                raise self._dead(process)
            if left <= 0:
                raise self._dead(process, f"no answer in {self.timeout:g} s, killed")

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
        return WorkerFailed(self._ended(process, reason), died=True)

    def _ended(self, process: subprocess.Popen[bytes], reason: str) -> str:
        self._deaths += 1
        if reason:
            self.stop()
            return reason
        try:
            code = process.wait(min(self.timeout, family.PATIENCE))
        except subprocess.TimeoutExpired:
            self.stop()
            return "it closed the socket of its answers and went on, killed"
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - TAIL))
        lines = self._output.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        self.stop()
        if code == -signal.SIGKILL:  # from outside, so what it said before has nothing to do with it
            return "its process was killed by SIGKILL"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return f"its process {how}; the last it said: {said[:200] or 'nothing'}"

    def stop(self) -> None:
        """Ends the process and those that it has started; a later request starts a new one."""
        if self._process:
            family.end(self._process, self._mark)
            self._channel.close()
            self._output.close()
            self._process = None
