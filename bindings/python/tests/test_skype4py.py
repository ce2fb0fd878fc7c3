"""The transport for Skype4Py, with a notifier that writes down what it is told."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Iterator
from typing import Any, Callable

import imo2skype
import pytest
from imo2skype.skype4py import Command, SkypeAPI, SkypeAPIError

from conftest import GUARD, Open, account, received

Told = tuple[str, Any]
Make = Callable[..., SkypeAPI]


class Script:
    """Writes down calls, with the thread they came on, and does what it was given to do."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.threads: list[threading.Thread] = []
        self.react: Callable[[Told], object] = lambda told: None
        self._changed = threading.Condition()

    def _tell(self, *told: Any) -> None:
        self.react((told[0], told[1]))
        with self._changed:
            self.told.append((told[0], told[1]))
            self.threads.append(threading.current_thread())
            self._changed.notify_all()

    def attachment_changed(self, status: int) -> None:
        self._tell("attached", status)

    def notification_received(self, notification: str) -> None:
        self._tell("line", notification)

    def sending_command(self, command: Any) -> None:
        self._tell("sending", command.Command)

    def reply_received(self, command: Any) -> None:
        self._tell("reply", command.Reply)

    def until(self, *wanted: Told) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: all(told in self.told for told in wanted), GUARD)
        assert came, f"{wanted} did not come, only {self.told}"

    def of(self, what: str) -> list[Any]:
        return [about for kind, about in self.told if kind == what]


@pytest.fixture
def make(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[SkypeAPI] = []

    def make(*args: Any, **options: Any) -> SkypeAPI:
        if not args:
            args = (account(request, "alice"), "secret")
            options.setdefault("server", gateway.url)
        api = SkypeAPI(*args, **options)
        api.set_notifier(Script())
        made.append(api)
        return api

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make: Make) -> SkypeAPI:
    return make()


def script(api: SkypeAPI) -> Script:
    assert isinstance(api.notifier, Script)
    return api.notifier


def ask(api: SkypeAPI, text: str) -> str:
    command = Command(text, Blocking=True, Timeout=GUARD)
    api.send_command(command)
    return command.Reply


def test_attaching_says_name_and_protocol(api: SkypeAPI) -> None:
    assert api.attachment_status == -1
    api.protocol = 9999
    api.attach(30000)
    assert api.attachment_status == 0
    told = script(api).told[:5]
    assert [told[0], told[1], told[2]] == [("sending", "NAME Skype4Py"), ("reply", "OK"), ("sending", "PROTOCOL 9999")]
    assert told[3] == ("reply", f"PROTOCOL {api.protocol}")
    assert api.protocol < 9999
    assert told[4] == ("attached", 0)
    assert api.commands == {}
    api.protocol = 5
    api.attach(30000)
    assert api.protocol == 5
    assert script(api).of("attached") == [0]


def test_attaching_without_waiting_is_told_by_the_notifier(api: SkypeAPI) -> None:
    script(api).react = lambda told: go_on.wait(GUARD)
    go_on = threading.Event()
    api.attach(GUARD, wait=False)
    assert api.attachment_status == -1
    go_on.set()
    script(api).until(("attached", 0))


def test_a_command_attaches_first(api: SkypeAPI, request: pytest.FixtureRequest) -> None:
    assert ask(api, "GET CURRENTUSERHANDLE") == "CURRENTUSERHANDLE " + account(request, "alice")
    assert api.attachment_status == 0


def test_ids_are_the_smallest_free_ones(api: SkypeAPI) -> None:
    held = [Command("PING") for _ in range(3)]
    for command in held:
        api.push_command(command)
    assert [command.Id for command in held] == [0, 1, 2]
    assert api.pop_command(1) is held[1]
    assert api.pop_command(1) is None
    command = Command("PING", Blocking=True)
    api.send_command(command)
    assert (command.Id, command.Reply) == (1, "PONG")
    with pytest.raises(SkypeAPIError, match="Id conflict"):
        api.send_command(Command("PING", Id=2))
    assert set(api.commands) == {0, 2}


@pytest.mark.parametrize("text, reply", [("PING", "PONG"), ("DANCE", "ERROR 2 Unknown command")])
@pytest.mark.parametrize("blocking", [True, False])
def test_a_reply_is_filled_in_and_told(api: SkypeAPI, text: str, reply: str, blocking: bool) -> None:
    command = Command(text, Blocking=blocking)
    api.send_command(command)
    script(api).until(("sending", text), ("reply", reply))
    assert command.Reply == reply
    assert api.commands == {}
    sender = script(api).threads[script(api).told.index(("reply", reply))]
    assert (sender is threading.current_thread()) == blocking


def test_a_command_that_does_not_block_returns_before_its_reply(api: SkypeAPI) -> None:
    api.attach(30000)
    go_on = threading.Event()
    script(api).react = lambda told: told[0] == "reply" and go_on.wait(GUARD)
    commands = [Command("PING"), Command("GET CONNSTATUS")]
    for command in commands:
        api.send_command(command)
    assert commands[1].Reply == ""
    go_on.set()
    script(api).until(("reply", "PONG"), ("reply", "CONNSTATUS ONLINE"))


@pytest.mark.parametrize("timeout, seconds", [(250, 0.25), (2.5, 2.5), (0, 0.0)])
def test_time_is_up_for_a_blocking_command(
    make: Make, gateway: imo2skype.Gateway, request: pytest.FixtureRequest, timeout: float, seconds: float
) -> None:
    waited = []

    class Mute(imo2skype.Session):
        def attach(self) -> imo2skype.Session:
            return self

        def invoke(self, command: str, timeout: float | None = 10.0) -> str:
            if command == "PING":
                waited.append(timeout)
                raise imo2skype.NoReplyError("none came")
            return super().invoke(command, timeout)

    api = make(Mute(account(request, "alice"), "secret", server=gateway.url))
    with pytest.raises(SkypeAPIError, match="command timeout") as caught:
        api.attach(30000)
        api.send_command(Command("PING", Blocking=True, Timeout=timeout))
    assert waited == [seconds]
    assert isinstance(caught.value.__cause__, imo2skype.NoReplyError)
    assert api.commands == {}
    assert ask(api, "GET MUTE") == "MUTE OFF"


def test_a_late_reply_is_a_notification(api: SkypeAPI) -> None:
    late = Command("PING", Timeout=0)
    api.send_command(Command("GET MUTE", Blocking=True))
    api.send_command(late)
    script(api).until(("line", "PONG"))
    assert late.Reply == ""
    assert api.commands == {}


def test_time_is_up_for_attaching(api: SkypeAPI) -> None:
    go_on = threading.Event()
    script(api).react = lambda told: go_on.wait(GUARD)
    with pytest.raises(SkypeAPIError, match="attach timeout"):
        api.attach(1)
    go_on.set()
    api.attach(30000)
    assert ask(api, "PING") == "PONG"


def test_notifications_come_in_order_on_one_thread(api: SkypeAPI) -> None:
    api.attach(30000)
    for number in range(50):
        api.send_command(Command(f"SET PROFILE MOOD_TEXT mood {number}"))
    script(api).until(*(("reply", f"PROFILE MOOD_TEXT mood {number}") for number in range(50)))
    replies = [reply for reply in script(api).of("reply") if " mood " in reply]
    assert replies == [f"PROFILE MOOD_TEXT mood {number}" for number in range(50)]
    of_lines = {
        thread
        for (kind, _), thread in zip(script(api).told, script(api).threads)
        if kind in ("line", "attached")
    }
    assert len(of_lines) == 1
    assert threading.current_thread() not in of_lines
    api.close()
    assert not of_lines.pop().is_alive()


def test_a_notifier_may_send_and_close(api: SkypeAPI) -> None:
    answers = []

    def react(told: Told) -> None:
        if told[0] == "line" and told[1].endswith(" STATUS RECEIVED"):
            answers.append(ask(api, "GET " + told[1].replace("STATUS RECEIVED", "BODY")))
            api.send_command(Command("PING"))
        if told == ("reply", "PONG"):
            api.close()
            done.set()

    done = threading.Event()
    script(api).react = react
    ask(api, "MESSAGE echo123 hello")
    assert done.wait(GUARD)
    assert [answer.split(" ", 3)[3] for answer in answers] == ["hello"]
    assert api.attachment_status == -1


def test_what_a_notifier_raises_ends_nothing(api: SkypeAPI, caplog: pytest.LogCaptureFixture) -> None:
    def react(told: Told) -> None:
        raise KeyError("mine")

    script(api).react = react
    api.attach(30000)
    assert ask(api, "PING") == "PONG"
    script(api).react = lambda told: None
    api.send_command(Command("DANCE"))
    script(api).until(("reply", "ERROR 2 Unknown command"))
    assert "mine" in caplog.text


def test_attaching_again_after_closing(api: SkypeAPI) -> None:
    for _ in range(2):
        api.attach(30000)
        assert ask(api, "PING") == "PONG"
        api.close()
        api.close()
        assert api.attachment_status == -1
    assert script(api).of("attached") == [0, 0]


def test_two_transports_share_a_session(open_session: Open, make: Make) -> None:
    session = open_session()
    one, two = make(session), make(session)
    one.protocol, two.protocol = 5, 7
    for api in (one, two):
        api.attach(30000)
    assert (one.protocol, two.protocol) == (5, 7)
    assert ask(one, "MESSAGE echo123 hello").startswith("CHATMESSAGE ")
    line = f"CHATMESSAGE {received(session)} STATUS RECEIVED"
    for api in (one, two):
        script(api).until(("line", line))
    one.close()
    assert ask(two, "PING") == session.invoke("PING") == "PONG"


def test_a_closed_session_cannot_be_attached_to(open_session: Open, make: Make) -> None:
    session = open_session()
    session.close()
    api = make(session)
    with pytest.raises(SkypeAPIError) as caught:
        api.attach(30000)
    assert isinstance(caught.value.__cause__, imo2skype.ClosedError)
    assert api.attachment_status == 3


def test_a_wrong_password_is_refused(
    open_session: Open, gateway: imo2skype.Gateway, make: Make, request: pytest.FixtureRequest
) -> None:
    open_session().close()
    api = make(account(request, "alice"), "wrong", server=gateway.url)
    with pytest.raises(SkypeAPIError) as caught:
        api.attach(30000)
    assert isinstance(caught.value.__cause__, imo2skype.LoginRefusedError)
    assert api.attachment_status == 2
    assert script(api).of("attached") == [2]


def test_the_error_is_also_that_of_skype4py(api: SkypeAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    class Theirs(Exception):
        def __init__(self, errstr: str) -> None:
            Exception.__init__(self, str(errstr))

    errors = types.ModuleType("Skype4Py.errors")
    errors.SkypeAPIError = Theirs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "Skype4Py.errors", errors)
    with pytest.raises(Theirs, match="not implemented") as caught:
        api.security_context_enabled("x")
    assert isinstance(caught.value, SkypeAPIError)
    assert isinstance(caught.value, imo2skype.Imo2SkypeError)


def test_shutdown_and_startup(api: SkypeAPI) -> None:
    api.attach(30000)
    assert api.is_running()
    api.shutdown()
    assert not api.is_running()
    api.startup(False, False)
    assert api.is_running()
    assert script(api).of("attached") == [0, 3, 0x8001]
    api.allow_focus(30000)


def test_the_friendly_name_is_told(api: SkypeAPI) -> None:
    api.set_friendly_name("bot")
    api.attach(30000)
    api.set_friendly_name("robot")
    assert api.friendly_name == "robot"
    assert [text for text in script(api).of("sending") if text.startswith("NAME")] == ["NAME bot", "NAME robot"]


@pytest.mark.parametrize("timeout, error", [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError), (True, TypeError)])
def test_wrong_timeouts(api: SkypeAPI, timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="^timeout: "):
        api.attach(timeout)
    with pytest.raises(error, match="^command.Timeout: "):
        api.send_command(Command("PING", Timeout=timeout))
    assert api.attachment_status == -1


@pytest.mark.parametrize("timeout", [2**64, float("inf"), 1e300])
def test_long_timeouts(api: SkypeAPI, timeout: float) -> None:
    api.attach(timeout)
    for blocking in (True, False):
        api.send_command(Command("PING", Blocking=blocking, Timeout=timeout))


def test_wrong_use(api: SkypeAPI, make: Make, session: imo2skype.Session) -> None:
    for args, options in [((1, "x"), {}), (("alice",), {}), ((session, "secret"), {}), (("alice", "x"), {"colour": 1})]:
        with pytest.raises(TypeError):
            make(*args, **options)
    with pytest.raises(ValueError, match="queue_limit"):
        make(queue_limit=1).attach(30000)
    with pytest.raises(TypeError, match="friendly_name"):
        api.set_friendly_name(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="NUL"):
        ask(api, "PING \0")
    assert api.commands == {}


def test_skype4py_itself(api: SkypeAPI) -> None:
    skype4py = pytest.importorskip("Skype4Py")
    bodies: list[str] = []
    came = threading.Event()

    def status(message: Any, status: str) -> None:
        if status == "RECEIVED":
            bodies.append(message.Body)
            came.set()

    skype = skype4py.Skype(Api=api)
    skype.OnMessageStatus = status
    skype.FriendlyName = "test"
    skype.Attach()
    assert skype.AttachmentStatus == skype4py.apiAttachSuccess
    skype.SendMessage("echo123", "hello")
    assert came.wait(GUARD)
    assert bodies == ["hello"]
    with pytest.raises(skype4py.SkypeError):
        skype.User("")._Property("DANCE")
