"""A typed program, for mypy --strict."""

from __future__ import annotations

import asyncio
from typing import Optional

import imo2skype


def talk() -> Optional[str]:
    with imo2skype.Gateway(database=None, listen="127.0.0.1:0") as gateway:
        url: str = gateway.url
        with imo2skype.Session("alice", "secret", server=url, autologin=True, queue_limit=1024) as session:
            session.send_skype_command("PING")
            reply: str = session.invoke("GET USERSTATUS", timeout=1.5)
            with session.attach() as other:
                number: int = other.fileno()
                print(number, reply)
            for line in session:
                print(line.upper())
            return session.poll_skype_notification(timeout=None)


async def listen(session: imo2skype.Session) -> list[str]:
    lines: list[str] = [await session.ainvoke("PING", timeout=1)]
    async for line in session.notifications():
        lines.append(line)
    return lines


def main() -> None:
    try:
        talk()
        asyncio.run(listen(imo2skype.Session("alice", "secret")))
    except imo2skype.LoginRefusedError as error:
        base: imo2skype.Imo2SkypeError = error
        print(base)
    except TimeoutError as error:
        print(error)


if __name__ == "__main__":
    main()
