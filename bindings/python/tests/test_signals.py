"""Ctrl-C ends every wait."""

from __future__ import annotations

import socket
import subprocess
import sys

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
