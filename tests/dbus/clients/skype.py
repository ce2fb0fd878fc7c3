"""What the clients have in common: a connection of their own, commands, and notifications in order."""

import os
import sys
import traceback

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
from gi.repository import GLib

OBJECT = "/com/Skype"
NAME = "com.Skype.API"
# Only guards against a client that hangs.
GUARD = 30

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)


def fail(text):
    """Ends the client: something is not as it has to be."""
    traceback.print_stack()
    sys.stderr.write("%s: %s\n" % (os.path.basename(sys.argv[0]), text))
    sys.stderr.flush()
    os._exit(1)


def same(found, expected, what=""):
    if found != expected:
        fail("%s %r instead of %r" % (what, found, expected))


def address():
    system = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    return system if system else os.environ["DBUS_SESSION_BUS_ADDRESS"]


class Skype:
    """A connection to the bus, as the bus sees one client."""

    def __init__(self, interface=NAME, destination=NAME):
        self.bus = dbus.bus.BusConnection(address())
        self.interface, self.destination = interface, destination
        # Notifications: the number that the sender gave the message, and the line.
        self.lines = []
        self.heard = 0
        self.on_line = None
        self.serial = 0
        self.bus.add_message_filter(self._message)

    def _message(self, _bus, message):
        if message.get_member() != "Notify":
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        same(message.get_path(), "/com/Skype/Client", "the object of a notification is")
        same(message.get_interface(), "com.Skype.API.Client", "its interface is")
        same(message.get_signature(), "s", "its signature is")
        same(message.get_no_reply(), True, "whether nobody waits for a reply is")
        same(message.get_destination(), self.bus.get_unique_name(), "it goes to")
        line = str(message.get_args_list()[0])
        self.lines.append((message.get_serial(), line))
        if self.on_line:
            self.on_line(line)
        return dbus.lowlevel.HANDLER_RESULT_HANDLED

    def owner(self):
        return str(self.bus.get_name_owner(NAME))

    def message(self, command):
        message = dbus.lowlevel.MethodCallMessage(self.destination, OBJECT, self.interface, "Invoke")
        message.append(command, signature="s")
        return message

    def invoke(self, command):
        """The return value, whatever it is; never empty."""
        reply = self.bus.send_message_with_reply_and_block(self.message(command), GUARD)
        self.serial = reply.get_serial()
        arguments = reply.get_args_list()
        if len(arguments) != 1 or reply.get_signature() != "s" or not arguments[0]:
            fail("the reply to %r is %r" % (command, arguments))
        return str(arguments[0])

    def ask(self, command, expected):
        """The reply has to be exactly this."""
        same(self.invoke(command), expected, "the reply to %r is" % command)

    def head(self, command, head):
        """The reply has to begin so; the rest of it."""
        reply = self.invoke(command)
        if not reply.startswith(head):
            fail("the reply to %r is %r, which does not begin with %r" % (command, reply, head))
        return reply[len(head):]

    def begin(self, command, then):
        """Does not wait for the reply: `then` is called with it."""
        self.bus.send_message_with_reply(self.message(command), then, GUARD)

    def until(self, there, what):
        """Lets things happen until `there` is something."""
        late = []
        timer = GLib.timeout_add_seconds(GUARD, lambda: late.append(True))
        while True:
            found = there()
            if found:
                break
            if late:
                fail("%s did not come, but %r" % (what, self.lines))
            GLib.MainContext.default().iteration(True)
        if not late:
            GLib.source_remove(timer)
        return found

    def hear(self, wanted):
        """Waits for a notification, behind those that were waited for before: its number and the line."""
        matches = wanted if callable(wanted) else lambda line: line == wanted

        def there():
            for index in range(self.heard, len(self.lines)):
                if matches(self.lines[index][1]):
                    self.heard = index + 1
                    return self.lines[index]
            return None

        return self.until(there, wanted)

    def received(self):
        """The number of the next message that comes."""
        line = self.hear(lambda line: line.startswith("CHATMESSAGE ") and line.endswith(" STATUS RECEIVED"))[1]
        return line.split(" ")[1]


def done():
    print("ok")
    sys.stdout.flush()
    os._exit(0)
