"""The console: a line typed is a command, replies and notifications are printed.

At a terminal the lines come while something is being typed. The readline library belongs to the main thread, so
the thread that listens sends it a signal; readline is between two keys when the handler of the signal runs.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Callable

from imo2skype._imo2skype import ClosedError, Imo2SkypeError, QueueFullError
from imo2skype._words import candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imo2skype._imo2skype import Session

# The longest command, in bytes.
_MAX_COMMAND = 1 << 20

# How often to look whether it is time to leave, or whether a signal was missed, in seconds.
_TICK = 0.1

# How often to try to reach the main thread while something waits for it, in seconds.
_RETRY = 0.01

# How many lines of history are kept.
_HISTORY = 1000

# Wakes the main thread; to those who do not handle it, it means nothing.
_WAKE: signal.Signals | None = None if sys.platform == "win32" else signal.SIGURG

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class _Ended(Exception):
    """Raised in the main thread when the thread that listens has ended."""


class Stop(BaseException):
    """Raised in the main thread when somebody wants the program to end."""


class Signals:
    """SIGINT, SIGTERM and SIGHUP: the first asks to stop, the second insists.

    While held is set, nothing is raised: what readline calls must not raise, it would be lost.
    """

    def __init__(self) -> None:
        self.asked = False
        self.pending = False
        self.held = False
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._stop)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked:
            os._exit(1)
        self.asked = self.pending = True
        self.check()

    def check(self) -> None:
        """Raises Stop if somebody asked for it and it was not raised yet."""
        if self.pending and not self.held:
            self.pending = False
            raise Stop


def complain(text: str) -> None:
    """Says something about the program itself on standard error."""
    line = text.replace("\n", " ")
    try:
        _write(_STDERR, f"imo2skype: {line}\n")
    except OSError:
        pass  # nobody hears it


def _write(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]


def harmless(text: str) -> str:
    """The text without characters that a terminal would obey; only line breaks and tabs stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)


class Console:
    """Hands the lines of standard input to session, and writes its lines to standard output.

    After the end of the input it leaves once no line has come for linger seconds. terminal is None unless both
    ends are a terminal.
    """

    def __init__(self, session: Session, linger: float, terminal: Terminal | None, signals: Signals) -> None:
        self._signals = signals
        self._session = session
        self._linger = linger
        self._terminal = terminal
        self._main = threading.get_ident()
        self._reading = False
        # What the threads tell each other: when the input ended; the text to show, and that it was shown;
        # that the listener has ended, and why; that the main thread needs it no more.
        self._input_over: float | None = None
        self._text = ""
        self._shown = threading.Event()
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._left = threading.Event()
        # The numbers of the signals that came.
        self._caught: int | None = None

    def run(self) -> None:
        """Returns when the input is over and the lines are quiet, or when nobody reads the output any more.

        To be called on the main thread. Raises Imo2SkypeError when the session has ended, OSError when the
        output fails, and what handlers of signals raise.
        """
        if _WAKE is not None:
            signal.signal(_WAKE, self._woken)
            self._caught, caught = os.pipe()
            os.set_blocking(self._caught, False)
            os.set_blocking(caught, False)
            signal.set_wakeup_fd(caught, warn_on_full_buffer=False)
        threading.Thread(target=self._listen, name="imo2skype-console", daemon=True).start()
        try:
            try:
                self._reading = True
                self._read()
                self._reading = False
            except _Ended:
                self._reading = False
            self._input_over = time.monotonic()
            self._ended.wait()
        finally:
            self._left.set()
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        source = _piped() if self._terminal is None else self._terminal.lines()
        for number, line in enumerate(source, 1):
            if isinstance(line, str) and not line.strip():
                continue
            try:
                if not isinstance(line, str):
                    raise line
                self._send(line)
            except UnicodeError:
                complain(f"line {number} of the input was not sent: it is not UTF-8")
            except ValueError as error:
                complain(f"line {number} of the input was not sent: {error}")

    def _send(self, command: str) -> None:
        while not self._ended.is_set():
            try:
                return self._session.send_skype_command(command)
            except QueueFullError:
                self._ended.wait(_TICK)
            except Imo2SkypeError:
                # The listener sees the same, and says so.
                self._ended.wait()

    def _listen(self) -> None:
        try:
            quiet_since = time.monotonic()
            while True:
                wait = _TICK
                if self._input_over is not None:
                    over = max(self._input_over, quiet_since) + self._linger
                    wait = min(_TICK, max(0.0, over - time.monotonic()))
                line = self._session.poll_skype_notification(wait)
                if line is not None:
                    self._show(line.replace("\n", "\n\t") + "\n")
                    quiet_since = time.monotonic()
                elif wait == 0:
                    return
                self._hand_on_signals()
        except BrokenPipeError:
            pass
        except ClosedError as error:
            self._failure = Imo2SkypeError("the session has ended by itself")
            self._failure.__cause__ = error
        except (Imo2SkypeError, OSError) as error:
            self._failure = error
        finally:
            self._ended.set()
            self._wake(self._left)

    def _show(self, text: str) -> None:
        if self._terminal is None:
            _write(_STDOUT, text)
        elif _WAKE is None:
            self._terminal.show(text)
        else:
            self._shown.clear()
            self._text = text
            self._wake(self._shown)

    def _wake(self, done: threading.Event) -> None:
        """Wakes the main thread until it is done; a signal that comes just before a wait does not end it."""
        while _WAKE is not None and not done.is_set() and self._wakeable():
            signal.pthread_kill(self._main, _WAKE)
            done.wait(_RETRY)

    def _wakeable(self) -> bool:
        """Whether the main thread may be woken: not once it is on its way out."""
        return not self._left.is_set() and self._signals.asked == self._signals.pending

    def _hand_on_signals(self) -> None:
        """Wakes the main thread if a signal came just before it began to wait, or while it could not stop."""
        try:
            missed = self._caught is not None and bool(set(os.read(self._caught, 4096)) - {_WAKE})
        except BlockingIOError:
            missed = False
        if _WAKE is not None and (missed or self._signals.pending) and self._wakeable():
            signal.pthread_kill(self._main, _WAKE)

    def _woken(self, _signal: int, _frame: FrameType | None) -> None:
        if self._text and self._terminal is not None and self._terminal.show(self._text):
            self._text = ""
            self._shown.set()
        if not self._left.is_set():
            self._signals.check()
        if self._ended.is_set() and self._reading and not self._signals.held:
            self._reading = False
            raise _Ended


def _piped() -> Iterator[str | ValueError]:
    """The lines of standard input; what can't be a command is an error in their place."""
    kept, too_long = bytearray(), False
    while True:
        piece = os.read(_STDIN, 1 << 16)
        *ends, last = piece.split(b"\n")
        for end in ends:
            yield _command(bytes(kept + end), too_long)
            kept, too_long = bytearray(), False
        kept += last
        if len(kept) > _MAX_COMMAND + 1:
            kept, too_long = bytearray(), True
        if not piece:
            if kept or too_long:
                yield _command(bytes(kept), too_long)
            return


def _command(line: bytes, too_long: bool) -> str | ValueError:
    line = line[:-1] if line.endswith(b"\r") else line
    if too_long or len(line) > _MAX_COMMAND:
        return ValueError(f"it is longer than {_MAX_COMMAND} bytes, the most a command can have")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        return error


class Terminal:
    """Lines typed at a terminal, with what the readline library offers where there is one."""

    def __init__(self, prompt: str, history: History, signals: Signals) -> None:
        self._signals = signals
        self._prompt = prompt
        self._history = history
        self._typing = False
        self._hooked = False
        self._found: list[str] = []
        self._clear: Callable[[], object] | None = None
        self._redraw: Callable[[], object] | None = None
        self._line_typed: Callable[[], str] = str
        self._words_before: Callable[[], str] = str
        self._remember: Callable[[str], object] | None = None
        self._set_up()

    def _set_up(self) -> None:
        try:
            import readline
        except ImportError:
            return
        self._line_typed = readline.get_line_buffer
        self._words_before = lambda: readline.get_line_buffer()[: readline.get_begidx()]
        self._remember = readline.add_history
        readline.set_auto_history(False)
        readline.set_completer_delims(" ")
        readline.set_completer(self._complete)
        if "libedit" in (readline.__doc__ or ""):
            readline.parse_and_bind("bind ^I rl_complete")
        else:
            readline.set_pre_input_hook(self._ready)
            self._hooked = True
            readline.parse_and_bind("tab: complete")
            # Lines pasted are commands like others.
            readline.parse_and_bind("set enable-bracketed-paste off")
            self._find_painter(getattr(readline, "__file__", None))
        for line in self._history.load():
            readline.add_history(line)

    def _find_painter(self, module: str | None) -> None:
        """Finds the functions of the library that the module hides. Without them the line is painted by hand."""
        try:
            import ctypes

            library = ctypes.CDLL(module)
            flush = ctypes.CDLL(None).fflush
            clear, redraw = library.rl_clear_visible_line, library.rl_forced_update_display
        except (ImportError, OSError, AttributeError):
            return
        self._clear = lambda: (clear(), flush(None))
        self._redraw = redraw

    def lines(self) -> Iterator[str]:
        while True:
            try:
                # Until readline is ready nothing can be painted over its prompt; it says so where it can.
                self._signals.held, self._typing = self._hooked, not self._hooked
                line = input(self._prompt)
            except EOFError:
                self._stop_typing()
                _write(_STDOUT, "\n")
                return
            except BaseException as error:
                self._stop_typing()
                _write(_STDOUT, "\n")
                # So it looks when one more signal comes while the exception of the first is on its way.
                if isinstance(error, SystemError) and isinstance(error.__cause__, (Stop, _Ended)):
                    raise error.__cause__ from None
                raise
            self._stop_typing()
            if self._history.add(line) and self._remember is not None:
                self._remember(line)
            yield line

    def _stop_typing(self) -> None:
        self._typing = self._signals.held = False

    def show(self, text: str) -> bool:
        """Prints text above the line being typed; False when it can't be done right now."""
        if self._signals.held:
            return False
        text = harmless(text)
        if not self._typing:
            _write(_STDOUT, text)
        elif self._clear is not None and self._redraw is not None:
            self._clear()
            _write(_STDOUT, text)
            self._redraw()
        else:
            _write(_STDOUT, f"\r\033[K{text}{self._prompt}{self._line_typed()}")
        return True

    def _ready(self) -> None:
        self._typing = True
        self._signals.held = False

    def _complete(self, text: str, number: int) -> str | None:
        self._signals.held = True
        try:
            if number == 0:
                self._found = candidates(self._words_before().split(" ")[:-1], text)
            return self._found[number] + " " if number < len(self._found) else None
        finally:
            self._signals.held = False


class History:
    """The commands of earlier days, in a file that nobody else can read. Passwords are not among them.

    path is the file, None keeps nothing beyond this process; password is that of the account.
    """

    def __init__(self, path: Path | None, password: str) -> None:
        self._path = path
        self._password = password
        self._last = ""

    def load(self) -> list[str]:
        """Returns the lines kept, oldest first."""
        if self._path is None:
            return []
        try:
            lines = self._path.read_text("utf-8", "replace").splitlines()
            if len(lines) > 2 * _HISTORY:
                shorter = self._path.with_name(f"{self._path.name}.{os.getpid()}")
                self._append(shorter, lines[-_HISTORY:])
                os.replace(shorter, self._path)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._give_up(error)
            return []
        return lines[-_HISTORY:]

    def add(self, line: str) -> bool:
        """Keeps line, if it is worth it; returns whether it is."""
        if not line.strip() or line == self._last or self._is_secret(line):
            return False
        self._last = line
        if self._path is not None:
            try:
                self._append(self._path, [line])
            except OSError as error:
                self._give_up(error)
        return True

    def _is_secret(self, line: str) -> bool:
        return self._password in line or "PASSWORD" in line.upper()

    @staticmethod
    def _append(path: Path, lines: list[str]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o600)
            _write(descriptor, "".join(f"{line}\n" for line in lines))
        finally:
            os.close(descriptor)

    def _give_up(self, error: OSError) -> None:
        self._path = None
        complain(f"the history is not kept: {error}")


def history_file() -> Path | None:
    """Where the platform wants the history of a program; None if it does not say."""
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = Path(os.environ.get("XDG_STATE_HOME", ""))
            if not base.is_absolute():
                base = Path.home() / ".local" / "state"
    except RuntimeError:
        return None
    return base / "imo2skype" / "console_history"
