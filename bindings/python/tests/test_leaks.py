"""What is called often leaves nothing behind. (bench.py does the same ten times as often.)"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from typing import Callable

import imo2skype
import pytest

from conftest import Open

COUNT = 100_000


def left_behind(work: Callable[[int], None]) -> int:
    """How many bytes of Python's memory more are in use after COUNT times than after some."""
    work(COUNT // 10)
    gc.collect()
    tracemalloc.start()
    try:
        work(COUNT // 100)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        work(COUNT)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def commands(session: imo2skype.Session, count: int) -> None:
    for _ in range(count // 2):
        session.send_skype_command("#1 PING")
        while session.poll_skype_notification(0) != "#1 PONG":
            pass


def replies(session: imo2skype.Session, count: int) -> None:
    for _ in range(count):
        session.invoke("PING")


def refusals(session: imo2skype.Session, count: int) -> None:
    for _ in range(count):
        try:
            session.send_skype_command("PING\0")
        except ValueError:
            pass


def descriptors(session: imo2skype.Session, count: int) -> None:
    for _ in range(count):
        session.fileno()


def tasks(session: imo2skype.Session, count: int) -> None:
    async def main() -> None:
        lines = session.notifications()
        for _ in range(count // 20):
            await session.ainvoke("PING")
            session.send_skype_command("PING")
            await lines.__anext__()
            waiting = asyncio.ensure_future(lines.__anext__())
            await asyncio.sleep(0)
            waiting.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("work", [commands, replies, refusals, descriptors, tasks])
def test_nothing_is_left_behind(open_session: Open, work: Callable[[imo2skype.Session, int], None]) -> None:
    session = open_session()
    references = sys.getrefcount(session)
    # A tenth of a byte for each call: what leaks once in a hundred calls is seen.
    assert left_behind(lambda count: work(session, count)) < COUNT // 10
    assert sys.getrefcount(session) <= references + 1
