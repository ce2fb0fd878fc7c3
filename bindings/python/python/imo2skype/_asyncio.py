"""The asyncio half of a session: no thread, only descriptors that the event loop watches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from imo2skype._imo2skype import ClosedError, NoReplyError

if TYPE_CHECKING:
    from imo2skype._imo2skype import Session

# After so many lines without a wait, the other tasks of the loop get their turn.
_FAIR = 100

# How often to look where the event loop can't watch descriptors (Windows), in seconds.
_TICK = 0.02


class _HasDescriptor(Protocol):
    def fileno(self) -> int: ...


# Who waits for which descriptor in which loop. An entry exists only while somebody waits, and whoever
# waits keeps the owner of the descriptor alive: so a number is never reused under an entry.
_waiting: dict[tuple[asyncio.AbstractEventLoop, int], set[asyncio.Future[None]]] = {}


def _wake(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    """Wakes all who wait for descriptor; each looks for itself whether there is something left."""
    loop.remove_reader(descriptor)
    for waiter in _waiting.pop((loop, descriptor), set()):
        _let_go(waiter)


def _let_go(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _readable(owner: _HasDescriptor, timeout: float | None = None) -> None:
    """Returns when the descriptor of owner is, or was a moment ago, readable; or timeout seconds later.

    (Not by asyncio.wait_for(): before Python 3.12 that forgets a cancellation that comes with the result.)
    """
    loop = asyncio.get_running_loop()
    try:
        descriptor = owner.fileno()
        if (loop, descriptor) not in _waiting:
            loop.add_reader(descriptor, _wake, loop, descriptor)
    except (NotImplementedError, OSError):
        await asyncio.sleep(_TICK if timeout is None else min(_TICK, timeout))
        return
    waiter: asyncio.Future[None] = loop.create_future()
    waiters = _waiting.setdefault((loop, descriptor), set())
    waiters.add(waiter)
    timer = None if timeout is None else loop.call_later(timeout, _let_go, waiter)
    try:
        await waiter
    finally:
        if timer is not None:
            timer.cancel()
        waiters.discard(waiter)
        # The entry may be that of others who came after a wake-up.
        if not waiters and _waiting.get((loop, descriptor)) is waiters:
            del _waiting[loop, descriptor]
            loop.remove_reader(descriptor)


class Notifications:
    """What Session.notifications() returns.

    (A class and no generator: a generator would be over after the first cancelled wait.)
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unwaited = 0

    def __aiter__(self) -> Notifications:
        return self

    async def __anext__(self) -> str:
        if self._unwaited >= _FAIR:
            self._unwaited = 0
            await asyncio.sleep(0)
        while True:
            # From taking a line to returning it nothing is awaited, so no cancellation can lose it.
            try:
                line = self._session.poll_skype_notification(0)
            except ClosedError:
                raise StopAsyncIteration from None
            if line is not None:
                self._unwaited += 1
                return line
            self._unwaited = 0
            await _readable(self._session)


async def ainvoke(session: Session, command: str, timeout: float | None) -> str:
    """What Session.ainvoke() awaits; timeout in seconds, None waits for ever."""
    reply = session._begin(command)
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    while (line := reply.take()) is None:
        left = None if deadline is None else deadline - loop.time()
        if left is not None and left <= 0:
            raise NoReplyError("no reply came in time")
        await _readable(reply, left)
    return line
