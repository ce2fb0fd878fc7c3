"""The examples do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import imo2skype
import pytest

from conftest import GUARD, Open, account, body, received, until

EXAMPLES = Path(__file__).parent.parent / "examples"


def echoes(bot: subprocess.Popen[Any], name: str, alice: imo2skype.Session, before: str = "") -> None:
    """The bot answers alice with what she says, behind some words, and runs on until it is stopped here."""
    try:
        for text in ("hello bot", "one\ntwo"):
            assert alice.invoke(f"MESSAGE {name} {text}").startswith("CHATMESSAGE ")
            assert body(alice, received(alice)) == before + text
        assert bot.poll() is None
    finally:
        bot.kill()
        bot.wait(GUARD)


def test_the_echo_bot_answers(open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> None:
    program = EXAMPLES / "echo_bot.py"
    assert len(program.read_text().splitlines()) < 15
    name = account(request, "bot")
    # The account is known from here on; what comes before the bot does is kept for it.
    open_session("bot").close()
    alice = open_session("alice")
    echoes(start("echo_bot.py", name, gateway.url), name, alice)


def start(program: str, *arguments: str, **options: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "IMO2SKYPE_PASSWORD": "secret"}
    return subprocess.Popen([sys.executable, str(EXAMPLES / program), *arguments], env=environment, text=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("program", ["hello_bot.py", "hello_bot_async.py"])
def test_the_hello_bots_answer(
    program: str, open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    name = account(request, "bot")
    open_session("bot").close()
    alice = open_session("alice")
    echoes(start(program, name, gateway.url), name, alice, "you said ")


@pytest.mark.parametrize("program", ["echo_bot_async.py", "presence_log.py", "bridge.py", "chat.py"])
@pytest.mark.parametrize("arguments", [[], ["1", "2", "3", "4", "5", "6", "7"]])
def test_wrong_usage_is_told(program: str, arguments: list[str]) -> None:
    with start(program, *arguments, stderr=subprocess.PIPE) as wrong:
        assert wrong.stderr is not None
        usage = wrong.stderr.read()
        assert usage.startswith("Usage: ") and usage.count("\n") == 1 and program in usage
        assert wrong.wait(GUARD) == 2


def test_the_async_echo_bot_answers(
    open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    name = account(request, "bot")
    open_session("bot").close()
    alice = open_session("alice")
    bot = start("echo_bot_async.py", name, gateway.url)
    echoes(bot, name, alice)


def test_the_presence_log_tells_changes(
    open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    alice, bob = open_session("alice"), open_session("bob")
    name, other = account(request, "alice"), account(request, "bob")
    assert alice.invoke(f"SET USER {other} BUDDYSTATUS 2 hello").startswith("USER ")
    until(bob, lambda line: line.startswith(f"USER {name} RECEIVEDAUTHREQUEST "))
    assert bob.invoke(f"SET USER {name} ISAUTHORIZED TRUE").startswith("USER ")
    until(alice, lambda line: line == f"USER {other} ONLINESTATUS ONLINE")
    with start("presence_log.py", name, gateway.url, stdout=subprocess.PIPE) as log:
        guard = threading.Timer(GUARD, log.kill)
        guard.start()
        try:
            assert log.stdout is not None
            lines = (line.split() for line in iter(log.stdout.readline, ""))
            assert [other, "ONLINE"] in (line[2:] for line in lines)
            assert bob.invoke("SET USERSTATUS DND") == "USERSTATUS DND"
            changed = next(line for line in lines if line[2] == other)
            assert changed[3] == "DND"
            time.strptime(" ".join(changed[:2]), "%Y-%m-%d %H:%M:%S")
        finally:
            guard.cancel()
            log.kill()


def test_the_bridge_joins_two_servers(
    open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    left, right = account(request, "left"), account(request, "right")
    open_session("left").close()
    alice, carol = open_session("alice"), open_session("carol")
    peer, other_peer = account(request, "alice"), account(request, "bob")
    with imo2skype.Gateway() as other:
        imo2skype.Session(right, "secret", server=other.url).close()
        with imo2skype.Session(other_peer, "secret", server=other.url) as bob:
            bridge = start("bridge.py", left, peer, gateway.url, right, other_peer, other.url)
            try:
                assert alice.invoke(f"MESSAGE {left} hello\nbob").startswith("CHATMESSAGE ")
                assert body(bob, received(bob)) == "hello\nbob"
                assert bob.invoke(f"MESSAGE {right} hello alice").startswith("CHATMESSAGE ")
                assert body(alice, received(alice)) == "hello alice"
                # Had anything come back, it would be before this.
                assert carol.invoke(f"MESSAGE {left} hello all").startswith("CHATMESSAGE ")
                assert body(bob, received(bob)) == f"{account(request, 'carol')}: hello all"
                assert bridge.poll() is None
            finally:
                bridge.kill()
                bridge.wait(GUARD)


def test_two_ends_of_a_bridge_on_one_server_do_not_talk_to_each_other(
    open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    left, right = account(request, "left"), account(request, "right")
    open_session("right").close()
    alice, heard = open_session("alice"), open_session("left")
    name = account(request, "alice")
    # What left hears is said to left: a loop, were it not for the names.
    bridge = start("bridge.py", left, name, gateway.url, right, left, gateway.url)
    try:
        # Kept for it until it is there.
        alice.invoke(f"MESSAGE {right} hello")
        assert body(alice, received(alice)) == f"{name}: hello"
        for text in ("one", "two"):
            alice.invoke(f"MESSAGE {left} {text}")
            assert body(heard, received(heard)) == text
            # Had the message before come back, it would be between these.
            assert body(heard, received(heard)) == text
    finally:
        bridge.kill()
        bridge.wait(GUARD)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_the_chat_shows_both_sides(
    open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest
) -> None:
    from terminal import Terminal

    program = EXAMPLES / "chat.py"
    assert len(program.read_text().splitlines()) < 100
    me, name = account(request, "me"), account(request, "alice")
    open_session("me").close()
    alice = open_session("alice")
    with Terminal(str(program), me, name, gateway.url, IMO2SKYPE_PASSWORD="secret") as terminal:
        terminal.until("> ")
        terminal.keys("helo\x7flo\r")
        assert body(alice, received(alice)) == "hello"
        terminal.until(f"<{me}> hello")
        alice.invoke(f"MESSAGE {me} how are \x1b[7myou?\nfine?")
        terminal.until(f"<{name}> how are ?[7myou?")
        terminal.until("fine?")
        terminal.keys("\x04")
        terminal.rest()
        assert terminal.process.returncode == 0
