"""Ctrl-C ends every wait."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from types import FrameType
from typing import Callable, Optional

import imo2skype
import pytest

from conftest import GUARD, account

PROGRAM = """
import os, signal, sys, threading, time
import imo2skype

server, username, opening = sys.argv[1:]
sent = []

def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

def soon():
    # Long enough to be waiting then; should the signal come before, that must be right too.
    threading.Timer(0.3, interrupt).start()

try:
    if opening:
        soon()
        imo2skype.Session(username, "secret", server=server)
    with imo2skype.Session(username, "secret", server=server) as session:
        while session.poll_skype_notification(0.1) is not None:
            pass
        soon()
        while True:
            WAIT
except KeyboardInterrupt:
    print("interrupted after", time.monotonic() - sent[0])
"""


def interrupted_after(server: str, username: str, wait: str) -> float:
    """How long after Ctrl-C a program ended that was opening a session, or else in wait."""
    program = PROGRAM.replace("WAIT", wait or "pass")
    command = [sys.executable, "-c", program, server, username, "" if wait else "opening"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=2 * GUARD, check=True)
    assert done.stdout.startswith("interrupted after ")
    return float(done.stdout.split(" ")[2])


@pytest.mark.parametrize(
    "wait",
    [
        "session.poll_skype_notification()",
        "session.poll_skype_notification(timeout=1e300)",
        "session.poll_skype_notification(60)",
        "next(session)",
    ],
)
def test_it_ends_a_wait_for_lines(gateway: imo2skype.Gateway, request: pytest.FixtureRequest, wait: str) -> None:
    # With the logout after it; the bound is no promise but a guard, far above both.
    assert interrupted_after(gateway.url, account(request, "alice"), wait) < GUARD / 2


def test_it_ends_a_login_that_takes_too_long() -> None:
    # Connections are taken by the system, and never answered.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert interrupted_after(f"http://127.0.0.1:{port}/", "alice", "") < 5


class Enough(Exception):
    pass


def looks_at_signals(wait: Callable[[], object]) -> None:
    """Has wait, which takes two seconds, answer a signal twenty times: so each within 0.1 s, on the average."""
    answered = 0

    def answer(number: int, frame: Optional[FrameType]) -> None:
        nonlocal answered
        answered += 1
        if answered == 20:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise Enough

    before = signal.signal(signal.SIGALRM, answer)
    try:
        # Signals that come faster than they are answered are one.
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        with pytest.raises(Enough):
            wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals here")
def test_a_wait_answers_ten_signals_a_second(session: imo2skype.Session) -> None:
    while session.poll_skype_notification(0.1) is not None:
        pass
    looks_at_signals(lambda: session.poll_skype_notification(2))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals here")
def test_a_login_answers_ten_signals_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        # The login would wait longer than twenty slow answers take.
        end = threading.Timer(2, silent.close)
        end.start()
        try:
            looks_at_signals(lambda: imo2skype.Session("alice", "secret", server=f"http://127.0.0.1:{port}/"))
        finally:
            end.cancel()
            end.join()
