"""Wrong arguments: TypeError for a wrong type, ValueError with the parameter's name for a wrong value."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import imo2skype
import pytest

from conftest import Open


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "icq"),
        ("queue_limit", 0),
        ("queue_limit", -1),
        ("queue_limit", 10**40),
        ("history", ""),
        ("history_days", -1),
        ("history_messages", 10**40),
        ("send_limit", 1),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=name):
        imo2skype.Session("alice", "secret", autologin=False, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"server": 1},
        {"network": None},
        {"autologin": "yes"},
        {"local_time": 1},
        {"history": 1},
        {"history_days": "30"},
        {"send_limit": 60.0},
        {"queue_limit": "many"},
        {"queue_limit": None},
        {"queue_limit": 100.0},
        {"insecure_http": None},
        {"ca_file": b"ca.pem"},
        {"sever": "http://127.0.0.1/"},
    ],
)
def test_a_wrong_type_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        imo2skype.Session("alice", "secret", **options)


@pytest.mark.parametrize("name", ["username", "password", "server", "network", "history", "ca_file"])
def test_text_that_cannot_be_is_named(name: str) -> None:
    options: dict[str, Any] = {"username": "alice", "password": "secret", "autologin": False, name: "\ud800"}
    with pytest.raises(ValueError, match=f"^{name}: "):
        imo2skype.Session(**options)
    for gateway_name in ("database", "listen"):
        with pytest.raises(ValueError, match=f"^{gateway_name}: "):
            imo2skype.Gateway(**{gateway_name: "\ud800"})


def test_options_are_keywords() -> None:
    session: Any = imo2skype.Session
    for arguments in [(), ("alice",), ("alice", "secret", "http://127.0.0.1/"), (1, "secret"), ("alice", None)]:
        with pytest.raises(TypeError):
            session(*arguments)


def test_commands_are_text_without_nul(session: imo2skype.Session) -> None:
    anything: Any = session
    for send in (anything.send_skype_command, anything.invoke):
        for command in (None, 7, b"PING"):
            with pytest.raises(TypeError):
                send(command)
        with pytest.raises(ValueError, match="command"):
            send("PING\0PING")
        with pytest.raises(ValueError, match="command"):
            send("x" * (2 << 20))
        with pytest.raises(ValueError, match="^command: ") as raised:
            send("MESSAGE echo123 \ud800")
        assert isinstance(raised.value.__cause__, UnicodeEncodeError)
    assert session.invoke("PING") == "PONG"


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), float("-inf"), 10**400])
def test_a_time_that_cannot_be_waited_is_a_value_error(session: imo2skype.Session, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        session.poll_skype_notification(timeout)
    with pytest.raises(ValueError, match="timeout"):
        session.invoke("PING", timeout)
    with pytest.raises(ValueError, match="timeout"):
        _ = session.ainvoke("PING", timeout)


def test_a_time_is_a_number(session: imo2skype.Session) -> None:
    anything: Any = session
    for timeout in ("1", b"1", [1], 1j):
        with pytest.raises(TypeError):
            anything.poll_skype_notification(timeout)
        with pytest.raises(TypeError):
            anything.invoke("PING", timeout)


def test_the_signatures_are_those_of_the_contract() -> None:
    if sys.version_info >= (3, 11):  # Those before do not find the signature of a native class.
        assert str(inspect.signature(imo2skype.Session)) == (
            "(username, password, *, server=None, network='imo', autologin=True, local_time=False, history=None, "
            "history_days=0, history_messages=0, send_limit=86400, queue_limit=65536, insecure_http=False, ca_file=None)"
        )
        assert str(inspect.signature(imo2skype.Gateway)) == "(database=None, listen='127.0.0.1:0')"
    methods: dict[Any, str] = {
        imo2skype.Session.send_skype_command: "(self, /, command)",
        imo2skype.Session.poll_skype_notification: "(self, /, timeout=None)",
        imo2skype.Session.invoke: "(self, /, command, timeout=10.0)",
        imo2skype.Session.ainvoke: "(self, /, command, timeout=10.0)",
        imo2skype.Session.attach: "(self, /)",
        imo2skype.Session.fileno: "(self, /)",
        imo2skype.Session.close: "(self, /)",
        imo2skype.Session.notifications: "(self, /)",
        imo2skype.Gateway.stop: "(self, /)",
    }
    for method, signature in methods.items():
        assert str(inspect.signature(method)) == signature, method
        assert method.__doc__


def test_everything_is_documented_and_belongs_to_the_package() -> None:
    for name in imo2skype.__all__:
        item = getattr(imo2skype, name)
        if isinstance(item, type):
            assert item.__doc__
            assert item.__module__ == "imo2skype"
            assert item.__name__ == name
    assert imo2skype.__version__.count(".") == 2


def test_every_exception_is_below_the_base() -> None:
    below = {name for name in imo2skype.__all__ if name.endswith("Error")}
    for name in below:
        assert issubclass(getattr(imo2skype, name), imo2skype.Imo2SkypeError)
    assert issubclass(imo2skype.NoReplyError, TimeoutError)
    assert {"ClosedError", "LoginRefusedError", "NetworkError", "StoreError", "QueueFullError"} < below


def test_a_keyword_is_taken_by_its_name(open_session: Open) -> None:
    session = open_session()
    session.send_skype_command(command="PING")
    assert session.poll_skype_notification(timeout=10)
    assert session.invoke(command="PING", timeout=10) == "PONG"
