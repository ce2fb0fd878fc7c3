"""A client from before the daemon to its end, by what the bus and the daemon tell (transports 2.6)."""

import os

from skype import NAME
from skype import Skype
from skype import done
from skype import fail
from skype import same

client = Skype()
owners = []
client.bus.add_signal_receiver(lambda _name, _old, new: owners.append(str(new)), "NameOwnerChanged",
                               "org.freedesktop.DBus", "org.freedesktop.DBus", "/org/freedesktop/DBus", arg0=NAME)
if client.bus.name_has_owner(NAME):
    owners.append(client.owner())
print("waiting", flush=True)
client.until(lambda: owners and owners[-1], "the daemon")
client.ask("NAME waits", "OK")
client.ask("PROTOCOL 8", "PROTOCOL 8")
client.ask("CREATE APPLICATION demo", "CREATE APPLICATION demo")
client.hear("USERSTATUS ONLINE")
stranger = Skype()
stranger.ask("PING", "PONG")
print("attached", flush=True)
client.until(lambda: not owners[-1], "the end of the daemon")
same([line for _, line in client.lines][-2:], ["CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"], "the last lines are")
same(stranger.lines, [], "a stranger hears")
done()
