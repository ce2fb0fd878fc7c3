"""What the module of bitlbee says to skyped, and how it reads (clients 6).

usage: bitlbee.py PORT CERTIFICATE USER PASSWORD SCENARIO...
"""

import re
import socket
import ssl
import sys

GUARD = 60


class Module:
    def __init__(self, port, certificate):
        context = ssl.create_default_context(cafile=certificate)
        plain = socket.create_connection(("127.0.0.1", port), GUARD)
        self.stream = context.wrap_socket(plain, server_hostname="localhost")
        self.lines = []
        self.over = False

    def write(self, text):
        """A call is a record, and some have no line feed."""
        self.stream.sendall(text.encode())

    def read(self):
        """One read of at most 1024 bytes; nothing of it is kept for the next."""
        chunk = self.stream.recv(1024)
        if not chunk:
            self.over = True
            return
        assert chunk.endswith(b"\n") and len(chunk) < 1024, chunk
        self.lines += chunk.decode().split("\n")[:-1]

    def wait(self, pattern):
        """The first line, from the oldest on, that is so; those before it stay."""
        seen = 0
        while True:
            for line in self.lines[seen:]:
                seen += 1
                if line == "PING":
                    self.write("PONG\n")
                found = re.fullmatch(pattern, line)
                if found:
                    self.lines.remove(line)
                    return found
            assert not self.over, f"{pattern!r} did not come: {self.lines}"
            self.read()

    def login(self, user, password):
        # It waits for nothing.
        self.write(f"USERNAME {user}\n")
        self.write(f"PASSWORD {password}\n")
        for line in ("SEARCH GROUPS CUSTOM", "SEARCH FRIENDS", "SET USERSTATUS ONLINE", "SEARCH BOOKMARKEDCHATS"):
            self.write(line + "\n")

    def logged_in(self):
        self.read()
        assert self.lines[:1] == ["PASSWORD OK"], self.lines
        self.wait("GROUPS .*")
        for name in self.wait("USERS (.*)")[1].split(", "):
            if name:
                self.write(f"GET USER {name} ONLINESTATUS\n")
                self.write(f"GET USER {name} FULLNAME\n")
                self.wait(f"USER {name} ONLINESTATUS [A-Z]+")
                self.wait(f"USER {name} FULLNAME .*")
        self.wait("CHATS .*")

    def message(self):
        """A message that comes: the four questions in order. It is shown when the last is answered."""
        number = self.wait("CHATMESSAGE ([0-9]+) STATUS RECEIVED")[1]
        for question in ("FROM_HANDLE", "BODY", "TYPE", "CHATNAME"):
            self.write(f"GET CHATMESSAGE {number} {question}\n")
        chat = self.wait(f"CHATMESSAGE {number} CHATNAME (.*)")[1]
        head = f"CHATMESSAGE {number} "
        answers = [line.removeprefix(head) for line in self.lines if line.startswith(head)]
        of = lambda question: [a.removeprefix(question + " ") for a in answers if a.startswith(question + " ")]
        return of("FROM_HANDLE"), of("BODY"), of("TYPE"), chat


def talk(module):
    module.write("MESSAGE echo123 hello\n")
    sender, body, kind, _ = module.message()
    assert (sender, kind) == (["echo123"], ["SAID"]) and len(body) == 1 and "hello" in body[0], (sender, body, kind)
    module.write("PING\n")
    module.wait("PONG")


def groups(module):
    module.write("CREATE GROUP friends")
    number = module.wait("GROUP ([0-9]+) DISPLAYNAME friends")[1]
    module.wait(f"GROUP {number} NROFUSERS 0")
    module.write(f"ALTER GROUP {number} ADDUSER echo123")
    module.wait(f"GROUP {number} NROFUSERS 1")
    module.write(f"GET GROUP {number} TYPE")
    module.wait(f"GROUP {number} TYPE CUSTOM_GROUP")
    module.write(f"GET GROUP {number} USERS")
    module.wait(f"GROUP {number} USERS echo123")


def info(module):
    properties = """FULLNAME PHONE_HOME PHONE_OFFICE PHONE_MOBILE NROF_AUTHED_BUDDIES TIMEZONE LASTONLINETIMESTAMP SEX
        LANGUAGE COUNTRY PROVINCE CITY HOMEPAGE ABOUT BIRTHDAY""".split()
    for name in properties:
        module.write(f"GET USER echo123 {name}\n")
    module.wait("USER echo123 BIRTHDAY .*")
    for name in properties[:-1]:
        assert any(line.startswith(f"USER echo123 {name} ") for line in module.lines), (name, module.lines)


def chats(module):
    module.write("CHAT CREATE echo123\n")
    chat = re.escape(module.wait("CHAT (.*) STATUS DIALOG")[1])
    plain = chat.replace("\\", "")
    for name in ("ADDER", "TOPIC", "ACTIVEMEMBERS"):
        module.write(f"GET CHAT {plain} {name}\n")
        module.wait(f"CHAT {chat} {name} .*")
    module.write(f"CHATMESSAGE {plain} hi there\n")
    assert "hi there" in module.message()[1][0]


def buddies(module):
    module.write("SET USER echo123 BUDDYSTATUS 2 Please authorize me\n")
    module.wait("USER echo123 BUDDYSTATUS [23]")
    module.write("GET PROFILE PSTN_BALANCE")
    module.wait("PROFILE PSTN_BALANCE .*")


def calls(module):
    module.write("CALL echo123")
    number = module.wait("CALL ([0-9]+) STATUS [A-Z]+")[1]
    module.write(f"GET CALL {number} PARTNER_HANDLE\n")
    module.wait(f"CALL {number} PARTNER_HANDLE echo123")
    module.write(f"SET CALL {number} STATUS FINISHED")
    module.wait(f"CALL {number} STATUS (FINISHED|CANCELLED|REFUSED|FAILED)")


def lines(module):
    """Somebody writes several lines, and then very long ones."""
    print("ready", flush=True)
    body = module.message()[1]
    assert len(body) == 3 and body[-2:] == ["second", "third"], body
    body = "".join(module.message()[1])
    assert body.count("word ") == 1000, body


def quiet(module):
    """Whether anything of the session came that was not asked for."""
    assert not [line for line in module.lines if line.startswith("#") or line == "OK"], module.lines


def main(port, certificate, user, password, *scenarios):
    module = Module(int(port), certificate)
    module.login(user, password)
    if scenarios == ("refused",):
        while not module.over:
            module.read()
        assert module.lines == ["PASSWORD KO"], module.lines
        return
    module.logged_in()
    for scenario in scenarios:
        globals()[scenario](module)
    quiet(module)


main(*sys.argv[1:])
