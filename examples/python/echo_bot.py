"""Answers every message with the same text: IMO2SKYPE_PASSWORD=... echo_bot.py USERNAME [SERVER]."""
import os
import sys
import imo2skype

username, *server = sys.argv[1:]
with imo2skype.Session(username, os.environ["IMO2SKYPE_PASSWORD"], server=server[0] if server else None) as session:
    for line in session:
        words = line.split(" ")
        if words[0] == "CHATMESSAGE" and words[2:] == ["STATUS", "RECEIVED"]:
            body = session.invoke(f"GET CHATMESSAGE {words[1]} BODY").split(" ", 3)[3]
            chat = session.invoke(f"GET CHATMESSAGE {words[1]} CHATNAME").split(" ", 3)[3]
            session.send_skype_command(f"CHATMESSAGE {chat} {body}")
