"""The examples do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imo2skype
import pytest

from conftest import GUARD, Open, account, body, received

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_echo_bot_answers(open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> None:
    program = EXAMPLES / "echo_bot.py"
    assert len(program.read_text().splitlines()) < 15
    name = account(request, "bot")
    # The account is known from here on; what comes before the bot does is kept for it.
    open_session("bot").close()
    alice = open_session("alice")
    bot = subprocess.Popen([sys.executable, str(program), name, "secret", gateway.url])
    try:
        for text in ("hello bot", "one\ntwo"):
            assert alice.invoke(f"MESSAGE {name} {text}").startswith("CHATMESSAGE ")
            assert body(alice, received(alice)) == text
        assert bot.poll() is None
    finally:
        bot.kill()
        bot.wait(GUARD)
