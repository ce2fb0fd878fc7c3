"""As many clients as are asked for, each with a connection of its own: a line of the input is the number of a client
and a command, a line of the output the number and what came to it, in the order in which the bus brought it."""

import os
import sys

import dbus.lowlevel
from gi.repository import GLib
from skype import Skype
from skype import fail
from skype import same


class Client(Skype):
    def __init__(self, number):
        super().__init__()
        self.number = number
        # The ids of the commands that have no reply yet, by the numbers of their messages.
        self.asked = {}
        self.on_line = self.say
        self.bus.add_message_filter(self._reply)

    def say(self, line):
        self.lines.clear()
        print(self.number, line, flush=True)

    def send(self, command):
        self.asked[self.bus.send_message(self.message(command))] = command.split(" ")[0]

    def _reply(self, _bus, message):
        if message.get_type() == dbus.lowlevel.MESSAGE_TYPE_ERROR:
            fail("%s: %s" % (message.get_error_name(), message.get_args_list()))
        if message.get_type() != dbus.lowlevel.MESSAGE_TYPE_METHOD_RETURN:
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        line = str(message.get_args_list()[0])
        same(line.split(" ")[0], self.asked.pop(message.get_reply_serial(), None), "the id of a return value is")
        self.say(line)
        return dbus.lowlevel.HANDLER_RESULT_HANDLED


clients = [Client(number) for number in range(int(sys.argv[1]))]
rest = b""


def read(_source, _condition):
    global rest
    piece = os.read(0, 65536)
    if not piece:
        os._exit(0)
    *lines, rest = (rest + piece).split(b"\n")
    for line in lines:
        number, command = line.decode().split(" ", 1)
        clients[int(number)].send(command)
    return True


GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, read)
GLib.MainLoop().run()
