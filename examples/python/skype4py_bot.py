"""A bot written for Skype4Py, which has to be installed: IMO2SKYPE_PASSWORD=... skype4py_bot.py USERNAME [SERVER]."""
import os
import sys
import time

import Skype4Py  # type: ignore[import-not-found,import-untyped,unused-ignore]
from imo2skype.skype4py import SkypeAPI


def on_message_status(message, status):  # type: ignore[no-untyped-def]
    if status == Skype4Py.cmsReceived:
        if message.Body == "!ping":
            message.Chat.SendMessage("pong")


username, *server = sys.argv[1:]
api = SkypeAPI(username, os.environ["IMO2SKYPE_PASSWORD"], server=server[0] if server else None)
skype = Skype4Py.Skype(Api=api)  # was: Skype4Py.Skype()
skype.OnMessageStatus = on_message_status
skype.Attach()
while True:
    time.sleep(1)
