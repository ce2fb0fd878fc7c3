"""What the tests share: a gateway, sessions on it, and waiting for a line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable

import imo2skype
import pytest

# No test waits so long unless something is broken.
GUARD = 30.0

Open = Callable[..., imo2skype.Session]


@pytest.fixture(scope="session")
def gateway() -> Iterator[imo2skype.Gateway]:
    with imo2skype.Gateway() as gateway:
        yield gateway


@pytest.fixture
def open_session(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens sessions for accounts of this test, and closes them."""
    opened: list[imo2skype.Session] = []

    def open_session(name: str = "alice", password: str = "secret", **options: bool | int | str) -> imo2skype.Session:
        session = imo2skype.Session(account(request, name), password, server=gateway.url, **options)  # type: ignore[arg-type]
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
def session(open_session: Open) -> imo2skype.Session:
    return open_session()


def account(request: pytest.FixtureRequest, name: str) -> str:
    """A name that no other test uses: the tests share a gateway, and must not hear each other."""
    number = request.session.items.index(request.node)
    return f"{name}{number}"


def until(session: imo2skype.Session, wanted: Callable[[str], bool]) -> str:
    """The next line that is wanted; those before it are dropped."""
    deadline = time.monotonic() + GUARD
    seen = []
    while (left := deadline - time.monotonic()) > 0:
        line = session.poll_skype_notification(left)
        if line is None:
            break
        if wanted(line):
            return line
        seen.append(line)
    raise AssertionError(f"the line did not come, only {seen}")


def received(session: imo2skype.Session) -> str:
    """The number of the next message that somebody else sent."""
    line = until(session, lambda line: line.startswith("CHATMESSAGE ") and line.endswith(" STATUS RECEIVED"))
    return line.split(" ")[1]


def body(session: imo2skype.Session, message: str) -> str:
    asked = f"CHATMESSAGE {message} BODY"
    reply = session.invoke(f"GET {asked}")
    assert reply.startswith(asked + " ")
    return reply[len(asked) + 1 :]
