"""Prints time, contact and status, as they change: presence_log.py USERNAME [SERVER].

The password is in IMO2SKYPE_PASSWORD. Without SERVER the network is one inside this program.
"""
from __future__ import annotations

import os
import sys
import time

import imo2skype


def main(username: str, server: str | None = None) -> None:
    known: dict[str, str] = {}
    with imo2skype.Session(username, os.environ["IMO2SKYPE_PASSWORD"], server=server) as session:
        for line in session:
            words = line.split(" ")
            if words[0] == "USER" and words[2:3] == ["ONLINESTATUS"] and known.get(words[1]) != words[3]:
                known[words[1]] = words[3]
                print(time.strftime("%Y-%m-%d %H:%M:%S"), words[1], words[3], flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or "IMO2SKYPE_PASSWORD" not in os.environ:
        print("Usage: IMO2SKYPE_PASSWORD=... presence_log.py USERNAME [SERVER]", file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
