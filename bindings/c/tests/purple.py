"""Drives the headless client of examples/c/purple against a gateway, with sessions of the Python module on the other side.

    python purple.py PLUGIN-FOLDER HEADLESS [WRAPPER ...]

Nothing here waits a fixed time: each step waits for the line that shows it.
"""

from __future__ import annotations

import os
import pathlib
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import imo2skype

# No step takes so long unless something is broken; under valgrind much is slow.
GUARD = 60.0
PASSWORD = "secret"


def fail(problem: str, seen: list[str]) -> NoReturn:
    raise AssertionError(problem + "; what came last:\n" + "\n".join("    " + line for line in seen[-40:]))


class Client:
    """The headless client: commands go in, and what its user would see comes out."""

    def __init__(self, command: list[str], folder: pathlib.Path) -> None:
        self.errors = open(folder / "errors", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, encoding="utf-8", bufsize=1
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.pending: list[str] = []
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def do(self, command: str) -> None:
        """Gives a command. What was shown before it is not taken for what it does."""
        self.pending.clear()
        self.then(command)

    def then(self, command: str) -> None:
        """Gives a command that belongs to the one before."""
        assert self.process.stdin is not None
        self.process.stdin.write(command.replace("\\", "\\\\").replace("\n", "\\n") + "\n")
        self.process.stdin.flush()

    def forget(self) -> None:
        """What was shown before is not taken for what comes of the next thing that others do."""
        self.pending.clear()

    def sees(self, pattern: str) -> re.Match[str]:
        """Waits for a line that the pattern matches as a whole."""
        deadline = time.monotonic() + GUARD
        while True:
            for at, line in enumerate(self.pending):
                if match := re.fullmatch(pattern, line):
                    del self.pending[at]
                    return match
            try:
                shown = self.lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                fail(f"the client did not show {pattern!r}", self.seen)
            if shown is None:
                fail(f"the client has ended before it showed {pattern!r}", self.seen)
            plain = re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], shown)
            self.pending.append(plain)
            self.seen.append(plain)

    def saw(self, line: str) -> int:
        return self.seen.count(line)

    def ends(self) -> None:
        assert self.process.stdin is not None
        self.then("quit")
        self.process.stdin.close()
        status = self.process.wait(GUARD)
        self.errors.seek(0)
        errors = self.errors.read()
        if status != 0 or errors:
            fail(f"the client ended with {status} and said: {errors}", self.seen)


class Peer:
    """A session of the Python module."""

    def __init__(self, name: str, server: str) -> None:
        self.session = imo2skype.Session(name, PASSWORD, server=server)
        self.name = name
        self.pending: list[str] = []
        self.seen: list[str] = []
        self.ask("CREATE APPLICATION libpurple_typing")

    def ask(self, command: str) -> str:
        reply = self.session.invoke(command)
        assert not reply.startswith("ERROR"), f"{command}: {reply}"
        return reply

    def get(self, what: str) -> str:
        return self.ask(f"GET {what}").removeprefix(what + " ")

    def listen(self, deadline: float, wanted: str) -> None:
        """Takes the next line."""
        line = self.session.poll_skype_notification(max(0.0, deadline - time.monotonic()))
        if line is None:
            fail(f"{self.name} waited for {wanted}", self.seen)
        self.pending.append(line)
        self.seen.append(line)

    def hears(self, pattern: str) -> re.Match[str]:
        """Waits for a line that the pattern matches as a whole."""
        deadline = time.monotonic() + GUARD
        while True:
            for at, line in enumerate(self.pending):
                if match := re.fullmatch(pattern, line, re.DOTALL):
                    del self.pending[at]
                    return match
            self.listen(deadline, repr(pattern))

    def until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Waits until something is so, looking again whenever a line comes."""
        deadline = time.monotonic() + GUARD
        while not is_so():
            self.listen(deadline, what)

    def receives(self) -> dict[str, str]:
        """The next message that somebody else has sent."""
        number = self.hears(r"CHATMESSAGE (\d+) STATUS RECEIVED")[1]
        return {
            word: self.get(f"CHATMESSAGE {number} {word}") for word in ("TYPE", "CHATNAME", "FROM_HANDLE", "BODY", "USERS")
        }

    def reads(self, body: str, sender: str = "alice") -> str:
        """The next message is this one; the chat that it came in."""
        message = self.receives()
        while message["TYPE"] not in ("SAID", "EMOTED"):
            message = self.receives()
        assert (message["FROM_HANDLE"], message["BODY"]) == (sender, body), message
        return message["CHATNAME"]

    def sends(self, user: str, text: str) -> None:
        self.ask(f"MESSAGE {user} {text}")

    def asks_for(self, user: str, words: str) -> None:
        """Puts somebody on the list, who is asked for authorization, and waits until the network has done it."""
        self.ask(f"SET USER {user} BUDDYSTATUS 2 {words}")
        self.until(f"{user} is on the list", lambda: self.get(f"USER {user} BUDDYSTATUS") == "3")

    def chats(self) -> list[str]:
        return self.ask("SEARCH CHATS").removeprefix("CHATS ").split(", ")

    def members(self, chat: str) -> set[str]:
        return set(self.get(f"CHAT {chat} MEMBERS").split())

    def close(self) -> None:
        self.session.close()


def settings(client: Client) -> None:
    client.do(f"login alice {PASSWORD} ")
    client.sees("connection-error invalid-settings The account has no server.*")
    client.sees("signed-off alice")
    client.do(f"login alice {PASSWORD} http://imo.example/")
    client.sees("connection-error invalid-settings .*http.*")
    client.sees("signed-off alice")
    # Nobody listens there.
    client.do(f"login alice {PASSWORD} http://127.0.0.1:1/")
    client.sees("connection-error network The server cannot be reached")
    client.sees("signed-off alice")
    # Somebody listens and never answers: nothing waits for him, neither at login nor at logout.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client.do(f"login alice {PASSWORD} http://127.0.0.1:{silent.getsockname()[1]}/")
        with silent.accept()[0]:
            client.then("are you there?")
            client.sees("unknown-command are you there\\?")
            client.do("logout alice")
            client.sees("signed-off alice")
            client.then("still there?")
            client.sees("unknown-command still there\\?")


def login(client: Client, server: str) -> None:
    client.do(f"login alice {PASSWORD} {server}")
    client.sees("signed-on alice")
    client.do("logout alice")
    client.sees("signed-off alice")
    client.do(f"login alice wrong {server}")
    client.sees("connection-error authentication-failed .*")
    client.sees("signed-off alice")
    client.do(f"login alice {PASSWORD} {server}")
    client.sees("signed-on alice")


def contacts(client: Client, server: str, bob: Peer, carol: Peer) -> None:
    client.do("add bob Please let me in")
    bob.hears("USER alice RECEIVEDAUTHREQUEST Please let me in")
    bob.ask("SET USER alice ISAUTHORIZED TRUE")
    client.sees("buddy bob alias bob status available mood ")
    bob.hears("USER alice ONLINESTATUS ONLINE")

    client.forget()
    carol.ask("SET USER alice BUDDYSTATUS 2 It is me")
    client.sees("asked-by carol stranger It is me")
    client.do("accept carol")
    client.sees("buddy carol alias carol status available mood ")
    carol.hears("USER alice BUDDYSTATUS 3")

    # Who is refused is not told; another login of ours is.
    phone, dave = Peer("alice", server), Peer("dave", server)
    dave.asks_for("alice", "Let me in")
    client.sees("asked-by dave stranger Let me in")
    phone.hears("USER dave RECEIVEDAUTHREQUEST Let me in")
    client.do("deny dave")
    phone.hears("USER dave RECEIVEDAUTHREQUEST ")
    # Asked again, and refused there; and once more, and thought better of.
    dave.ask("SET USER alice BUDDYSTATUS 1")
    dave.asks_for("alice", "Please")
    client.sees("asked-by dave stranger Please")
    phone.hears("USER dave RECEIVEDAUTHREQUEST Please")
    phone.ask("SET USER dave ISAUTHORIZED FALSE")
    client.sees("asked-no-more-by dave")
    phone.close()
    dave.ask("SET USER alice BUDDYSTATUS 1")
    dave.asks_for("alice", "Well?")
    client.sees(r"asked-by dave stranger Well\?")
    dave.ask("SET USER alice BUDDYSTATUS 1")
    client.sees("asked-no-more-by dave")
    dave.close()

    client.do("add no/body hi")
    client.sees("notify The network does not do that: Invalid user handle")
    client.do("remove no/body")


def presence(client: Client, bob: Peer) -> None:
    for word, status in (("AWAY", "away"), ("DND", "unavailable"), ("ONLINE", "available")):
        client.forget()
        bob.ask(f"SET USERSTATUS {word}")
        client.sees(f"buddy bob alias bob status {status} mood ")
    # The network is told of a mood together with the next presence.
    bob.ask("SET PROFILE MOOD_TEXT at <work> & well")
    bob.ask("SET USERSTATUS AWAY")
    client.sees("buddy bob alias bob status away mood at <work> & well")
    client.do("info bob")
    client.sees("info bob User name: bob")
    client.sees("info bob Mood: at &lt;work&gt; &amp; well")
    client.forget()
    bob.ask("SET PROFILE MOOD_TEXT ")
    bob.ask("SET USERSTATUS ONLINE")
    client.sees("buddy bob alias bob status available mood ")

    client.do("status away at lunch")
    bob.hears("USER alice ONLINESTATUS AWAY")
    bob.hears("USER alice MOOD_TEXT at lunch")
    client.do("status available")
    bob.hears("USER alice ONLINESTATUS ONLINE")
    bob.hears("USER alice MOOD_TEXT ")


TEXTS = (
    "hello",
    "a <b>tag</b>, an &amp; and \"quotes\" that 'are' none",
    "two\nlines and a \\ in the second",
    "grüße, 你好 🙂",
    "#1 SET USERSTATUS OFFLINE",
)


def messages(client: Client, bob: Peer) -> None:
    for text in TEXTS:
        client.do(f"im bob {text}")
        bob.reads(text)
        client.forget()
        bob.sends("alice", text)
        client.sees("received-im bob bob " + re.escape(text))
        assert client.saw(f"sent-im bob {text}") == 1
        assert client.saw(f"received-im bob bob {text}") == 1

    # Many at once, both ways at the same time, in their order.
    many = [f"number {i}" for i in range(40)]
    for text in many:
        client.then(f"im bob {text}")
        bob.sends("alice", text)
    for text in many:
        bob.reads(text)
        client.sees(f"received-im bob bob {text}")
    arrived = [line for line in client.seen if line.startswith("received-im bob bob number ")]
    assert arrived == [f"received-im bob bob {text}" for text in many], arrived

    client.do("im nobody anybody there?")
    client.sees(r"error-im nobody Not delivered: anybody there\?")
    client.sees("error-im nobody nobody: not reachable for you")
    client.do("im no/body hi")
    client.sees("error-im no/body Not sent: Invalid user handle")
    client.do("block bob")
    client.then("im bob can you hear me?")
    client.sees("error-im bob Not sent: user blocked")
    client.do("unblock bob")
    client.then("im bob again")
    bob.reads("again")


def typing(client: Client, bob: Peer) -> None:
    for how, word in (("yes", "PURPLE_TYPING"), ("paused", "PURPLE_TYPED"), ("no", "PURPLE_NOT_TYPING")):
        client.do(f"typing bob {how}")
        bob.hears(f"APPLICATION libpurple_typing DATAGRAM alice:1 {word}")
    bob.ask("ALTER APPLICATION libpurple_typing CONNECT alice")
    for word, shown in (("PURPLE_TYPING", "typing"), ("PURPLE_TYPED", "typing-paused"), ("PURPLE_NOT_TYPING", "typing-stopped")):
        client.forget()
        bob.ask(f"ALTER APPLICATION libpurple_typing DATAGRAM alice:1 {word}")
        client.sees(f"{shown} bob")


def elsewhere(client: Client, server: str, bob: Peer) -> None:
    phone = Peer("alice", server)
    client.forget()
    phone.sends("bob", "from the phone")
    client.sees(r"sent-im bob \(elsewhere\) from the phone")
    bob.reads("from the phone")
    client.do("alias bob Bobby")
    client.sees("buddy bob alias Bobby status available mood ")
    phone.hears("USER bob FULLNAME Bobby")
    client.do("alias bob bob")
    phone.hears("USER bob FULLNAME bob")
    phone.ask("SET USER carol BUDDYSTATUS 1")
    client.sees("buddy-removed carol")
    phone.close()


def chats(client: Client, bob: Peer, carol: Peer) -> None:
    client.do("found")
    lonely = client.sees("joined (#.*)")[1]
    client.do(f"leave {lonely}")

    client.do("found bob")
    chat = client.sees("joined (#.*)")[1]
    name = re.escape(chat)
    client.sees(f"member {name} alice was there")
    client.sees(f"member {name} bob came")
    added = bob.receives()
    assert (added["TYPE"], added["FROM_HANDLE"], added["USERS"]) == ("ADDEDMEMBERS", "alice", "bob"), added
    bobs = added["CHATNAME"]

    client.do(f"say {chat} hello <all>")
    client.sees(f"sent-chat {name} hello <all>")
    assert bob.reads("hello <all>") == bobs
    bob.ask(f"CHATMESSAGE {bobs} hello\n& you")
    client.sees(f"received-chat {name} bob hello\n& you")

    client.do(f"topic {chat} Plans & more")
    client.sees(f"topic {name} Plans & more")
    bob.hears(f"CHAT {re.escape(bobs)} TOPIC Plans & more")
    bob.ask(f"ALTER CHAT {bobs} SETTOPIC Other plans")
    client.sees(f"topic {name} Other plans")
    client.sees(f"notice-chat {name} bob has set the topic to: Other plans")

    client.do(f"invite {chat} carol")
    client.sees(f"member {name} carol came")
    added = carol.receives()
    assert (added["TYPE"], added["USERS"]) == ("ADDEDMEMBERS", "carol"), added
    carols = added["CHATNAME"]
    carol.ask(f"CHATMESSAGE {carols} here I am")
    client.sees(f"received-chat {name} carol here I am")
    bob.reads("here I am", "carol")
    bob.until("carol is a member", lambda: bob.members(bobs) == {"alice", "bob", "carol"})
    carol.ask(f"ALTER CHAT {carols} LEAVE")
    client.sees(f"member-left {name} carol ")
    bob.until("carol has left", lambda: bob.members(bobs) == {"alice", "bob"})
    bob.ask(f"ALTER CHAT {bobs} ADDMEMBERS carol")
    client.sees(f"member {name} carol came")
    carol.until("carol is back", lambda: "carol" in carol.members(carols))
    bob.ask(f"ALTER CHAT {bobs} KICK carol")
    client.sees(f"member-left {name} carol removed by bob")

    # Bob founds one, and takes alice out again.
    client.forget()
    theirs = bob.ask("CHAT CREATE alice, carol").split()[1]
    shown = client.sees("joined (#.*)")[1]
    client.sees(f"notice-chat {re.escape(shown)} bob has added you")
    bob.ask(f"CHATMESSAGE {theirs} welcome")
    client.sees(f"received-chat {re.escape(shown)} bob welcome")
    bob.ask(f"ALTER CHAT {theirs} KICK alice")
    client.sees(f"notice-chat {re.escape(shown)} You have been removed")
    client.sees(f"left {re.escape(shown)}")
    # The window of a chat that was left closes without a word; a chat that is none cannot be joined.
    client.do(f"leave {shown}")
    client.then("join #no/$such;chat")
    client.sees("notify The network does not do that: .*")
    client.sees(r"join-failed #no/\$such;chat")
    assert client.pending == [], client.pending

    client.do("rooms")
    client.sees(f"room {name} Other plans")
    client.sees("rooms-end")
    assert not [line for line in client.pending if line.startswith("room ")], "only chats that we are in"


def gateway_restarts(client: Client, gateway: imo2skype.Gateway, database: str, bob: Peer) -> imo2skype.Gateway:
    client.forget()
    url = gateway.url
    gateway.stop()
    client.sees("buddy bob alias bob status offline mood ")
    bob.hears("CONNSTATUS PAUSING")
    # Written while there is no network.
    client.then("im bob over the gap")
    bob.sends("alice", "over the gap, too")
    client.sees("sent-im bob over the gap")
    client.forget()
    gateway = imo2skype.Gateway(database=database, listen=url.removeprefix("http://").rstrip("/"))
    assert gateway.url == url
    client.sees("buddy bob alias bob status available mood ")
    client.sees("received-im bob bob over the gap, too")
    bob.reads("over the gap")
    client.do("im bob and on")
    bob.reads("and on")
    assert client.saw("received-im bob bob over the gap, too") == 1
    assert not [line for line in client.seen if line.startswith("error-im bob Not delivered")]
    return gateway


def missed(client: Client, server: str, bob: Peer) -> None:
    client.do("logout alice")
    client.sees("signed-off alice")
    texts = [f"missed {i}" for i in range(5)]
    for text in texts:
        bob.sends("alice", text)
    bobs = next(one for one in bob.chats() if bob.get(f"CHAT {one} TOPIC") == "Other plans")
    bob.ask(f"CHATMESSAGE {bobs} missed by all")
    client.do(f"login alice {PASSWORD} {server}")
    client.sees("signed-on alice")
    for text in texts:
        client.sees(f"received-im bob bob {text}")
    arrived = [line for line in client.seen if line.startswith("received-im bob bob missed")]
    assert arrived == [f"received-im bob bob {text}" for text in texts], arrived
    # The chat opens for what was said in it, as it is.
    chat = client.sees("joined (#.*)")[1]
    name = re.escape(chat)
    client.sees(f"topic {name} Other plans")
    client.sees(f"received-chat {name} bob missed by all")
    client.do("im bob here again")
    bob.reads("here again")

    # A chat that nobody speaks in opens when it is wanted.
    client.do("logout alice")
    client.sees("signed-off alice")
    client.do(f"login alice {PASSWORD} {server}")
    client.sees("signed-on alice")
    client.sees("buddy bob alias bob status available mood ")
    client.do(f"join {chat}")
    client.sees(f"joined {name}")
    client.sees(f"member {name} bob was there")
    client.do(f"leave {chat}")
    bob.until("alice has left", lambda: "alice" not in bob.members(bobs))


def farewell(client: Client, bob: Peer) -> None:
    client.do("remove bob")
    client.sees("buddy-removed bob")
    bob.hears("USER alice ONLINESTATUS OFFLINE")
    client.do("logout alice")
    client.sees("signed-off alice")
    client.do("unload")
    client.sees("unloaded")
    client.ends()


def step(name: str) -> None:
    print(f"  {name}", flush=True)


def main() -> None:
    plugin, headless, *wrapper = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "user").mkdir()
        database = os.fspath(folder / "gateway.db")
        gateway = imo2skype.Gateway(database=database)
        bob, carol = Peer("bob", gateway.url), Peer("carol", gateway.url)
        client = Client([*wrapper, headless, plugin, os.fspath(folder / "user")], folder)
        try:
            client.sees("ready")
            step("settings")
            settings(client)
            step("login")
            login(client, gateway.url)
            step("contacts")
            contacts(client, gateway.url, bob, carol)
            step("presence")
            presence(client, bob)
            step("messages")
            messages(client, bob)
            step("typing")
            typing(client, bob)
            step("another login")
            elsewhere(client, gateway.url, bob)
            step("chats")
            chats(client, bob, carol)
            step("the gateway restarts")
            gateway = gateway_restarts(client, gateway, database, bob)
            step("missed")
            missed(client, gateway.url, bob)
            step("farewell")
            farewell(client, bob)
        finally:
            client.process.kill()
            client.process.wait()
            bob.close()
            carol.close()
            gateway.stop()


if __name__ == "__main__":
    main()
