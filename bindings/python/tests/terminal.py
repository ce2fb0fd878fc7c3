"""Programs at a terminal, for tests."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from types import TracebackType

from conftest import GUARD

# A process gets a terminal of its own by asking for it.
START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"


class Terminal:
    """A Python program with these arguments at a terminal of 24 rows and 80 columns."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "LINES": "24", "COLUMNS": "80", **environment}
        command = [sys.executable, "-c", START, sys.executable, *arguments]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def keys(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, wanted: str) -> str:
        """What was shown up to wanted, which has to come."""
        deadline = time.monotonic() + GUARD
        while wanted not in self.seen:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            try:
                piece = os.read(self._ours, 4096) if ready else b""
            except OSError:  # the program has ended
                piece = b""
            if not piece:
                raise AssertionError(f"{wanted!r} did not come, only {self.seen!r}")
            self.seen += piece.decode(errors="replace")
        shown, _, self.seen = self.seen.partition(wanted)
        return shown

    def rest(self) -> str:
        """What is shown until the program ends."""
        try:
            self.until("\0")
        except AssertionError:
            self.process.wait(GUARD)
        return self.seen

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(GUARD)
        os.close(self._ours)
