"""A worker that does what code of others may do: each request is one misdeed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from common.processes.serve import serve

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


class BadError(Exception):
    def __str__(self) -> str:
        raise ValueError


class Session:
    def echo(self, array: np.ndarray) -> np.ndarray:
        return array

    def forks(self) -> int:
        return min(os.fork(), 1)

    def raises_in_a_fork(self) -> int:
        if not os.fork():
            raise ValueError
        return 1

    def exits(self) -> None:
        sys.exit(3)

    def leaves(self) -> None:
        os._exit(3)

    def exits_with_a_thread(self) -> None:
        threading.Thread(target=time.sleep, args=(600,)).start()
        os.closerange(3, 4096)

    def crashes(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def kills(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def stops(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def closes_and_goes_on(self) -> None:
        os.closerange(3, 4096)
        time.sleep(600)

    def closes_and_opens(self, path: str) -> None:
        numbers = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if int(entry.name) > 2]
        os.closerange(3, 4096)
        for number in numbers:
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)

    def writes(self, first: int, last: int, text: bytes) -> str:
        for number in range(first, last):
            with contextlib.suppress(OSError):
                os.write(number, text)
        print("printed" * 10000)
        return "said"

    def raises_what_has_no_text(self) -> None:
        raise BadError

    def answers_otherwise(self) -> int:
        return "a word"  # pyright: ignore[reportReturnType]

    def answers_with_an_object(self) -> object:
        return object()

    def starts_processes(self) -> list[int]:
        own = [subprocess.Popen(SLEEP, start_new_session=session) for session in (False, True)]
        return [process.pid for process in own]

    def starts_a_daemon(self) -> int:
        """Starts a process that is in no session of this one's, and no child of a process of this one's."""
        daemon = f"subprocess.Popen({SLEEP}, stdout=subprocess.DEVNULL, start_new_session=True)"
        code = f"import subprocess; print({daemon}.pid)"
        done = subprocess.run([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, check=True)
        return int(done.stdout)

    def waits_for_all_children(self) -> int:
        if not os.fork():
            os._exit(0)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        return 1

    def prints_without_end(self) -> None:
        while True:
            os.write(1, bytes(2**20))

    def starts_and_dies(self, path: str) -> None:
        Path(path).write_text(str(subprocess.Popen(SLEEP).pid))
        os._exit(3)


if __name__ == "__main__":
    serve(Session, *sys.argv[2:])
