"""Answers every message with the same text, with asyncio: echo_bot_async.py USERNAME [SERVER].

The password is in IMO2SKYPE_PASSWORD. Without SERVER the network is one inside this program.
"""
from __future__ import annotations

import asyncio
import os
import sys

import imo2skype


async def answer(session: imo2skype.Session, message: str) -> None:
    """Says in the chat of message, which is a number, what the message says."""
    body = (await session.ainvoke(f"GET CHATMESSAGE {message} BODY")).split(" ", 3)[3]
    chat = (await session.ainvoke(f"GET CHATMESSAGE {message} CHATNAME")).split(" ", 3)[3]
    await session.ainvoke(f"CHATMESSAGE {chat} {body}")


async def main(username: str, server: str | None = None) -> None:
    with imo2skype.Session(username, os.environ["IMO2SKYPE_PASSWORD"], server=server) as session:
        async for line in session.notifications():
            words = line.split(" ")
            if words[0] == "CHATMESSAGE" and words[2:] == ["STATUS", "RECEIVED"]:
                await answer(session, words[1])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or "IMO2SKYPE_PASSWORD" not in os.environ:
        print("Usage: IMO2SKYPE_PASSWORD=... echo_bot_async.py USERNAME [SERVER]", file=sys.stderr)
        sys.exit(2)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
