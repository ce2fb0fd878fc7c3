"""The asyncio half: no threads, no lost lines, no lost wake-ups."""

from __future__ import annotations

import asyncio
import socket
import threading

import imo2skype
import pytest
from imo2skype import _asyncio

from conftest import GUARD, Open, account


def run(main: object) -> None:
    """Runs a coroutine, guarded."""

    async def guarded() -> None:
        await asyncio.wait_for(main, GUARD)  # type: ignore[arg-type]

    asyncio.run(guarded())


async def echoed(session: imo2skype.Session, text: str) -> str:
    """Sends text to echo123 and returns what comes back."""
    assert (await session.ainvoke(f"MESSAGE echo123 {text}")).startswith("CHATMESSAGE ")
    async for line in session.notifications():
        if line.startswith("CHATMESSAGE ") and line.endswith(" STATUS RECEIVED"):
            asked = line[: -len("STATUS RECEIVED")] + "BODY"
            return (await session.ainvoke(f"GET {asked}"))[len(asked) + 1 :]
    raise AssertionError("the session ended")


def test_lines_come_to_a_loop(session: imo2skype.Session) -> None:
    async def main() -> None:
        assert await session.ainvoke("PING") == "PONG"
        assert await session.ainvoke("DANCE", timeout=None) == "ERROR 2 Unknown command"
        assert await echoed(session, "hello\nloop") == "hello\nloop"

    run(main())


def test_fifty_sessions_share_one_thread(open_session: Open) -> None:
    sessions = [open_session(f"user{number}x") for number in range(50)]
    threads = threading.active_count()

    async def main() -> None:
        texts = [f"hello {number}" for number in range(len(sessions))]
        answers = await asyncio.gather(*map(echoed, sessions, texts))
        assert answers == texts
        assert threading.active_count() == threads

    run(main())


def test_iteration_ends_with_the_session(session: imo2skype.Session) -> None:
    async def listen() -> list[str]:
        return [line async for line in session.notifications()]

    async def main() -> None:
        tasks = [asyncio.ensure_future(listen()) for _ in range(5)]
        await asyncio.sleep(0)
        session.send_skype_command("#last PING")
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(session.close)
        lines = await asyncio.gather(*tasks)
        assert sum(line == "#last PONG" for of_task in lines for line in of_task) <= 1
        assert [line async for line in session.notifications()] == []
        with pytest.raises(imo2skype.ClosedError):
            await session.ainvoke("PING")

    run(main())


def test_another_thread_may_close(session: imo2skype.Session) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(None, session.close)
        async for _ in session.notifications():
            pass
        await closing

    run(main())


def test_a_cancelled_wait_loses_no_line(session: imo2skype.Session) -> None:
    async def main() -> None:
        lines = session.notifications()
        got = []
        for number in range(300):
            waiting = asyncio.ensure_future(lines.__anext__())
            for _ in range(number % 4):
                await asyncio.sleep(0)
            session.send_skype_command(f"#{number} PING")
            for _ in range(number % 3):
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                got.append(await waiting)
            except asyncio.CancelledError:
                pass
        while (line := session.poll_skype_notification(0)) is not None:
            got.append(line)
        assert [line for line in got if line.startswith("#")] == [f"#{number} PONG" for number in range(300)]

    run(main())


def test_a_wait_that_timed_out_can_be_taken_up_again(session: imo2skype.Session) -> None:
    async def main() -> None:
        lines = session.notifications()
        with pytest.raises(asyncio.TimeoutError):
            while True:
                await asyncio.wait_for(lines.__anext__(), 0.05)
        session.send_skype_command("#1 PING")
        assert await lines.__anext__() == "#1 PONG"

    run(main())


def test_several_tasks_share_the_lines(session: imo2skype.Session) -> None:
    count = 200

    async def listen(got: list[str]) -> None:
        async for line in session.notifications():
            if line.startswith("#"):
                got.append(line)
                if len(got) == count:
                    return

    async def main() -> None:
        got: list[str] = []
        tasks = [asyncio.ensure_future(listen(got)) for _ in range(7)]
        await asyncio.sleep(0)
        for number in range(count):
            session.send_skype_command(f"#{number} PING")
            await asyncio.sleep(0)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert sorted(got) == sorted(f"#{number} PONG" for number in range(count))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        session.send_skype_command("#end PING")
        assert await session.notifications().__anext__()

    run(main())


def test_a_busy_session_lets_the_others_run(session: imo2skype.Session) -> None:
    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        for _ in range(2_000):
            session.send_skype_command("#x PING")
        session.send_skype_command("#end PING")
        task = asyncio.ensure_future(other())
        async for line in session.notifications():
            if line == "#end PONG":
                break
        assert turns > 1
        task.cancel()

    run(main())


def test_a_reply_of_the_network_is_awaited_while_lines_wait_unread(
    open_session: Open, request: pytest.FixtureRequest
) -> None:
    session = open_session()

    async def main() -> None:
        session.send_skype_command("PING")
        replies = await asyncio.gather(*(session.ainvoke("SEARCH USERS echo123") for _ in range(10)))
        assert all(reply.startswith(("USERS", "ERROR")) for reply in replies)
        waiting = asyncio.ensure_future(session.ainvoke("SEARCH USERS echo123"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await session.ainvoke("GET CURRENTUSERHANDLE") == "CURRENTUSERHANDLE " + account(request, "alice")

    run(main())


def test_two_loops_in_two_threads_share_a_session(session: imo2skype.Session) -> None:
    count = 100
    got: list[str] = []
    all_there = threading.Event()

    async def listen() -> None:
        async for line in session.notifications():
            if line.startswith("#"):
                got.append(line)
                if len(got) == count:
                    all_there.set()

    threads = [threading.Thread(target=run, args=(listen(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(count):
        session.send_skype_command(f"#{number} PING")
    assert all_there.wait(GUARD)
    session.close()
    for thread in threads:
        thread.join(GUARD)
    assert sorted(got) == sorted(f"#{number} PONG" for number in range(count))


class SlowReply:
    """A reply that comes when the test says so; the engine's own are there at once."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._line: str | None = None

    def come(self, line: str) -> None:
        self._line = line
        self._theirs.send(b"!")

    def take(self) -> str | None:
        return self._line

    def fileno(self) -> int:
        return self._ours.fileno()

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


class SlowSession:
    def __init__(self, reply: SlowReply) -> None:
        self._reply = reply

    def _begin(self, command: str) -> SlowReply:
        return self._reply


def begin_slowly(reply: SlowReply, timeout: float | None) -> asyncio.Task[str]:
    return asyncio.ensure_future(_asyncio.ainvoke(SlowSession(reply), "GET X", timeout))  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", range(8))
def test_a_cancellation_is_not_forgotten_when_the_reply_comes_with_it(steps: int) -> None:
    async def main() -> None:
        reply = SlowReply()
        task = begin_slowly(reply, GUARD)
        for _ in range(3):
            await asyncio.sleep(0)
        reply.come("X Y")
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert await task == "X Y"
        reply.close()

    run(main())


def test_a_reply_that_comes_late_is_awaited_and_one_that_never_comes_is_not() -> None:
    async def main() -> None:
        reply = SlowReply()
        task = begin_slowly(reply, None)
        await asyncio.sleep(0)
        reply.come("X Y")
        assert await task == "X Y"
        reply.close()
        reply = SlowReply()
        with pytest.raises(imo2skype.NoReplyError):
            await begin_slowly(reply, 0.01)
        assert not _asyncio._waiting, "nothing is watched any more"
        reply.close()

    run(main())
