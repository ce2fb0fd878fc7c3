"""Answers every message, with asyncio: hello_bot_async.py USERNAME PASSWORD [SERVER]."""
import asyncio
import sys
from imo2skype.skype import AsyncChatMessage, AsyncSkype

skype = AsyncSkype(*sys.argv[1:3], server=sys.argv[3] if len(sys.argv) > 3 else None)

@skype.on_message
async def answer(message: AsyncChatMessage) -> None:
    await (await message.chat()).send("you said " + await message.body())

asyncio.run(skype.run())
