"""Sessions: commands, replies, notifications, waiting and closing."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading

import imo2skype
import pytest

from conftest import GUARD, Open, account, body, received, until


def test_a_message_is_sent_and_comes_back(session: imo2skype.Session) -> None:
    session.send_skype_command("#1 MESSAGE echo123 hello")
    reply = until(session, lambda line: line.startswith("#1 "))
    number = reply.split(" ")[2]
    assert reply == f"#1 CHATMESSAGE {number} STATUS SENDING"
    # The echo may overtake the news that the message was sent.
    sent = f"CHATMESSAGE {number} STATUS SENT"
    seen: list[str] = []
    while sent not in seen or not any(line.endswith(" STATUS RECEIVED") for line in seen):
        seen.append(until(session, lambda line: line.startswith("CHATMESSAGE ")))
    answer = next(line for line in seen if line.endswith(" STATUS RECEIVED")).split(" ")[1]
    assert answer != number
    assert body(session, answer) == "hello"
    assert session.invoke(f"GET CHATMESSAGE {answer} FROM_HANDLE") == f"CHATMESSAGE {answer} FROM_HANDLE echo123"


def test_invoke_returns_the_reply_whatever_it_is(session: imo2skype.Session, request: pytest.FixtureRequest) -> None:
    assert session.invoke("PING") == "PONG"
    assert session.invoke("#mine PING", timeout=GUARD) == "PONG"
    assert session.invoke("GET CURRENTUSERHANDLE") == "CURRENTUSERHANDLE " + account(request, "alice")
    assert session.invoke("DANCE") == "ERROR 2 Unknown command"
    assert session.invoke("MESSAGE echo123 hi", None).endswith(" STATUS SENDING")


def test_invoke_leaves_the_notifications_where_they_are(session: imo2skype.Session) -> None:
    session.send_skype_command("#before PING")
    assert session.invoke("PING") == "PONG"
    session.send_skype_command("#after PING")
    assert until(session, lambda line: line.startswith("#")) == "#before PONG"
    assert until(session, lambda line: line.startswith("#")) == "#after PONG"


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo\nthree",
        "\ufeffbom, \u00fcml\u00e4ut, \u65e5\u672c\u8a9e, \U0001f680",
        "CHATMESSAGE 1 STATUS RECEIVED\n#1 MESSAGE echo123 no\nERROR 2",
        "<b>&amp;\"'\\n\t%s {}",
        "cafe\u0301 \u202eleft\u202c",
        "long " * 2_000,
    ],
)
def test_a_body_arrives_as_it_was_sent(session: imo2skype.Session, text: str) -> None:
    text = text.rstrip()
    number = session.invoke(f"MESSAGE echo123 {text}").split(" ")[1]
    assert body(session, number) == text
    assert body(session, received(session)) == text


def test_two_sessions_talk(open_session: Open, request: pytest.FixtureRequest) -> None:
    alice, bob = open_session("alice"), open_session("bob")
    assert alice.invoke(f"MESSAGE {account(request, 'bob')} hello bob").startswith("CHATMESSAGE ")
    assert body(bob, received(bob)) == "hello bob"
    bob.send_skype_command(f"MESSAGE {account(request, 'alice')} hello alice")
    assert body(alice, received(alice)) == "hello alice"


def test_attached_sessions_share_the_login_and_nothing_else(session: imo2skype.Session) -> None:
    with session.attach() as other:
        assert type(other) is imo2skype.Session
        assert session.invoke("PROTOCOL 5") == "PROTOCOL 5"
        assert other.invoke("PROTOCOL 7") == "PROTOCOL 7"
        session.send_skype_command("MESSAGE echo123 both hear it")
        for listener in (session, other):
            assert body(listener, received(listener)) == "both hear it"
    with pytest.raises(imo2skype.ClosedError):
        other.invoke("PING")
    assert session.invoke("PING") == "PONG"
    with session.attach() as other:
        session.close()
        assert other.invoke("PING") == "PONG"


def test_a_context_closes_its_session(open_session: Open) -> None:
    with open_session() as session:
        assert session.invoke("PING") == "PONG"
    with pytest.raises(imo2skype.ClosedError, match="closed"):
        session.send_skype_command("PING")
    with pytest.raises(imo2skype.ClosedError):
        session.poll_skype_notification(0)
    with pytest.raises(imo2skype.ClosedError):
        session.invoke("PING")
    with pytest.raises(imo2skype.ClosedError):
        session.attach()
    session.close()


def test_a_context_lets_exceptions_through(open_session: Open) -> None:
    with pytest.raises(KeyError, match="mine"), open_session() as session:
        raise KeyError("mine")
    with pytest.raises(imo2skype.ClosedError):
        session.attach()


def test_iteration_ends_with_the_session(session: imo2skype.Session) -> None:
    lines = []
    session.send_skype_command("#last PING")
    for line in session:
        lines.append(line)
        if line == "#last PONG":
            session.close()
    assert lines[-1] == "#last PONG"
    assert list(session) == []


def test_close_wakes_everyone_who_waits(session: imo2skype.Session) -> None:
    while session.poll_skype_notification(0) is not None:
        pass
    ended = []

    def wait(waiting: threading.Barrier) -> None:
        waiting.wait(GUARD)
        try:
            while True:
                session.poll_skype_notification()
        except imo2skype.ClosedError as error:
            ended.append(error)

    waiting = threading.Barrier(4)
    threads = [threading.Thread(target=wait, args=(waiting,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.wait(GUARD)
    session.close()
    for thread in threads:
        thread.join(GUARD)
    assert len(ended) == 3


def test_time_can_be_up(session: imo2skype.Session) -> None:
    while session.poll_skype_notification(0) is not None:
        pass
    other = session.attach()
    session.close()
    while other.poll_skype_notification(0.05) is not None:
        pass
    assert other.poll_skype_notification(timeout=0) is None
    assert other.poll_skype_notification(0.1) is None
    other.close()


@pytest.mark.parametrize("for_ever", [None, 1e300, float("inf"), 1e19, 2**64])
def test_waiting_for_ever_takes_what_is_there(session: imo2skype.Session, for_ever: float | None) -> None:
    session.send_skype_command("PING")
    assert session.poll_skype_notification(for_ever)
    assert session.invoke("PING", for_ever) == "PONG"


def test_the_descriptor_is_readable_while_lines_wait(session: imo2skype.Session) -> None:
    session.send_skype_command("#1 PING")
    assert select.select([session], [], [], GUARD)[0] == [session]
    assert until(session, lambda line: line == "#1 PONG")
    session.close()
    assert select.select([session], [], [], GUARD)[0] == [session]


def test_a_full_queue_takes_no_more_commands(open_session: Open) -> None:
    session = open_session(queue_limit=16)
    with pytest.raises(imo2skype.QueueFullError, match="lines wait unread"):
        for _ in range(17):
            session.send_skype_command("PING")
    while session.poll_skype_notification(0) is not None:
        pass
    assert session.invoke("PING") == "PONG"


def test_a_slow_listener_is_detached_for_the_sake_of_the_others(open_session: Open) -> None:
    session = open_session(queue_limit=16)
    slow = session.attach()
    deadline = 200
    while deadline:
        deadline -= 1
        session.invoke(f"SET PROFILE MOOD_TEXT mood {deadline}")
        while session.poll_skype_notification(0) is not None:
            pass
    with pytest.raises(imo2skype.DetachedError, match="queue_limit"):
        for _ in slow:
            pass
    assert session.invoke("PING") == "PONG"


def test_a_wrong_password_is_refused(open_session: Open, gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> None:
    open_session("alice", "right").close()
    with pytest.raises(imo2skype.LoginRefusedError) as refused:
        imo2skype.Session(account(request, "alice"), "wrong-password", server=gateway.url)
    assert account(request, "alice") in str(refused.value)
    assert "wrong-password" not in str(refused.value)
    assert isinstance(refused.value, imo2skype.Imo2SkypeError)


def test_a_dead_port_is_a_network_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as dead:
        port = dead.getsockname()[1]
    with pytest.raises(imo2skype.NetworkError, match=f"cannot reach .*127.0.0.1:{port}.*: ") as raised:
        imo2skype.Session("alice", "secret", server=f"http://127.0.0.1:{port}/")
    # Down to what the system said.
    link: BaseException | None = raised.value.__cause__
    while link is not None and link.__cause__ is not None:
        assert isinstance(link, (imo2skype.Imo2SkypeError, OSError))
        link = link.__cause__
    assert isinstance(link, ConnectionRefusedError)
    assert link.errno == errno.ECONNREFUSED


def test_without_autologin_a_session_is_offline_until_told(open_session: Open) -> None:
    session = open_session(autologin=False)
    assert session.invoke("GET USERSTATUS") == "USERSTATUS OFFLINE"
    session.send_skype_command("SET USERSTATUS ONLINE")
    assert until(session, lambda line: line == "CONNSTATUS ONLINE")
    session.invoke("MESSAGE echo123 here I am")
    assert body(session, received(session)) == "here I am"


def test_without_a_server_the_process_is_the_network(request: pytest.FixtureRequest) -> None:
    with imo2skype.Session(account(request, "alice"), "secret") as session:
        session.send_skype_command("MESSAGE echo123 alone")
        assert body(session, received(session)) == "alone"


def test_a_subclass_may_have_its_own_constructor(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> None:
    class Bot(imo2skype.Session):
        def __init__(self, name: str) -> None:
            super().__init__(name, "secret", server=gateway.url)
            self.name = name

    class Broken(imo2skype.Session):
        def __init__(self) -> None:
            pass

    with Bot(account(request, "bot")) as bot:
        assert bot.invoke("GET CURRENTUSERHANDLE") == f"CURRENTUSERHANDLE {bot.name}"
        with pytest.raises(ValueError, match="open already"):
            bot.__init__("again")  # type: ignore[misc]
    broken = Broken()
    with pytest.raises(ValueError, match="never opened"):
        broken.invoke("PING")
    broken.close()


def test_a_forgotten_session_is_closed(session: imo2skype.Session) -> None:
    forgotten = session.attach()
    descriptor = forgotten.fileno()
    os.fstat(descriptor)
    del forgotten
    with pytest.raises(OSError):
        os.fstat(descriptor)
    assert session.invoke("PING") == "PONG"
