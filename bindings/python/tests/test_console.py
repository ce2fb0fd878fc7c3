"""python -m imo2skype: from a pipe, and at a terminal."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imo2skype
import pytest
from imo2skype._console import History, harmless
from imo2skype._words import candidates

from conftest import GUARD, Open, account, received

if sys.platform != "win32":
    from terminal import Terminal

CONSOLE = [sys.executable, "-m", "imo2skype"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMO2SKYPE_PASSWORD", "secret")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def name(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> str:
    return account(request, "carol")


def console(*arguments: str, typed: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*CONSOLE, *arguments], input=typed, capture_output=True, timeout=2 * GUARD, check=False)


@contextmanager
def running(*arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A console with pipes, ended by force when it takes too long."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*CONSOLE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as program:
        guard = threading.Timer(GUARD, program.kill)
        guard.start()
        try:
            yield program
        finally:
            guard.cancel()
            program.kill()


def test_lines_from_a_pipe_are_commands(gateway: imo2skype.Gateway, name: str) -> None:
    typed = b"#1 PING\r\n\n#2 GET USERSTATUS\n\xff\n" + b"x" * ((1 << 20) + 1) + b"\n#3 GET SKYPEVERSION"
    done = console("--server", gateway.url, "--linger", "0", name, typed=typed)
    lines = done.stdout.decode().splitlines()
    assert [line for line in lines if line[0] == "#"] == ["#1 PONG", "#2 USERSTATUS ONLINE", "#3 SKYPEVERSION 4.3.0.37"]
    complaints = done.stderr.decode().splitlines()
    assert [line[: len("imo2skype: line 4")] for line in complaints] == ["imo2skype: line 4", "imo2skype: line 5"]
    assert done.returncode == 0


def test_further_lines_of_a_body_are_indented(
    gateway: imo2skype.Gateway, open_session: Open, name: str, request: pytest.FixtureRequest
) -> None:
    with running("--server", gateway.url, name) as program:
        assert program.stdin is not None and program.stdout is not None
        lines = iter(program.stdout.readline, b"")
        next(line for line in lines if line == b"USERSTATUS ONLINE\n")
        open_session("alice").invoke(f"MESSAGE {name} one\n\x1b[2Jtwo\nthree")
        number = next(line for line in lines if line.endswith(b" STATUS RECEIVED\n")).split()[1]
        program.stdin.write(b"GET CHATMESSAGE %s BODY\n" % number)
        assert next(line for line in lines if b" BODY " in line) == b"CHATMESSAGE %s BODY one\n" % number
        assert [next(lines), next(lines)] == [b"\t\x1b[2Jtwo\n", b"\tthree\n"]
        program.send_signal(signal.SIGTERM)
        assert program.wait(GUARD) == 0


def test_it_waits_for_lines_after_the_end_of_input(gateway: imo2skype.Gateway, name: str) -> None:
    with running("--server", gateway.url, "--linger", str(GUARD), name) as program:
        assert program.stdin is not None and program.stdout is not None
        program.stdin.write(b"MESSAGE echo123 hello\n")
        program.stdin.close()
        assert any(line.endswith(b" STATUS RECEIVED\n") for line in program.stdout)
        program.send_signal(signal.SIGTERM)
        assert program.wait(GUARD) == 0


def test_it_ends_when_nobody_reads_the_output(gateway: imo2skype.Gateway, name: str) -> None:
    with running("--server", gateway.url, name) as program:
        assert program.stdin is not None and program.stdout is not None and program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        program.stdin.write(b"PING\n")
        # The input is still open.
        assert program.wait(GUARD) == 0
        assert program.stderr.read() == b""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_signals_log_out(gateway: imo2skype.Gateway, name: str, number: str) -> None:
    with running("--server", gateway.url, name) as program:
        assert program.stdout is not None and program.stderr is not None
        next(line for line in iter(program.stdout.readline, b"") if line == b"USERSTATUS ONLINE\n")
        program.send_signal(getattr(signal, number))
        assert program.wait(GUARD) == 0
        assert program.stderr.read() == b""


def test_protocol_is_that_of_the_option(gateway: imo2skype.Gateway, name: str) -> None:
    typed = b"MESSAGE echo123 hello\n"
    old = console("--server", gateway.url, "--protocol", "2", name, typed=typed)
    new = console("--server", gateway.url, name, typed=typed)
    assert b"\nMESSAGE " in old.stdout and b"CHATMESSAGE " not in old.stdout
    assert b"CHATMESSAGE " in new.stdout


def test_the_password_comes_from_a_file_before_the_environment(
    gateway: imo2skype.Gateway, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"other secret\r\n")
    assert console("--server", gateway.url, "--linger", "0", "--password-file", str(file), name).returncode == 0
    imo2skype.Session(name, "other secret", server=gateway.url).close()
    refused = console("--server", gateway.url, name)
    assert refused.returncode == 3
    assert refused.stderr.startswith(b"imo2skype: ") and b"secret" not in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--protocol", "9", "alice"],
        ["--linger", "-1", "alice"],
        ["--linger", "nan", "alice"],
        ["alice", "secret"],
        ["--password-file", "/nowhere/at/all", "alice"],
        ["--server", "ftp://example.invalid/", "alice"],
        ["--server", "http://example.invalid/", "alice"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = console(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr and b"Traceback" not in done.stderr


def test_no_password_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMO2SKYPE_PASSWORD")
    done = console("alice")
    assert done.returncode == 2 and b"IMO2SKYPE_PASSWORD" in done.stderr


def test_no_server_is_a_failure() -> None:
    done = console("--server", "http://127.0.0.1:1/", "alice")
    assert done.returncode == 1 and b"--server" in done.stderr


def test_help_and_version() -> None:
    assert b"--password-file" in console("--help").stdout
    assert console("--version").stdout.decode().split() == ["imo2skype", imo2skype.__version__]


def completed(words: list[str]) -> Iterator[str]:
    """Every command that completion can write, with something for names and numbers."""
    found = candidates(words, "")
    for word in found:
        yield " ".join([*words, word])
        yield from completed([*words, word])
    if words and not found and len(words) < 6 and candidates([*words, "1"], ""):
        yield from completed([*words, "1"])


def test_every_completed_command_is_known(open_session: Open) -> None:
    session = open_session()
    commands = list(completed([]))
    assert len(commands) > 400
    assert session.invoke("DANCE") == "ERROR 2 Unknown command"
    unknown = [command for command in commands if session.invoke(command).startswith("ERROR 2 ")]
    assert unknown == []


def test_completed_properties_are_known(open_session: Open) -> None:
    session = open_session()
    session.invoke("MESSAGE echo123 hello")
    message = received(session)
    chat = session.invoke(f"GET CHATMESSAGE {message} CHATNAME").split(" ")[3]
    group = session.invoke("SEARCH GROUPS HARDWIRED").split(" ")[1].rstrip(",")
    for what in (["USER", "echo123"], ["PROFILE"], ["CHATMESSAGE", message], ["CHAT", chat], ["GROUP", group]):
        for word in candidates(["GET", *what], ""):
            if word != "AVATAR":  # needs a path
                asked = " ".join([*what, word])
                assert session.invoke(f"GET {asked}").startswith(asked), asked


def test_completion_passes_over_ids_and_case() -> None:
    assert candidates(["#7", "get", "user", "alice"], "fu") == ["FULLNAME"]
    assert candidates([], "mess") == ["MESSAGE"]
    assert candidates(["MESSAGE", "alice"], "") == []


def test_passwords_do_not_come_into_the_history(tmp_path: Path) -> None:
    file = tmp_path / "state" / "history"
    history = History(file, "secret")
    kept = ["PING", "GET USERSTATUS", "PING"]
    assert [history.add(line) for line in kept] == [True, True, True]
    secrets = ["ALTER CHAT #a ENTERPASSWORD geheim", "alter chat #a setpassword geheim hint", "secret", "say secret"]
    assert not any(history.add(line) for line in [*secrets, "PING", " ", ""])
    assert history.load() == kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_history_has_an_end(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_text("".join(f"PING {number}\n" for number in range(2500)))
    assert History(file, "secret").load() == [f"PING {number}" for number in range(1500, 2500)]
    assert len(file.read_text().splitlines()) == 1000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_obeyed_by_the_terminal() -> None:
    assert harmless("a\n\tb\x1b[2J\x9b\r\x07é") == "a\n\tb\\x1b[2J\\x9b\\x0d\\x07é"


if sys.platform != "win32":

    def test_at_a_terminal(gateway: imo2skype.Gateway, open_session: Open, name: str, tmp_path: Path) -> None:
        arguments = ("-m", "imo2skype", "--server", gateway.url, "--linger", "0", name)
        prompt = f"{name}> "
        alice = open_session("alice")
        with Terminal(*arguments) as terminal:
            terminal.until("USERSTATUS ONLINE")
            # TAB writes the words.
            terminal.keys("ge\tskypev\t\r")
            terminal.until("SKYPEVERSION 4.3.0.37")
            # A line that is being typed stays, wherever the cursor is in it.
            terminal.keys("GET US\x1b[D")
            terminal.until("GET US")
            alice.invoke(f"MESSAGE {name} hello")
            terminal.until(" STATUS RECEIVED")
            terminal.until(f"{prompt}GET US")
            terminal.keys("\x1b[CERSTATUS\r")
            terminal.until("USERSTATUS ONLINE")
            terminal.keys("ALTER CHAT x ENTERPASSWORD geheim\r")
            terminal.until("ERROR ")
            # The line before the one with a password.
            terminal.keys("\x1b[A\r")
            terminal.until("USERSTATUS ONLINE")
            # Between two lines the key would mean something else.
            terminal.until(prompt)
            terminal.keys("\x04")
            terminal.rest()
            assert terminal.process.returncode == 0
        file = tmp_path / "imo2skype" / "console_history"
        if sys.platform == "darwin":
            file = tmp_path / "Library" / "Application Support" / "imo2skype" / "console_history"
        assert file.read_text().splitlines() == ["GET SKYPEVERSION ", "GET USERSTATUS"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        # The history is there the next time.
        with Terminal(*arguments) as terminal:
            terminal.until("USERSTATUS ONLINE")
            terminal.keys("\x1b[A\x1b[A\r")
            terminal.until("SKYPEVERSION 4.3.0.37")

    def test_the_password_is_asked_for_without_echo(gateway: imo2skype.Gateway, name: str, tmp_path: Path) -> None:
        with Terminal("-m", "imo2skype", "--server", gateway.url, name, IMO2SKYPE_PASSWORD="") as terminal:
            terminal.until(f"Password of {name}: ")
            terminal.keys("geheim\r")
            shown = terminal.until("USERSTATUS ONLINE")
            assert "geheim" not in shown
            terminal.keys("PING\r")
            shown += terminal.until("PONG")
            os.kill(terminal.process.pid, signal.SIGTERM)
            assert "geheim" not in shown + terminal.rest()
            assert terminal.process.returncode == 0
        imo2skype.Session(name, "geheim", server=gateway.url).close()
        assert not any("geheim" in file.read_text() for file in tmp_path.rglob("*") if file.is_file())

    def test_ctrl_c_leaves_while_a_line_is_typed(gateway: imo2skype.Gateway, name: str) -> None:
        with Terminal("-m", "imo2skype", "--server", gateway.url, name) as terminal:
            terminal.until("USERSTATUS ONLINE")
            terminal.keys("GET")
            terminal.until("> GET")
            terminal.keys("\x03")
            assert "Traceback" not in terminal.rest()
            assert terminal.process.returncode == 0
