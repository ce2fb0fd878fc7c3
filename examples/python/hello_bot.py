"""Answers every message: IMO2SKYPE_PASSWORD=... hello_bot.py USERNAME [SERVER]."""
import os
import sys
from imo2skype.skype import ChatMessage, Skype

username, *server = sys.argv[1:]
with Skype(username, os.environ["IMO2SKYPE_PASSWORD"], server=server[0] if server else None) as skype:
    @skype.on_message
    def answer(message: ChatMessage) -> None:
        message.chat.send("you said " + message.body)

    skype.run()
