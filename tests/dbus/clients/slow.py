"""Replies that wait (--reply-delay): in order, before what they cause, and for their own client alone."""

import time

from gi.repository import GLib
from skype import Skype
from skype import done
from skype import fail
from skype import same

DELAY = 0.4

slow, quick = Skype(), Skype()
start = time.monotonic()
slow.ask("#1 NAME slow", "#1 OK")
if time.monotonic() - start < DELAY:
    fail("the reply did not wait")
slow.ask("#2 PROTOCOL 8", "#2 PROTOCOL 8")
quick.ask("NAME quick", "OK")
slow.hear("USERSTATUS ONLINE")


def text(reply):
    return str(reply.get_args_list()[0])


overtook = 0
for status in ["AWAY", "DND", "NA", "AWAY", "ONLINE"]:
    events = []
    slow.on_line = events.append
    slow.begin("#3 SET USERSTATUS " + status, lambda reply: events.append(text(reply)))
    slow.begin("PING", lambda reply: events.append(text(reply)))
    slow.bus.flush()
    quick.ask("PING", "PONG")
    # What the daemon sent before it answered the other client is here by now.
    while GLib.MainContext.default().iteration(False):
        pass
    overtook += not events
    slow.until(lambda: "USERSTATUS " + status in events, "the push")
    same(events[:2], ["#3 USERSTATUS " + status, "PONG"], "the order is")
# A machine may be slower than the delay, but not always.
if not overtook:
    fail("one client waits for the replies of another")
done()
