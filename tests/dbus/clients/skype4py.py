"""Skype4Py (clients 3): no interface, the unique name, numbered commands whose heads are checked."""

import dbus

from skype import NAME
from skype import OBJECT
from skype import Skype
from skype import done
from skype import fail
from skype import same


class Skype4Py(Skype):
    def __init__(self):
        super().__init__(interface=None)
        # In this order: the match, the owner, Introspect by the first call of the object.
        self.bus.add_signal_receiver(lambda *_: None, "NameOwnerChanged", "org.freedesktop.DBus",
                                     "org.freedesktop.DBus", "/org/freedesktop/DBus", arg0=NAME)
        self.object = self.bus.get_object(NAME, OBJECT)
        same(self.object.bus_name, self.owner(), "calls go to")
        self.destination = self.object.bus_name

    def command(self, text, head):
        """A reply with the same number and the head; what is behind."""
        return self.head("#0 " + text, "#0 " + head)

    def get(self, what):
        return self.command("GET " + what, what + " ")

    def set(self, what, value):
        self.command("SET %s %s" % (what, value), what)


client = Skype4Py()
# The stock way, which asks the object for its methods first and sends no interface.
same(str(client.object.Invoke("#0 NAME Skype4Py")), "#0 OK", "NAME")
same(str(client.object.Invoke("#0 PROTOCOL 5")), "#0 PROTOCOL 5", "PROTOCOL")
same(client.get("CURRENTUSERHANDLE"), "alice")
for line in ["CONNSTATUS ONLINE", "CURRENTUSERHANDLE alice", "USERSTATUS ONLINE"]:
    client.hear(line)

# ChangeUserStatus: waits for the push, which comes behind the reply.
for status in ["AWAY", "ONLINE"]:
    client.set("USERSTATUS", status)
    if client.hear("USERSTATUS " + status)[0] <= client.serial:
        fail("the push of USERSTATUS %s overtook the reply" % status)

# Friends, and their values.
if "bob" not in client.command("SEARCH FRIENDS", "USERS ").split(", "):
    fail("bob is no friend")
same(client.get("USER bob ONLINESTATUS"), "ONLINE")
int(client.get("USER bob BUDDYSTATUS"))

# SendMessage: CHAT CREATE, then CHATMESSAGE; the second words are the names.
chat = client.command("CHAT CREATE bob", "CHAT ").split(" ")[0]
same(client.get("CHAT %s STATUS" % chat), "DIALOG")
number = client.command("CHATMESSAGE %s say hello from bob" % chat, "CHATMESSAGE ").split(" ")[0]
int(number)
if client.hear("CHATMESSAGE %s STATUS SENT" % number)[0] <= client.serial:
    fail("SENT overtook the reply")
# Bob says it.
number = client.received()
same(client.get("CHATMESSAGE %s BODY" % number), "hello from bob")
same(client.get("CHATMESSAGE %s FROM_HANDLE" % number), "bob")
same(client.get("CHATMESSAGE %s TYPE" % number), "SAID")
client.command("SET CHATMESSAGE %s SEEN" % number, "CHATMESSAGE %s STATUS READ" % number)

# ALTER CHAT leaves out which chat.
client.command("ALTER CHAT %s BOOKMARK" % chat, "ALTER CHAT BOOKMARK")

# Application.Connect(wait): blocks until STREAMS names bob.
client.command("CREATE APPLICATION libpurple_typing", "CREATE APPLICATION libpurple_typing")
client.command("ALTER APPLICATION libpurple_typing CONNECT bob", "ALTER APPLICATION libpurple_typing CONNECT bob")
client.hear(lambda line: line.startswith("APPLICATION libpurple_typing STREAMS bob:"))
client.command("DELETE APPLICATION libpurple_typing", "DELETE APPLICATION libpurple_typing")

# An error has a number.
same(client.invoke("#0 GET NOTHING"), "#0 ERROR 7 GET: invalid WHAT")
# The object answers what else there is, with an interface and without.
properties = dbus.Interface(client.object, "org.freedesktop.DBus.Properties")
same(dict(properties.GetAll(NAME)), {})
same(len(str(dbus.Interface(client.object, "org.freedesktop.DBus.Peer").GetMachineId())), 32)
dbus.Interface(client.object, "org.freedesktop.DBus.Peer").Ping()
for path in ["/", "/com", OBJECT]:
    text = client.bus.call_blocking(NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect", "", ())
    same((path == OBJECT) == ("Invoke" in text), True, path)
# What is wrong is refused with the error for it, and at once.
for path, interface, method, signature, arguments, error in [
        (OBJECT, NAME, "Dance", "", (), "UnknownMethod"),
        (OBJECT, None, "Invoke", "ss", ("a", "b"), "InvalidArgs"),
        (OBJECT, NAME, "Invoke", "i", (1,), "InvalidArgs"),
        (OBJECT, "com.Other", "Invoke", "s", ("PING",), "UnknownInterface"),
        ("/com/Other", NAME, "Invoke", "s", ("PING",), "UnknownObject"),
        (OBJECT, "org.freedesktop.DBus.Properties", "Get", "ss", (NAME, "x"), "UnknownProperty"),
        (OBJECT, "org.freedesktop.DBus.Properties", "GetAll", "s", ("com.Other",), "UnknownInterface"),
]:
    try:
        reply = client.bus.call_blocking(NAME, path, interface, method, signature, arguments)
        fail("%s on %s is answered by %r" % (method, path, reply))
    except dbus.DBusException as refusal:
        same(refusal.get_dbus_name(), "org.freedesktop.DBus.Error." + error, method)
# Who wants no reply gets none, and the command is done all the same.
message = client.message("SET USERSTATUS DND")
message.set_no_reply(True)
client.bus.send_message(message)
client.hear("USERSTATUS DND")
# NAME again attaches anew: protocol 3, and the greeting with the first command that follows.
client.ask("#0 NAME Skype4Py", "#0 OK")
client.ask("#0 PROTOCOL 5", "#0 PROTOCOL 5")
client.hear("CONNSTATUS ONLINE")
client.hear("USERSTATUS DND")
client.set("USERSTATUS", "ONLINE")
client.hear("USERSTATUS ONLINE")
done()
