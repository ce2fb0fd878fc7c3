"""python -m imo2skype: the console. A line typed is a command, replies and notifications are printed."""

from __future__ import annotations

import argparse
import getpass
import math
import os
import sys
from pathlib import Path

import imo2skype
from imo2skype._console import Console, History, Signals, Stop, Terminal, complain, history_file

# Exit statuses, those of imo2sproxy.
STOPPED, FAILED, USAGE, REFUSED = 0, 1, 2, 3


class UsageError(Exception):
    """Something was asked for that can't be."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the console with arguments, those of the command line when None; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _serve(options, Signals())
    except (Stop, KeyboardInterrupt):
        # The latter is what input() makes of a Stop that reaches it on its way out of readline.
        return STOPPED
    except UsageError as error:
        return _failed(USAGE, str(error))
    except ValueError as error:
        return _failed(USAGE, str(error))
    except imo2skype.LoginRefusedError as error:
        return _failed(REFUSED, str(error))
    except imo2skype.NetworkError as error:
        return _failed(FAILED, f"{error}; is the address right (--server), and is the server running?")
    except (imo2skype.Imo2SkypeError, OSError) as error:
        return _failed(FAILED, str(error))
    return STOPPED


def _failed(status: int, text: str) -> int:
    complain(text)
    return status


def _serve(options: argparse.Namespace, signals: Signals) -> None:
    password = _password(options.username, options.password_file)
    with imo2skype.Session(
        options.username,
        password,
        server=options.server,
        insecure_http=options.insecure_http,
        ca_file=options.ca_file,
    ) as session:
        if options.protocol is not None:
            session.invoke(f"PROTOCOL {options.protocol}")
        terminal = None
        if sys.stdin is not None and sys.stdout is not None and sys.stdin.isatty() and sys.stdout.isatty():
            terminal = Terminal(f"{options.username}> ", History(history_file(), password), signals)
        Console(session, options.linger, terminal, signals).run()


def _password(username: str, file: str | None) -> str:
    """The password: from the file, from the environment, or asked for, in this order."""
    if file is not None:
        try:
            password = Path(file).read_bytes().decode()
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read the password file {file}: {error}") from error
        password = password[:-1] if password.endswith("\n") else password
        password = password[:-1] if password.endswith("\r") else password
        where = f"the password file {file}"
    elif os.environ.get("IMO2SKYPE_PASSWORD"):
        password = os.environ["IMO2SKYPE_PASSWORD"]
        where = "IMO2SKYPE_PASSWORD"
    elif sys.stdin is not None and sys.stdin.isatty():
        try:
            password = getpass.getpass(f"Password of {username}: ")
        except EOFError:
            password = ""
        where = "the password"
    else:
        raise UsageError(f"no password for {username}: give it by --password-file FILE or in IMO2SKYPE_PASSWORD")
    if not password:
        raise UsageError(f"{where} is empty")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where} is not UTF-8") from None
    return password


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError
    return seconds


def _protocol(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 8:
        raise ValueError
    return number


_seconds.__name__ = "number of seconds"
_protocol.__name__ = "version (1 to 8)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m imo2skype",
        description="The console of one account: a line typed is a command of the Skype API, "
        "replies and notifications are printed.",
        epilog="The password is read from --password-file, from IMO2SKYPE_PASSWORD, or asked for at a terminal. "
        "Exit status: 0 stopped as asked, 1 failure in service, 2 wrong usage, 3 login refused.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--server", metavar="URL", help="imo-compatible server; without it, a gateway in the memory of this program")
    add("--ca-file", metavar="FILE", help="one more root certificate to trust (PEM)")
    add("--insecure-http", action="store_true", help="take http: for other hosts than this one")
    add("--password-file", metavar="FILE", help="read the password from FILE")
    add("--protocol", metavar="N", type=_protocol, help="version of the Skype API, 1 to 8; 8 without it")
    add(
        "--linger",
        metavar="SECONDS",
        type=_seconds,
        default=2.0,
        help="after the end of input, leave once no line has come for so long; 2 without it",
    )
    add("--version", action="version", version=f"imo2skype {imo2skype.__version__}")
    add("username", metavar="USERNAME", help="the account")
    return parser


if __name__ == "__main__":
    sys.exit(main())
