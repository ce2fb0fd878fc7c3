"""Joins two accounts: what somebody says to one, the other says to a user, in both directions.

    bridge.py USERNAME PEER SERVER OTHER_USERNAME OTHER_PEER OTHER_SERVER

What others than OTHER_PEER say to OTHER_USERNAME, USERNAME says to PEER, with the name of the one who said it
before it; what OTHER_PEER says is passed on as it is. The other direction is the same. The passwords are in
IMO2SKYPE_PASSWORD and IMO2SKYPE_OTHER_PASSWORD; without the latter both are the same.
"""
from __future__ import annotations

import asyncio
import os
import sys

import imo2skype


async def carry(source: imo2skype.Session, peer: str, target: imo2skype.Session, to: str, ours: set[str]) -> None:
    """Says to the user called to, by target, what is said to source; what the accounts ours say goes nowhere."""
    async for line in source.notifications():
        words = line.split(" ")
        if words[0] != "CHATMESSAGE" or words[2:] != ["STATUS", "RECEIVED"]:
            continue
        message = f"GET CHATMESSAGE {words[1]}"
        sender = (await source.ainvoke(f"{message} FROM_HANDLE")).split(" ", 3)[3]
        kind = (await source.ainvoke(f"{message} TYPE")).split(" ", 3)[3]
        # A bridge that heard itself, or another end of itself, would never be silent again.
        if kind == "SAID" and sender not in ours:
            body = (await source.ainvoke(f"{message} BODY")).split(" ", 3)[3]
            reply = await target.ainvoke(f"MESSAGE {to} {body if sender == peer else f'{sender}: {body}'}")
            if reply.startswith("ERROR"):
                print(f"bridge.py: {to} was not told: {reply}", file=sys.stderr)


async def main(one: str, peer: str, server: str, other: str, other_peer: str, other_server: str) -> None:
    password = os.environ["IMO2SKYPE_PASSWORD"]
    other_password = os.environ.get("IMO2SKYPE_OTHER_PASSWORD", password)
    ours = {one, other}
    with imo2skype.Session(one, password, server=server) as left:
        with imo2skype.Session(other, other_password, server=other_server) as right:
            await asyncio.gather(
                carry(left, peer, right, other_peer, ours),
                carry(right, other_peer, left, peer, ours),
            )


if __name__ == "__main__":
    if len(sys.argv) != 7 or "IMO2SKYPE_PASSWORD" not in os.environ:
        usage = "bridge.py USERNAME PEER SERVER OTHER_USERNAME OTHER_PEER OTHER_SERVER"
        print(f"Usage: IMO2SKYPE_PASSWORD=... {usage}", file=sys.stderr)
        sys.exit(2)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
