"""A chat with one user at the terminal: chat.py USERNAME PARTNER [SERVER].

The password is in IMO2SKYPE_PASSWORD. Without SERVER the network is one inside this program, with echo123 on it.
Enter sends, Ctrl-D leaves.
"""
from __future__ import annotations

import curses
import os
import select
import sys
import unicodedata

import imo2skype


def visible(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join("?" if unicodedata.category(char).startswith("C") else char for char in text)


class Chat:
    def __init__(self, session: imo2skype.Session, username: str, partner: str) -> None:
        self.session, self.username, self.partner = session, username, partner
        self.lines: list[str] = []
        self.typed = ""

    def hear(self, line: str) -> None:
        """Takes a line of the session; of interest are messages of the dialog, and where the partner is."""
        words = line.split(" ")
        if words[:3] == ["USER", self.partner, "ONLINESTATUS"]:
            self.lines.append(f"* {self.partner} is {words[3]}")
        if words[0] == "CHATMESSAGE" and words[2:] == ["STATUS", "RECEIVED"]:
            if self.ask(words[1], "FROM_HANDLE") == self.partner and self.ask(words[1], "TYPE") == "SAID":
                self.say(self.partner, self.ask(words[1], "BODY"))
                self.session.send_skype_command(f"SET CHATMESSAGE {words[1]} SEEN")

    def ask(self, message: str, what: str) -> str:
        return self.session.invoke(f"GET CHATMESSAGE {message} {what}").split(" ", 3)[3]

    def say(self, who: str, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            self.lines.append(visible(f"<{who}> {line}" if number == 0 else f"    {line}"))

    def press(self, key: str | int) -> bool:
        """Takes a key; False when it is time to leave."""
        if key == "\x04":
            return False
        if key in ("\n", "\r", curses.KEY_ENTER) and self.typed:
            reply = self.session.invoke(f"MESSAGE {self.partner} {self.typed}")
            self.say(self.username, self.typed) if not reply.startswith("ERROR") else self.lines.append(f"! {reply}")
            self.typed = ""
        elif key in ("\x7f", "\b", curses.KEY_BACKSPACE):
            self.typed = self.typed[:-1]
        elif isinstance(key, str) and visible(key) == key:
            self.typed += key
        return True

    def draw(self, screen: curses.window) -> None:
        rows, columns = screen.getmaxyx()
        screen.erase()
        for row, line in enumerate(self.lines[-(rows - 1) :] if rows > 1 else []):
            screen.addnstr(row, 0, line, columns - 1)
        screen.addnstr(rows - 1, 0, f"> {self.typed}"[-(columns - 1) :], columns - 1)
        screen.refresh()

    def run(self, screen: curses.window) -> None:
        screen.nodelay(True)
        screen.keypad(True)
        while True:
            while (line := self.session.poll_skype_notification(0)) is not None:
                self.hear(line)
            self.draw(screen)
            select.select([0, self.session.fileno()], [], [])
            try:
                while self.press(screen.get_wch()):
                    pass
                return
            except curses.error:
                continue  # no key is left


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or "IMO2SKYPE_PASSWORD" not in os.environ:
        print("Usage: IMO2SKYPE_PASSWORD=... chat.py USERNAME PARTNER [SERVER]", file=sys.stderr)
        sys.exit(2)
    me, partner, *server = sys.argv[1:]
    password = os.environ["IMO2SKYPE_PASSWORD"]
    with imo2skype.Session(me, password, server=server[0] if server else None) as session:
        try:
            curses.wrapper(Chat(session, me, partner).run)
        except KeyboardInterrupt:
            pass
