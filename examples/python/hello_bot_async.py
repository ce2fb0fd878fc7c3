"""Answers every message, with asyncio: IMO2SKYPE_PASSWORD=... hello_bot_async.py USERNAME [SERVER]."""
import asyncio
import os
import sys
from imo2skype.skype import AsyncChatMessage, AsyncSkype

username, *server = sys.argv[1:]
skype = AsyncSkype(username, os.environ["IMO2SKYPE_PASSWORD"], server=server[0] if server else None)

@skype.on_message
async def answer(message: AsyncChatMessage) -> None:
    await (await message.chat()).send("you said " + await message.body())

asyncio.run(skype.run())
