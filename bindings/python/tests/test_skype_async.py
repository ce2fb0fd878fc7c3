"""The objects over the text: the asyncio half."""

from __future__ import annotations

import asyncio
import threading

import imo2skype
import pytest
from imo2skype.skype import (
    AsyncChatMessage,
    AsyncSkype,
    AsyncUser,
    MessageEvent,
    MessageStatus,
    OnlineStatus,
    RequestEvent,
    SkypeError,
    StatusEvent,
    TypingEvent,
)

from conftest import GUARD, account


def run(main: object) -> None:
    async def guarded() -> None:
        await asyncio.wait_for(main, GUARD)  # type: ignore[arg-type]

    asyncio.run(guarded())


@pytest.fixture
def alice(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> AsyncSkype:
    return AsyncSkype(account(request, "alice"), "secret", server=gateway.url)


@pytest.fixture
def bob(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> AsyncSkype:
    return AsyncSkype(account(request, "bob"), "secret", server=gateway.url)


def test_two_users_chat_in_order(alice: AsyncSkype, bob: AsyncSkype) -> None:
    @bob.on_message
    async def answer(message: AsyncChatMessage) -> None:
        assert await message.sender() == alice.me
        await (await message.chat()).send("you said " + await message.body())

    async def main() -> None:
        async with alice, bob:
            running = asyncio.ensure_future(bob.run())
            chat = await alice.chat_with(bob.me)
            for number in range(20):
                await chat.send(f"one\n{number}")
            got = []
            async for event in alice.events():
                if isinstance(event, MessageEvent):
                    got.append(await event.message.body())
                    if len(got) == 20:
                        break
            assert got == [f"you said one\n{number}" for number in range(20)]
            await bob.close()
            await running

    run(main())


def test_requests_presence_and_typing(alice: AsyncSkype, bob: AsyncSkype) -> None:
    async def main() -> None:
        async with alice, bob:
            friend = alice.user(bob.me.handle)
            await friend.add("please")
            async for event in bob.events():
                if isinstance(event, RequestEvent):
                    assert (event.user, event.text) == (alice.me, "please")
                    await event.user.authorize()
                    break
            await bob.user(alice.me.handle).add()
            async for event in alice.events():
                if isinstance(event, StatusEvent) and event.user == friend and event.status is OnlineStatus.ONLINE:
                    break
            await bob.set_status(OnlineStatus.AWAY)
            async for event in alice.events():
                if isinstance(event, StatusEvent) and event.user == friend and event.status is OnlineStatus.AWAY:
                    break
            assert await friend.is_contact() and await friend.is_online() and friend in await alice.friends()
            for one, two in ((alice, bob), (bob, alice)):
                for types in (True, False):
                    await one.user(two.me.handle).typing(types)
                    async for event in two.events():
                        if isinstance(event, TypingEvent):
                            assert (event.user, event.typing) == (one.me, types)
                            break

    run(main())


def test_values_and_errors(alice: AsyncSkype) -> None:
    async def main() -> None:
        with pytest.raises(imo2skype.ClosedError, match="not open"):
            await alice.mood()
        async with alice:
            await alice.set_mood("happy\nday")
            assert await alice.mood() == "happy\nday"
            group = await alice.create_group("mates")
            await group.add("echo123")
            assert await group.users() == [AsyncUser(alice, "echo123")]
            await group.delete()
            assert await alice.user("echo123").display_name()
            sent = await alice.user("nobodyxx").send("hello")
            assert await sent.wait_sent(GUARD) is MessageStatus.FAILED
            sent = await alice.user("echo123").send("hello")
            assert await sent.wait_sent(GUARD) is MessageStatus.SENT
            with pytest.raises(SkypeError, match="ERROR 72"):
                await alice.call("echo123", "bob")
            with pytest.raises(ValueError, match="handle"):
                alice.user("a b")
            assert await alice.invoke("PING") == await alice.session.ainvoke("PING") == "PONG"

    run(main())


def test_a_cancelled_run_closes_what_it_opened_and_no_more(alice: AsyncSkype, session: imo2skype.Session) -> None:
    async def main() -> None:
        for skype in (alice, AsyncSkype(session)):
            runs = asyncio.Event()
            skype.on_notification(lambda line, runs=runs: runs.set())
            running = asyncio.ensure_future(skype.run())
            if skype is not alice:
                session.send_skype_command("SET PROFILE MOOD_TEXT busy")
            await runs.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            with pytest.raises(imo2skype.ClosedError):
                await skype.invoke("PING")
        assert await session.ainvoke("PING") == "PONG"

    run(main())


def test_cancelled_waits_lose_no_event(alice: AsyncSkype) -> None:
    async def main() -> None:
        async with alice:
            for number in range(30):
                await (await alice.user("echo123").send(str(number))).wait_sent(GUARD)
            events = alice.events()
            got: list[str] = []
            turn = 0
            while len(got) < 30:
                turn += 1
                waiting = asyncio.ensure_future(events.__anext__())
                for _ in range(turn % 5):
                    await asyncio.sleep(0)
                waiting.cancel()
                try:
                    event = await waiting
                except asyncio.CancelledError:
                    # Every other time it may finish, so that the test does.
                    event = await events.__anext__()
                if isinstance(event, MessageEvent):
                    got.append(await event.message.body())
            assert got == [str(number) for number in range(30)]

    run(main())


def test_what_a_handler_raises_comes_out(alice: AsyncSkype) -> None:
    @alice.on_message
    async def listen(message: AsyncChatMessage) -> None:
        raise KeyError(await message.body())

    async def main() -> None:
        async with alice:
            for text in ("one", "two"):
                await (await alice.user("echo123").send(text)).wait_sent(GUARD)
            for text in ("one", "two"):
                with pytest.raises(KeyError, match=text):
                    await alice.run()
            await alice.close()
            await alice.run()

    run(main())


def test_handlers_may_be_plain_and_close(alice: AsyncSkype) -> None:
    threads = threading.active_count()
    heard = []

    @alice.on_message
    async def listen(message: AsyncChatMessage) -> None:
        heard.append(await message.body())
        await alice.close()

    alice.on_message(lambda message: heard.append("plain"))

    async def main() -> None:
        async with alice:
            await alice.user("echo123").send("hello")
            await alice.run()

    run(main())
    assert heard == ["hello", "plain"]
    assert threading.active_count() <= threads
