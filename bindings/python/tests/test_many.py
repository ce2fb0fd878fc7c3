"""Many sessions in one thread, each with a login of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import imo2skype
import pytest

from conftest import GUARD, Open, account

COUNT = 200


async def online(session: imo2skype.Session) -> None:
    await session.ainvoke("SET USERSTATUS ONLINE", None)
    async for line in session.notifications():
        if line == "CONNSTATUS ONLINE":
            return


async def bodies_until(session: imo2skype.Session, last: str) -> list[str]:
    """The texts of the messages that come, up to last; every wait is given up once and taken up again."""
    bodies: list[str] = []
    lines = session.notifications()
    while last not in bodies:
        waiting = asyncio.ensure_future(lines.__anext__())
        await asyncio.sleep(0)
        waiting.cancel()
        try:
            line = await waiting
        except asyncio.CancelledError:
            line = await lines.__anext__()
        if line.startswith("CHATMESSAGE ") and line.endswith(" STATUS RECEIVED"):
            asked = line[: -len("STATUS RECEIVED")] + "BODY"
            bodies.append((await session.ainvoke(f"GET {asked}", None))[len(asked) + 1 :])
    return bodies


def test_two_hundred_sessions_share_one_thread(open_session: Open, request: pytest.FixtureRequest) -> None:
    names = [account(request, f"user{number}x") for number in range(COUNT)]
    threads = threading.active_count()

    async def main() -> None:
        sessions = [open_session(f"user{number}x", autologin=False) for number in range(COUNT)]
        await asyncio.gather(*map(online, sessions))
        listening = [asyncio.ensure_future(bodies_until(session, "the last")) for session in sessions]
        for text in ("hello", "the last"):
            for number, session in enumerate(sessions):
                to = names[(number + 1) % COUNT]
                said = f"{text} from {number}" if text == "hello" else text
                assert (await session.ainvoke(f"MESSAGE {to} {said}", None)).endswith(" STATUS SENDING")
        received = await asyncio.gather(*listening)
        assert received == [[f"hello from {(number - 1) % COUNT}", "the last"] for number in range(COUNT)]
        assert threading.active_count() == threads

        # Those who still wait when their session goes are told; a cancelled one takes nobody with it.
        waiting = [asyncio.ensure_future(end(session)) for session in sessions]
        await asyncio.sleep(0)
        for task in waiting[::2]:
            task.cancel()
        for session in sessions:
            session.close()
        for task in waiting[::2]:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert await asyncio.gather(*waiting[1::2]) == [None] * (COUNT // 2)
        for session in sessions:
            with pytest.raises(imo2skype.ClosedError):
                session.send_skype_command("PING")

    async def end(session: imo2skype.Session) -> None:
        async for _ in session.notifications():
            pass

    async def guarded() -> None:
        await asyncio.wait_for(main(), 8 * GUARD)

    asyncio.run(guarded())
