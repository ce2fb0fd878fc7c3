"""A transport for programs written for Skype4Py: one line changes, D-Bus and display go.

    import Skype4Py
    from imo2skype.skype4py import SkypeAPI

    skype = Skype4Py.Skype(Api=SkypeAPI("alice", "secret", server="https://chat.example/"))
    skype.Attach()

The line was skype = Skype4Py.Skype(). SkypeAPI is what Skype4Py 1.0.35 and its descendants want of an API
object. Skype4Py is not needed to import this module, and is not imported by it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, overload

from imo2skype import Imo2SkypeError, LoginRefusedError, NoReplyError, Session

__all__ = ["Command", "Notifier", "SkypeAPI", "SkypeAPIError"]

# Of Skype4Py.enums: what attachment_status and attachment_changed() tell.
ATTACH_UNKNOWN = -1
ATTACH_SUCCESS = 0
ATTACH_REFUSED = 2
ATTACH_NOT_AVAILABLE = 3
ATTACH_AVAILABLE = 0x8001

# What Session takes besides; a misspelt one is found where it is written, not at attach().
_OPTIONS = frozenset(
    ["server", "network", "autologin", "local_time", "history", "history_days", "history_messages", "send_limit"]
    + ["queue_limit", "insecure_http", "ca_file"]
)

# How long close() waits for a notifier that is in the middle of something, in seconds.
_JOIN = 10.0


class SkypeAPIError(Imo2SkypeError):
    """The connection could not be made, or a command got no reply.

    Where Skype4Py is loaded, what is raised is also a Skype4Py.SkypeAPIError.
    """


class Command:
    """A command, of the shape that Skype4Py gives it.

    Command is the text; Timeout is in milliseconds as int, in seconds as float; Id is -1 until
    SkypeAPI.send_command() chooses one. Reply is filled in when it comes, without its #id. Expected is for the
    caller's own use.
    """

    def __init__(
        self,
        Command: str,  # noqa: N803
        Expected: str = "",  # noqa: N803
        Blocking: bool = False,  # noqa: N803
        Timeout: float = 30000,  # noqa: N803
        Id: int = -1,  # noqa: N803
    ) -> None:
        self.Command = Command
        self.Expected = Expected
        self.Blocking = Blocking
        self.Timeout = Timeout
        self.Id = Id
        self.Reply = ""


class Notifier(Protocol):
    """Who is told what happens; Skype4Py.Skype brings its own."""

    def attachment_changed(self, status: int) -> object: ...
    def notification_received(self, notification: str) -> object: ...
    def sending_command(self, command: Any) -> object: ...
    def reply_received(self, command: Any) -> object: ...


class _Silent:
    """The notifier until there is one."""

    def attachment_changed(self, status: int) -> None:
        pass

    def notification_received(self, notification: str) -> None:
        pass

    def sending_command(self, command: Any) -> None:
        pass

    def reply_received(self, command: Any) -> None:
        pass


def _error(problem: str) -> SkypeAPIError:
    """A SkypeAPIError that a program which knows only Skype4Py catches too."""
    theirs = getattr(sys.modules.get("Skype4Py.errors"), "SkypeAPIError", None)
    if not (isinstance(theirs, type) and issubclass(theirs, Exception)):
        return SkypeAPIError(problem)
    both: type[SkypeAPIError] = type("SkypeAPIError", (SkypeAPIError, theirs), {"__module__": __name__})
    return both(problem)


def _seconds(timeout: float, name: str) -> float | None:
    """Skype4Py's way to say how long: int is milliseconds, float is seconds. None is longer than any clock."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"{name}: cannot be {type(timeout).__name__}; it takes milliseconds as int or seconds as float")
    if not timeout >= 0:
        raise ValueError(f"{name}: cannot be {timeout}; it takes milliseconds as int or seconds as float, from 0 on")
    if isinstance(timeout, int):
        if timeout > threading.TIMEOUT_MAX * 1000:
            return None
        timeout = timeout / 1000
    return None if timeout > threading.TIMEOUT_MAX else timeout


class _Link:
    """One session and the thread that opens it and then tells the notifier what comes out of it."""

    def __init__(self, run: Callable[[_Link], None]) -> None:
        self.session: Session | None = None
        self.problem: Exception | None = None
        self.ready = threading.Event()  # attached, or there is a problem
        self.closed = False
        self.thread = threading.Thread(target=run, args=(self,), name="imo2skype.skype4py", daemon=True)


class SkypeAPI:
    """What Skype4Py.Skype(Api=...) takes.

    SkypeAPI(username, password, **options) logs in at attach(), with the options of imo2skype.Session.
    SkypeAPI(session) shares the login of a session that is open, which keeps its own lines.

    Attributes, as Skype4Py has them: protocol (int, what to ask for; after attach() what was agreed),
    friendly_name (str), attachment_status (int: -1 unknown, 0 attached, 2 refused, 3 not available, 0x8001
    available), commands (dict, those without a reply yet by Id), notifier.

    One thread, from attach() to close(), calls notification_received(), the reply_received() of commands that
    do not block, and attachment_changed() while attaching; in the order of the lines. sending_command() and the
    reply_received() of a blocking command come on the thread that sends. A notifier may send commands of either
    kind, attach and close. What it raises is logged and ends nothing. All threads may use a SkypeAPI.
    """

    @overload
    def __init__(self, account: Session) -> None: ...
    @overload
    def __init__(self, account: str, password: str, **options: Any) -> None: ...
    def __init__(self, account: Session | str, password: str | None = None, **options: Any) -> None:
        self._open: Callable[[], Session]
        if isinstance(account, Session):
            if password is not None or options:
                raise TypeError("password, options: a session has them already")
            self._open = account.attach
        else:
            if not isinstance(account, str):
                raise TypeError(f"account: cannot be {type(account).__name__}; it takes a Session or a username")
            if not isinstance(password, str):
                raise TypeError(f"password: cannot be {type(password).__name__}; it takes a str")
            unknown = sorted(options.keys() - _OPTIONS)
            if unknown:
                raise TypeError(f"{unknown[0]}: is no option of Session")
            username, secret = account, password
            self._open = lambda: Session(username, secret, **options)
        self.logger = logging.getLogger("imo2skype.skype4py")
        self.friendly_name = "Skype4Py"
        self.protocol = 5
        self.attachment_status = ATTACH_UNKNOWN
        self.commands: dict[int, Any] = {}
        self.notifier: Notifier = _Silent()
        self.rlock = threading.RLock()
        self._deadlines: dict[int, float] = {}
        self._link: _Link | None = None
        self._running = True

    # What Skype4Py.Skype calls.

    def set_notifier(self, notifier: Notifier) -> None:
        """Sets who is told from now on."""
        self.notifier = notifier

    def set_friendly_name(self, friendly_name: str) -> None:
        """Sets the name of the program, and tells it when attached."""
        if not isinstance(friendly_name, str):
            raise TypeError(f"friendly_name: cannot be {type(friendly_name).__name__}; it takes a str")
        self.friendly_name = friendly_name
        if self.attachment_status == ATTACH_SUCCESS:
            self.send_command(Command(f"NAME {friendly_name}"))

    def set_attachment_status(self, attachment_status: int) -> None:
        """Sets the status, and tells the notifier when it is another one."""
        with self.rlock:
            if attachment_status == self.attachment_status:
                return
            self.attachment_status = attachment_status
        self.logger.info("attachment: %s", attachment_status)
        self._tell("attachment_changed", attachment_status)

    def attach(self, timeout: float, wait: bool = True) -> None:
        """Logs in and says NAME and PROTOCOL; when attached already, says them again.

        With wait it returns when that is done. Without, it returns at once; attachment_changed() tells how it
        ended: 0 attached, 2 refused, 3 no network. timeout: milliseconds as int, seconds as float.

        Raises SkypeAPIError, with the cause chained, when it fails or time is up; TypeError and ValueError for
        an option of Session that can't be.
        """
        seconds = _seconds(timeout, "timeout")
        with self.rlock:
            link = self._link
            if link is not None and link.ready.is_set():
                again = link.session
            else:
                again = None
            if link is None:
                self._running = True
                link = self._link = _Link(self._run)
                link.thread.start()
        if again is not None:
            self._greet(again, seconds)
            return
        if not wait or threading.current_thread() is link.thread:
            return
        if not link.ready.wait(seconds):
            self._drop(link)
            raise _error("Skype attach timeout")
        if isinstance(link.problem, (TypeError, ValueError)):
            raise link.problem
        if link.problem is not None:
            raise _error(str(link.problem)) from link.problem

    def send_command(self, command: Any) -> None:
        """Sends command, a Command of Skype4Py's or of this module; attaches first where that wasn't done.

        A blocking command returns when its Reply is there, whatever that is: "ERROR n text" too. Another returns
        at once; reply_received() tells when its Reply is there, if that is within its Timeout.

        Raises SkypeAPIError when no reply came within Timeout, when its Id is in use, or when nothing can be sent.
        """
        seconds = _seconds(command.Timeout, "command.Timeout")
        session = self._attached()
        if session is None:
            self.attach(command.Timeout)
            session = self._attached()
            if session is None:
                raise _error("Skype is not attached")
        self._push(command, None if command.Blocking else seconds)
        try:
            self._tell("sending_command", command)
            self.logger.debug("sending #%d %r", command.Id, command.Command)
            if not command.Blocking:
                session.send_skype_command(f"#{command.Id} {command.Command}")
                return
            reply = session.invoke(command.Command, seconds)
        except BaseException as error:
            self._pop_this(command)
            if isinstance(error, NoReplyError):
                raise _error("Skype command timeout") from error
            if isinstance(error, Imo2SkypeError):
                raise _error(str(error)) from error
            raise
        self._pop_this(command)
        command.Reply = reply
        self._tell("reply_received", command)

    def close(self) -> None:
        """Logs out and waits until the notifier is through, 10 seconds at most; from within the notifier it
        does not wait. Closing twice does nothing; attach() opens again."""
        link = self._link
        if link is not None:
            self._drop(link)
            if link.thread is not threading.current_thread():
                link.thread.join(_JOIN)
        with self.rlock:
            if self._link is None:
                self.attachment_status = ATTACH_UNKNOWN
                self.commands.clear()
                self._deadlines.clear()

    def is_running(self) -> bool:
        """Whether there is something to attach to: until shutdown()."""
        return self._running

    def startup(self, minimized: bool, nosplash: bool) -> None:
        """Takes back a shutdown(). There is no program to start, and no window."""
        if not self._running:
            self._running = True
            self.set_attachment_status(ATTACH_AVAILABLE)

    def shutdown(self) -> None:
        """Logs out, as if Skype had been ended."""
        self.close()
        self._running = False
        self.set_attachment_status(ATTACH_NOT_AVAILABLE)

    def security_context_enabled(self, context: str) -> bool:
        """Raises SkypeAPIError: there are no security contexts. (Skype4Py never had them.)"""
        raise _error("Function not implemented")

    def enable_security_context(self, context: str) -> None:
        """Raises SkypeAPIError, as security_context_enabled()."""
        raise _error("Function not implemented")

    def allow_focus(self, timeout: float) -> None:
        """Does nothing: there is no window."""

    # What transports of Skype4Py have besides.

    def acquire(self) -> None:
        """Takes the lock over commands and the status; for short whiles only."""
        self.rlock.acquire()

    def release(self) -> None:
        """Gives back what acquire() took."""
        self.rlock.release()

    def push_command(self, command: Any) -> None:
        """Gives command an Id, the smallest free one, if its Id is negative, and keeps it under that.

        Raises SkypeAPIError when its Id is in use.
        """
        self._push(command, None)

    def pop_command(self, id_: int) -> Any:
        """Removes and returns the command with this Id; None when there is none."""
        with self.rlock:
            self._deadlines.pop(id_, None)
            return self.commands.pop(id_, None)

    # Inside.

    def _push(self, command: Any, seconds: float | None) -> None:
        with self.rlock:
            # Commands whose time is up make room here, which saves a timer for each.
            now = time.monotonic()
            for id_ in [id_ for id_, deadline in self._deadlines.items() if deadline <= now]:
                self.pop_command(id_)
            if command.Id < 0:
                free = 0
                while free in self.commands:
                    free += 1
                command.Id = free
            elif command.Id in self.commands:
                raise _error("Command Id conflict")
            self.commands[command.Id] = command
            if seconds is not None:
                self._deadlines[command.Id] = now + seconds

    def _pop_this(self, command: Any) -> None:
        with self.rlock:
            id_ = command.Id
            if self.commands.get(id_) is command:
                self.pop_command(id_)

    def _tell(self, what: str, about: object) -> None:
        """Calls the notifier; what it raises must not end the thread that everything comes on."""
        try:
            getattr(self.notifier, what)(about)
        except Exception as error:
            # Skype4Py's own notifier raises this on being refused, which attach() raises itself.
            refused = what == "attachment_changed" and about == ATTACH_REFUSED
            level = logging.DEBUG if refused else logging.ERROR
            self.logger.log(level, "%s() of the notifier failed: %s", what, error, exc_info=True)

    def _attached(self) -> Session | None:
        with self.rlock:
            return None if self._link is None else self._link.session

    def _drop(self, link: _Link) -> None:
        with self.rlock:
            link.closed = True
            if self._link is link:
                self._link = None
            session = link.session
        if session is not None:
            session.close()

    def _greet(self, session: Session, seconds: float | None) -> None:
        """NAME and PROTOCOL, as Skype4Py's transports say them."""
        name = self._ask(session, f"NAME {self.friendly_name}", seconds)
        if name != "OK":
            raise _error(f"Skype connection refused: {name}")
        agreed = self._ask(session, f"PROTOCOL {self.protocol}", seconds)
        last = agreed.rpartition(" ")[2]
        if not agreed.startswith("PROTOCOL ") or not last.isdecimal():
            raise _error(f"Skype connection refused: {agreed}")
        self.protocol = int(last)

    def _ask(self, session: Session, text: str, seconds: float | None) -> str:
        command = Command(text, Blocking=True)
        self._push(command, None)
        try:
            self._tell("sending_command", command)
            command.Reply = session.invoke(text, seconds)
        except NoReplyError as error:
            raise _error("Skype command timeout") from error
        except Imo2SkypeError as error:
            raise _error(str(error)) from error
        finally:
            self._pop_this(command)
        self._tell("reply_received", command)
        return command.Reply

    def _run(self, link: _Link) -> None:
        """The thread of link: opens the session, greets, then tells line after line."""
        try:
            session = self._open()
        except Exception as error:
            status = ATTACH_REFUSED if isinstance(error, LoginRefusedError) else ATTACH_NOT_AVAILABLE
            self._fail(link, error, status)
            return
        try:
            with session:
                try:
                    self._greet(session, 30.0)
                except Exception as error:
                    self._fail(link, error, ATTACH_REFUSED)
                    return
                with self.rlock:
                    if link.closed:
                        link.problem = _error("closed while attaching")
                        return
                    link.session = session
                self.set_attachment_status(ATTACH_SUCCESS)
                link.ready.set()
                for line in session:
                    self._received(line)
                    if link.closed:
                        break
        except Imo2SkypeError as error:
            # Detached: the notifier was too slow.
            self.logger.error("the connection is lost: %s", error)
        finally:
            link.ready.set()
        if not link.closed:
            self._drop(link)
            self.set_attachment_status(ATTACH_NOT_AVAILABLE)

    def _fail(self, link: _Link, error: Exception, status: int) -> None:
        link.problem = error
        self.logger.info("cannot attach: %s", error)
        closed = link.closed
        self._drop(link)
        if not closed:
            self.set_attachment_status(status)
        link.ready.set()

    def _received(self, line: str) -> None:
        self.logger.debug("received %r", line)
        if not line.startswith("#"):
            self._tell("notification_received", line)
            return
        tag, _, text = line[1:].partition(" ")
        command: Any = None
        if tag.isdecimal():
            with self.rlock:
                deadline = self._deadlines.get(int(tag))
                waiting = self.pop_command(int(tag))
            if deadline is None or time.monotonic() < deadline:
                command = waiting
        if command is None:
            self._tell("notification_received", text)
        else:
            command.Reply = text
            self._tell("reply_received", command)
