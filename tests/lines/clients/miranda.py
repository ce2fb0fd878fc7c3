"""The Skype plugin of Miranda over the SkypeProxy socket: what it says, reads and waits for (clients 5, transports 1.3
to 1.6).

Where it goes on without an echo after one or two seconds, the echo has to come: a machine may be slower than that.

usage: miranda.py PORT PASSWORD PROTOCOL SCENARIO...
"""

import itertools
import os
import queue
import socket
import struct
import sys
import tempfile
import threading
import time

# The program itself waits without limit.
GUARD = 60

AUTHENTICATE, CAPABILITIES, MY_CAPABILITIES, OPEN_SLOT, DATA_SLOT, CLOSE_SLOT = range(1, 7)
USE_AUTHENTICATION, USE_DATASLOTS = 1, 2

DETAILS = """DISPLAYNAME FULLNAME BIRTHDAY COUNTRY SEX MOOD_TEXT TIMEZONE IS_VIDEO_CAPABLE LANGUAGE PROVINCE CITY
    PHONE_HOME PHONE_OFFICE PHONE_MOBILE HOMEPAGE ABOUT""".split()
AWAY = ("OFFLINE", "CONNECTING")
PRESENCES = AWAY + ("ONLINE", "AWAY", "NA", "DND", "INVISIBLE", "SKYPEME")
TEXTS = ("TEXT", "SAID", "EMOTED", "UNKNOWN")
TYPING = "APPLICATION libpurple_typing"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes([7]) * 40_000


def fail(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    os._exit(1)


def raised(arguments):
    sys.__excepthook__(*arguments[:3])
    fail("a thread has ended")


threading.excepthook = raised


def names(text):
    return text.replace(",", " ").split()


class Plugin:
    """One thread reads, and does what is to be done with each line; whatever asks for something is another."""

    def __init__(self, port, password, protocol):
        self.port, self.password, self.protocol = port, password, protocol
        self.stream = socket.create_connection(("127.0.0.1", port), GUARD)
        self.numbers = itertools.count()
        self.sending, self.query, self.fetching, self.ringing = (threading.Lock() for _ in range(4))
        # Lines that nobody has claimed, and the second of their coming.
        self.lines, self.came, self.threads = [], threading.Condition(), []
        self.slot, self.closed = None, False
        self.me, self.status, self.started = None, "OFFLINE", False
        self.told_status, self.told_buddy = threading.Event(), threading.Event()
        # What is known of each contact; those whose details were all fetched; streams to them, and who types.
        self.contacts, self.informed, self.streams, self.typing = {}, set(), {}, {}
        # What the user sees: requests and messages. The ids of those that are known, and how many are on their way.
        self.requests, self.shown, self.known, self.sent, self.listing = queue.Queue(), queue.Queue(), set(), 0, 0
        # The members of each chat with their roles; the call with each contact, and what becomes of calls.
        self.chats, self.calls, self.call_status = {}, {}, {}

    # The connection.

    def question(self, command):
        """One raw byte is the answer, whatever it is."""
        self.stream.sendall(bytes(4))
        self.stream.sendall(bytes([command]))
        return self.stream.recv(1)[0]

    def attach(self):
        if self.password and self.question(AUTHENTICATE):
            self.send(self.password)
            if not self.stream.recv(1)[0]:
                return False
        capabilities = self.question(CAPABILITIES)
        if not self.password and capabilities & USE_AUTHENTICATION:
            return False
        if capabilities & USE_DATASLOTS:
            for part in (bytes(4), bytes([MY_CAPABILITIES]), bytes([USE_DATASLOTS])):
                self.stream.sendall(part)
        threading.Thread(target=self.receive, daemon=True).start()
        return True

    def send(self, text):
        with self.sending:
            self.stream.sendall(struct.pack("<I", len(text.encode())))
            self.stream.sendall(text.encode())

    def take(self, size):
        """As many bytes; to read none is the end of the connection, even if none are wanted."""
        taken = self.stream.recv(size)
        while taken and len(taken) < size:
            chunk = self.stream.recv(size - len(taken))
            taken = taken + chunk if chunk else b""
        if not taken:
            raise EOFError
        return taken

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def receive(self):
        try:
            while True:
                length = self.number("<I")
                assert length <= 0x10000000, length
                if length:
                    self.window(self.take(length).decode().lstrip(" "))
                else:
                    self.command(self.number("B"))
                self.notify()
        except EOFError:
            if not self.closed:
                fail(f"the connection has ended; unclaimed: {self.lines}")

    def command(self, command):
        if command == OPEN_SLOT:
            # It adds no end of its own, and has only one slot.
            room = self.take(self.number("<H"))
            assert len(room) <= 260, room
            free, number = self.slot is None, 255
            if free:
                try:
                    self.slot, number = open(room[: room.index(0)], "wb"), 1
                except OSError:
                    number = 0
            self.stream.sendall(bytes([number]))
            return
        assert self.number("B") == 1 and command in (DATA_SLOT, CLOSE_SLOT), command
        if command == DATA_SLOT:
            self.slot.write(self.take(self.number("<I")))
        else:
            self.slot.close()
            self.slot = None

    # Threads, and what they wait for.

    def start(self, work, *arguments):
        def run():
            work(*arguments)
            self.notify()

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def notify(self):
        with self.came:
            self.came.notify_all()

    def until(self, there, what):
        with self.came:
            if not self.came.wait_for(there, GUARD):
                fail(f"{what} did not come; unclaimed: {self.lines}")

    def claim(self, tests, what, since=0, limit=GUARD):
        """The first line that is so; one that only a later test takes must wait for all others."""
        with self.came:
            while True:
                for test in tests:
                    for entry in self.lines:
                        if entry[0] >= since and test(entry[1]):
                            self.lines.remove(entry)
                            return entry[1]
                if not self.came.wait(limit):
                    break
        return fail(f"{what} did not come; unclaimed: {self.lines}") if limit == GUARD else None

    def wait(self, *parts, **limits):
        """A line that begins so, or has all of these in it; or else any error, whosever it is."""
        wanted = lambda line: line.startswith(parts) if len(parts) == 1 else all(part in line for part in parts)
        return self.claim([wanted, lambda line: line.startswith("ERROR")], parts, **limits)

    def get(self, kind, who, name, mark=""):
        """The value, or an error. A missing blank makes the whole line the value."""
        about = f"{kind}{' ' if who else ''}{who} {name}"
        since = 0 if mark else int(time.time())
        self.send(f"{mark}GET {about}")
        line = self.wait(mark + about, since=since)
        start = len(mark + about) + bool(name)
        return line if line.startswith("ERROR") or len(line) < start else line[start:]

    def got(self, *arguments):
        """A value that there has to be."""
        value = self.get(*arguments)
        assert not value.startswith(("ERROR", arguments[0])), (arguments, value)
        return value

    def mark(self, letter):
        return f"#{letter}{next(self.numbers)} " if self.protocol >= 4 else ""

    def echoed(self, command, reply=None):
        self.send(command)
        same(self.wait(reply or command), reply or command)

    # What is done with a line.

    def window(self, line):
        """Most lines are kept for whoever has asked, too."""
        words = line.split(" ")
        if words[0] == "CONNSTATUS":
            before, self.status = self.status, presence(words[1])
            if before in AWAY and self.status not in AWAY:
                self.start(self.initialise)
        elif words[0] == "USERSTATUS":
            self.status = presence(words[1])
            self.told_status.set()
            return
        elif line.startswith(TYPING + " STREAMS"):
            self.streams = dict(stream.split(":") for stream in words[3:] if stream)
        elif line.startswith(TYPING + " DATAGRAM"):
            self.typing[words[3].split(":")[0]] = words[4] == "PURPLE_TYPING"
            return
        elif words[0] == "USER":
            if not self.user(*line.split(" ", 3)[1:]):
                return
        elif words[0] == "CURRENTUSERHANDLE":
            self.me = words[1]
            self.start(self.details, self.me, ["FULLNAME"])
        elif words[0] == "MINIMIZE" or line.startswith("PRIVILEGE SKYPEOUT"):
            return
        elif words[0] == "CHAT" and words[2] == "MEMBERS":
            self.start(self.members, words[1])
        elif words[0] == "CALL" and words[2] not in ("PARTNER_HANDLE", "TYPE"):
            if words[2] == "STATUS":
                self.call_status[words[1]] = words[3]
                if words[3] in ("RINGING", "ROUTING"):
                    self.start(self.ring, words[1])
            return
        elif words[0] == "CHATMESSAGES":
            if words[1]:
                self.start(self.listed, words[1:])
            return
        elif words[0] == "CHATMESSAGE" and words[2] == "STATUS":
            if words[3].startswith("RE") and not self.listing or words[3] == "SENT" and not self.sent:
                self.start(self.fetch, words[1])
                return
        with self.came:
            self.lines.append((int(time.time()), line))

    def user(self, nick, name, value):
        """Whether the line also is for whoever has asked."""
        if name == "BUDDYSTATUS":
            if value == "1":
                self.contacts.pop(nick, None)
            elif value in ("2", "3"):
                self.contacts.setdefault(nick, {})
                self.send(f"GET USER {nick} ONLINESTATUS")
            self.told_buddy.set()
            return False
        if name == "RECEIVEDAUTHREQUEST":
            self.start(self.asked, nick, value)
            return False
        if nick not in self.contacts and name != "FULLNAME":
            self.send(f"GET USER {nick} BUDDYSTATUS")
            return False
        self.contacts.get(nick, {})[name] = value
        if name == "ONLINESTATUS" and presence(value) != "OFFLINE" and self.status != "OFFLINE":
            self.start(self.details, nick, DETAILS)
        return True

    # What it does of itself.

    def initialise(self):
        if self.started:
            return
        self.started = True
        while self.wait("CURRENTUSERHANDLE", limit=0):
            pass
        self.echoed(f"PROTOCOL {self.protocol}")
        self.send("GET CURRENTUSERHANDLE")
        self.send("GET PRIVILEGE SKYPEOUT")
        # A login name is set in its options: with another it would stay offline.
        same(self.wait("CURRENTUSERHANDLE")[18:], "alice")
        self.told_status.clear()
        self.send("GET USERSTATUS")
        assert self.told_status.wait(GUARD), "no USERSTATUS"
        if self.status != "OFFLINE":
            self.search("FRIENDS", "ONLINESTATUS")
        if self.protocol >= 5:
            self.echoed(f"CREATE {TYPING}")
            self.send("#FT FILE")
            assert "ERROR 510" not in self.wait("#FT ERROR"), "files are taken in its own way"
            self.send("#UWA SEARCH USERSWAITINGMYAUTHORIZATION")
            for nick in names(self.wait("#UWA USERS")[10:]):
                self.asked(nick, "")
            self.send("#RCH SEARCH RECENTCHATS")
            for chat in names(self.wait("#RCH CHATS")[10:]):
                if self.got("CHAT", chat, "STATUS") == "MULTI_SUBSCRIBED":
                    self.open_chat(chat)
                    self.got("CHAT", chat, "TOPIC")
        self.send("SEARCH MISSEDCHATMESSAGES")

    def search(self, what, name):
        since = int(time.time())
        self.send(f"SEARCH {what}")
        found = names(self.wait("USERS", since=since)[5:])
        for nick in found:
            self.got("USER", nick, name)
        return found

    def details(self, nick, properties):
        with self.query:
            for name in properties:
                # Older protocols know fewer, and that is an answer too.
                (self.got if self.protocol >= 7 else self.get)("USER", nick, name)
        self.informed.add(nick)

    def asked(self, nick, text):
        """Somebody wants to be a contact."""
        self.contacts.setdefault(nick, {})
        self.got("USER", nick, "FULLNAME")
        self.requests.put((nick, text or self.got("USER", nick, "RECEIVEDAUTHREQUEST", self.mark("G"))))

    # Messages.

    def fetch(self, number, listed=False):
        ask = lambda name: self.got("CHATMESSAGE", number, name)
        with self.fetching:
            if number in self.known:
                return
            chat = ask("CHATNAME")
            group = self.got("CHAT", chat, "STATUS") == "MULTI_SUBSCRIBED" or chat in self.chats
            kind = ask("TYPE")
            if group and kind not in TEXTS:
                self.shown.put((chat, kind, *self.happened(chat, kind, ask)))
                return
            if listed:
                self.listing += 1
                self.got("CHATMESSAGE", number, "STATUS", self.mark("G"))
                self.listing -= 1
            who = ask("FROM_HANDLE")
            mine = who == self.me
            if mine:
                # The first who is somebody else.
                who = next(name for name in names(self.got("CHAT", chat, "ACTIVEMEMBERS")) if name != self.me)
            if who not in self.contacts:
                self.told_buddy.clear()
                self.send(f"GET USER {who} BUDDYSTATUS")
                assert self.told_buddy.wait(GUARD), "no BUDDYSTATUS"
                self.contacts.setdefault(who, {})
            int(ask("TIMESTAMP"))
            body = ask("BODY")
            if group and chat not in self.chats:
                self.open_chat(chat)
            self.known.add(number)
            self.shown.put((chat if group else who, kind, None if mine else who, body))
            if not (listed and mine):
                self.send(f"SET CHATMESSAGE {number} SEEN")

    def happened(self, chat, kind, ask):
        """Who has done something that is no text, and to whom or what."""
        if kind in ("LEFT", "ADDEDMEMBERS"):
            self.send(f"GET CHAT {chat} MEMBERS")
        if kind == "SETTOPIC":
            return ask("FROM_HANDLE"), ask("BODY")
        if kind in ("KICKED", "ADDEDMEMBERS"):
            return ask("FROM_HANDLE"), ask("USERS")
        return None, None

    def listed(self, numbers):
        """The oldest is fetched first."""
        numbers = names(" ".join(numbers))
        times = {number: self.got("CHATMESSAGE", number, "TIMESTAMP") for number in numbers}
        chat = self.got("CHATMESSAGE", numbers[0], "CHATNAME")
        for number in sorted(numbers, key=times.get):
            self.fetch(number, listed=True)
        self.send(f"GET CHAT {chat} MEMBERS")

    def say(self, to, text, kind="MESSAGE"):
        """Sends; the line that is the end of it."""
        mark, since = self.mark("M"), int(time.time()) - 1
        known = [] if mark else ["MESSAGE", "CHATMESSAGE"]

        def over(line):
            """The number comes with the mark, the end without."""
            if mark and line.startswith(mark):
                line = line[len(mark) :]
                known[:] = [" ".join(line.split(" ")[:2])]
            ends = tuple(f" STATUS {end}" for end in ("SENT", "QUEUED", "FAILED", "IGNORED"))
            return line.startswith(("ERROR 26", "ERROR 43")) or line.startswith(tuple(known)) and line.endswith(ends)

        self.sent += 1
        self.send(f"{mark}{kind} {to} {text}")
        line = self.claim([over], f"the end of {text!r}", since=since).removeprefix(mark)
        self.known.add(line.split(" ")[1])
        self.sent -= 1
        return line

    # Chats and calls.

    def open_chat(self, chat):
        self.got("CHAT", chat, "FRIENDLYNAME")
        role = self.got("CHAT", chat, "MYROLE") if self.protocol >= 7 else "CREATOR"
        self.chats[chat] = {self.me: role}
        self.send(f"GET CHAT {chat} MEMBERS")

    def members(self, chat):
        if chat in self.chats and self.protocol >= 7:
            members = names(self.got("CHAT", chat, "MEMBEROBJECTS"))
            about = lambda member, name: self.got("CHATMEMBER", member, name)
            self.chats[chat] = {about(member, "IDENTITY"): about(member, "ROLE") for member in members}

    def ring(self, number):
        with self.ringing:
            if self.protocol >= 5:
                self.send("MINIMIZE")
            # It writes a blank behind these.
            who = self.got(f"CALL {number}", "PARTNER_HANDLE", "")
            assert self.got(f"CALL {number}", "TYPE", "") in ("INCOMING_P2P", "OUTGOING_P2P")
            self.calls[who] = number

    def settle(self):
        for thread in self.threads:
            thread.join(GUARD)
            if thread.is_alive():
                fail(f"something waits for ever; unclaimed: {self.lines}")

    def calm(self):
        """Nobody asks for anything, and nothing is on its way that makes somebody ask: an error might be anybody's."""
        known = None
        while known != len(self.threads):
            known = len(self.threads)
            self.echoed("PING", "PONG")
            self.settle()

    def close(self):
        """An error that is left would be the next answer to something else."""
        self.settle()
        assert not [line for _, line in self.lines if line.startswith("ERROR")], self.lines
        self.closed = True
        self.stream.shutdown(socket.SHUT_RDWR)


def presence(word):
    assert word in PRESENCES, word
    return word


def same(found, wanted):
    assert found == wanted, (found, wanted)


# What its user does.


def shows(plugin, *wanted):
    same(plugin.shown.get(timeout=GUARD), wanted)


def details(plugin):
    plugin.settle()
    assert set(DETAILS) <= set(plugin.contacts["bob"]), plugin.contacts
    for name in ("FULLNAME", "PHONE_HOME", "CITY", "BIRTHDAY"):
        plugin.got("PROFILE", "", name)
    plugin.send("SET PROFILE CITY Pest")
    same(plugin.search("USERS bob", "FULLNAME"), ["bob"])
    for status in ("NA", "ONLINE"):
        plugin.send(f"SET USERSTATUS {status}")
        plugin.until(lambda: plugin.status == status, status)


def talk(plugin):
    text = "grüß dich\nund auf Wiedersehen"
    assert plugin.say("bob", f"say {text}").endswith(" STATUS SENT")
    shows(plugin, "bob", "SAID", "bob", text)
    plugin.calm()
    assert plugin.say("bob", "").startswith("ERROR 43 ")


def typing(plugin):
    plugin.echoed(f"ALTER {TYPING} CONNECT bob")
    plugin.until(lambda: "bob" in plugin.streams, "a stream to bob")
    datagram = f"ALTER {TYPING} DATAGRAM bob:{plugin.streams['bob']}"
    plugin.echoed(f"{datagram} PURPLE_TYPING", datagram)
    plugin.until(lambda: plugin.typing.get("bob"), "that bob types")
    plugin.echoed(f"{datagram} PURPLE_NOT_TYPING", datagram)
    plugin.echoed(f"ALTER {TYPING} DISCONNECT bob")


def avatars(plugin):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "bob_tmp.jpg")
        # It is there already, and empty. No line tells that a picture has come.
        open(file, "wb").close()
        late = time.monotonic() + GUARD
        plugin.calm()
        while plugin.get("USER", "bob", f"AVATAR 1 {file}").startswith("ERROR"):
            assert time.monotonic() < late, "no picture"
        with open(file, "rb") as picture:
            assert picture.read() == PICTURE
        # A place that it cannot open.
        plugin.calm()
        assert plugin.get("USER", "bob", f"AVATAR 1 {folder}/none/bob_tmp.jpg").startswith("ERROR")
        plugin.send(f"SET AVATAR 1 {file}")
        plugin.wait(f"AVATAR 1 {file}")


def authorization(plugin):
    asks = lambda *wanted: same(plugin.requests.get(timeout=GUARD), wanted)
    asks("cecil", "It is me")
    plugin.send("SET USER cecil ISAUTHORIZED FALSE")
    # That there is no request any more (skype-api 5) is another to it.
    asks("cecil", "")
    print("ready", flush=True)
    asks("daniel", "And me")
    plugin.send("SET USER daniel ISAUTHORIZED TRUE")
    asks("daniel", "")
    plugin.send("SET USER daniel BUDDYSTATUS 2 I know you")
    plugin.until(lambda: "daniel" in plugin.informed, "all about daniel")
    for blocked in ("TRUE", "FALSE"):
        plugin.send(f"SET USER daniel ISBLOCKED {blocked}")
        plugin.until(lambda: plugin.contacts["daniel"].get("ISBLOCKED") == blocked, "ISBLOCKED")


def chats(plugin):
    while plugin.wait("CHAT ", " STATUS ", limit=0):
        pass
    plugin.send("CHAT CREATE bob")
    chat = plugin.wait("CHAT ", " STATUS ").removeprefix("CHAT ").split(" STATUS")[0]
    plugin.open_chat(chat)
    are = lambda *users: plugin.until(lambda: set(plugin.chats[chat]) == set(users), users)
    are("alice", "bob")
    plugin.send(f"ALTER CHAT {chat} ADDMEMBERS daniel")
    are("alice", "bob", "daniel")
    shows(plugin, chat, "ADDEDMEMBERS", "alice", "daniel")
    plugin.echoed(f"ALTER CHAT {chat} SETTOPIC Plans", "ALTER CHAT SETTOPIC")
    shows(plugin, chat, "SETTOPIC", "alice", "Plans")
    plugin.say(chat, "say yes", "CHATMESSAGE")
    shows(plugin, chat, "SAID", "bob", "yes")
    plugin.echoed(f"ALTER CHAT {chat} KICK daniel", "ALTER CHAT KICK")
    are("alice", "bob")
    plugin.send(f"ALTER CHAT {chat} LEAVE")
    plugin.until(lambda: "alice" not in plugin.chats[chat], "the end")


def calls(plugin):
    for comes in (True, False):
        plugin.say("bob", "do CALL alice") if comes else plugin.send("CALL bob")
        plugin.until(lambda: "bob" in plugin.calls, "a call")
        number = plugin.calls.pop("bob")
        becomes = lambda status: plugin.until(lambda: plugin.call_status[number] == status, status)
        if comes:
            plugin.send(f"SET CALL {number} STATUS INPROGRESS")
            assert not plugin.wait("ERROR", limit=0.2)
        becomes("INPROGRESS")
        plugin.send(f"SET CALL {number} STATUS FINISHED")
        becomes("FINISHED")


def leave(plugin):
    """It goes before it has read the answer."""
    came = threading.Event()
    plugin.fetch = lambda number: number in plugin.known or came.set()
    plugin.say("bob", "say while you were away")
    assert came.wait(GUARD), "no answer"
    plugin.echoed(f"DELETE {TYPING}")


def missed(plugin):
    """What came while it was not there, and what another program of the user says."""
    shows(plugin, "bob", "SAID", "bob", "while you were away")
    plugin.settle()
    other = Plugin(plugin.port, plugin.password, 7)
    assert other.attach()
    other.started = True
    other.echoed("PROTOCOL 7")
    other.say("bob", "from elsewhere")
    shows(plugin, "bob", "SAID", None, "from elsewhere")
    # It says that it has seen its own, too; nobody waits for the answer (skype-api 3.5).
    plugin.wait("ERROR 32 ")
    other.close()


def main(port, password, protocol, *scenarios):
    plugin = Plugin(int(port), password, int(protocol))
    if not plugin.attach():
        same(scenarios, ("refused",))
        return
    plugin.initialise()
    if plugin.protocol < 7:
        # Errors are answers to its questions there, and might be taken for answers to others.
        plugin.calm()
    for scenario in scenarios:
        globals()[scenario](plugin)
    plugin.close()


main(*sys.argv[1:])
