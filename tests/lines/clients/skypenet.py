"""What the network variant of libskype says, and how it reads (transports 6, clients 4).

usage: skypenet.py PORT USER PASSWORD SCENARIO
"""

import re
import select
import socket
import sys

GUARD = 60
END = "\x17"


class Client:
    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), GUARD)
        self.kept = b""
        self.pieces = []
        self.over = False
        self.number = 0

    def write(self, text):
        self.stream.sendall(text.encode())
        self.stream.sendall(END.encode())

    def poll(self):
        """At most 3095 bytes. White space around what was read is lost, whatever it belongs to."""
        assert select.select([self.stream], [], [], GUARD)[0], f"nothing came behind {self.pieces}"
        chunk = self.stream.recv(3095)
        self.over = not chunk
        self.kept += chunk
        if len(chunk) == 3095:
            return
        read, self.kept = self.kept.decode().strip(), b""
        assert self.over or read.endswith(END), read
        self.pieces += [piece for piece in read.split(END) if piece]

    def wait(self, pattern):
        seen = 0
        while True:
            for piece in self.pieces[seen:]:
                seen += 1
                found = re.fullmatch(pattern, piece, re.DOTALL)
                if found:
                    self.pieces.remove(piece)
                    return found
            assert not self.over, f"{pattern!r} did not come: {self.pieces}"
            self.poll()

    def ask(self, command):
        head = f"#{self.number} "
        self.number += 1
        self.write(head + command)
        return self.wait(re.escape(head) + "(.*)")[1]


def login(client):
    """clients 4.1"""
    assert client.ask("GET USERSTATUS") == "ERROR 68"
    client.write("PING")
    client.wait("PONG")
    assert client.ask("NAME Pidgin") == "OK"
    assert client.ask("PROTOCOL 7") == "PROTOCOL 7"
    client.wait("CONNSTATUS ONLINE")
    client.wait("CURRENTUSERHANDLE alice")
    client.write("SET SILENT_MODE ON")
    client.wait("SILENT_MODE ON")
    assert client.ask("GET CURRENTUSERHANDLE") == "CURRENTUSERHANDLE alice"
    assert client.ask("SEARCH FRIENDS").startswith("USERS ")
    client.write("SEARCH GROUPS CUSTOM")
    client.wait("GROUPS .*")


def main(port, user, password, scenario):
    client = Client(int(port))
    client.write(f"LOGIN {user} {password}")
    if scenario == "refused":
        client.write("NAME Pidgin")
        while not client.over:
            client.poll()
        assert client.pieces == ["ERROR 68"], client.pieces
        return
    client.wait("LOGIN")
    login(client)
    # For whoever else is there to read.
    client.write("MESSAGE echo123 first\nsecond\nthird")
    number = client.wait("CHATMESSAGE ([0-9]+) STATUS RECEIVED")[1]
    assert client.ask(f"GET CHATMESSAGE {number} BODY").endswith("\nsecond\nthird")
    client.write("MESSAGE echo123 " + "word " * 1000 + ".")
    number = client.wait("CHATMESSAGE ([0-9]+) STATUS RECEIVED")[1]
    assert client.ask(f"GET CHATMESSAGE {number} BODY").count("word ") == 1000
    client.write("QUIT")
    while not client.over:
        client.poll()


main(*sys.argv[1:])
