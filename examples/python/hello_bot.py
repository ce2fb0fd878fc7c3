"""Answers every message: hello_bot.py USERNAME PASSWORD [SERVER]."""
import sys
from imo2skype.skype import ChatMessage, Skype

with Skype(*sys.argv[1:3], server=sys.argv[3] if len(sys.argv) > 3 else None) as skype:
    @skype.on_message
    def answer(message: ChatMessage) -> None:
        message.chat.send("you said " + message.body)

    skype.run()
