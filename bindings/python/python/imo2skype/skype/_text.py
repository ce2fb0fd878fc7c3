"""The text below the objects: what is asked and how replies and notifications are read, for both halves.

A talk is a generator that yields commands and is sent their replies; it returns what it found out. The
sync half and the async half differ only in how they carry a talk out.
"""

from __future__ import annotations

import enum
from collections.abc import Generator
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from imo2skype._imo2skype import Imo2SkypeError, Session

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., object])
Message = TypeVar("Message")
Person = TypeVar("Person")
Dialled = TypeVar("Dialled")
Talk = Generator[str, str, T]

# Typing is told by the datagrams of an application that clients agreed upon.
_TYPING = "libpurple_typing"
_TYPING_WORDS = {"PURPLE_TYPING": True, "PURPLE_TYPED": False, "PURPLE_NOT_TYPING": False}


class SkypeError(Imo2SkypeError):
    """A command was answered with ERROR number text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text

    def __str__(self) -> str:
        return f"ERROR {self.number} {self.text}".rstrip()


class _Words(str, enum.Enum):
    """Words of the Skype API; a word that is not known is UNKNOWN."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, specification: str) -> str:
        return format(str(self.value), specification)

    @classmethod
    def _missing_(cls, value: object) -> Any:
        word = value.upper() if isinstance(value, str) else None
        return next((member for member in cls if member.value == word), cls["UNKNOWN"])


class OnlineStatus(_Words):
    """How present somebody is. INVISIBLE and LOGGEDOUT only the account itself can be."""

    UNKNOWN = "UNKNOWN"
    OFFLINE = "OFFLINE"
    ONLINE = "ONLINE"
    AWAY = "AWAY"
    NA = "NA"
    DND = "DND"
    SKYPEME = "SKYPEME"
    SKYPEOUT = "SKYPEOUT"
    INVISIBLE = "INVISIBLE"
    LOGGEDOUT = "LOGGEDOUT"


class BuddyStatus(_Words):
    """What a user is to the account; the values are the digits of BUDDYSTATUS."""

    UNKNOWN = "UNKNOWN"
    NEVER = "0"
    REMOVED = "1"
    PENDING = "2"
    CONTACT = "3"


class MessageType(_Words):
    """What a message of a chat is. Texts are SAID and EMOTED (said with /me)."""

    UNKNOWN = "UNKNOWN"
    SAID = "SAID"
    EMOTED = "EMOTED"
    TEXT = "TEXT"
    SETTOPIC = "SETTOPIC"
    ADDEDMEMBERS = "ADDEDMEMBERS"
    SAWMEMBERS = "SAWMEMBERS"
    CREATEDCHATWITH = "CREATEDCHATWITH"
    LEFT = "LEFT"
    POSTEDCONTACTS = "POSTEDCONTACTS"
    GAP_IN_CHAT = "GAP_IN_CHAT"
    SETROLE = "SETROLE"
    KICKED = "KICKED"
    KICKBANNED = "KICKBANNED"
    SETOPTIONS = "SETOPTIONS"
    SETPICTURE = "SETPICTURE"
    SETGUIDELINES = "SETGUIDELINES"
    JOINEDASAPPLICANT = "JOINEDASAPPLICANT"


class MessageStatus(_Words):
    """What became of a message."""

    UNKNOWN = "UNKNOWN"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    RECEIVED = "RECEIVED"
    READ = "READ"
    IGNORED = "IGNORED"
    QUEUED = "QUEUED"


class CallStatus(_Words):
    """How far a call is."""

    UNKNOWN = "UNKNOWN"
    UNPLACED = "UNPLACED"
    ROUTING = "ROUTING"
    EARLYMEDIA = "EARLYMEDIA"
    RINGING = "RINGING"
    INPROGRESS = "INPROGRESS"
    ONHOLD = "ONHOLD"
    LOCALHOLD = "LOCALHOLD"
    REMOTEHOLD = "REMOTEHOLD"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    MISSED = "MISSED"
    REFUSED = "REFUSED"
    BUSY = "BUSY"
    CANCELLED = "CANCELLED"
    TRANSFERRING = "TRANSFERRING"
    TRANSFERRED = "TRANSFERRED"


PRESENT = (OnlineStatus.ONLINE, OnlineStatus.AWAY, OnlineStatus.NA, OnlineStatus.DND, OnlineStatus.SKYPEME)


# Events. Generic, for the objects of both halves are in them.


@dataclass(frozen=True)
class MessageEvent(Generic[Message]):
    """Somebody else sent a text. line: the notification; message: what came."""

    line: str
    message: Message


@dataclass(frozen=True)
class StatusEvent(Generic[Person]):
    """A user came, went or changed the status."""

    line: str
    user: Person
    status: OnlineStatus


@dataclass(frozen=True)
class TypingEvent(Generic[Person]):
    """A user types, or types no longer."""

    line: str
    user: Person
    typing: bool


@dataclass(frozen=True)
class RequestEvent(Generic[Person]):
    """A user asks to be authorized. text: what the request says."""

    line: str
    user: Person
    text: str


@dataclass(frozen=True)
class CallEvent(Generic[Dialled]):
    """A call began, or has another status. The first of one that comes is RINGING."""

    line: str
    call: Dialled
    status: CallStatus


@dataclass(frozen=True)
class NotificationEvent:
    """Any other line."""

    line: str


# Arguments.


def name(value: str, parameter: str) -> str:
    """A handle or a name of a chat: one word, so that it can't be more than that in a command."""
    if not isinstance(value, str):
        raise TypeError(f"{parameter} must be a str, not {type(value).__name__}")
    if not value or "," in value or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError(f"{parameter} must be one word without blanks, commas and line breaks, not {value!r}")
    return value


def text(value: str, parameter: str, lines: bool = True) -> str:
    """Text for the end of a command; lines tells whether it may have line breaks."""
    if not isinstance(value, str):
        raise TypeError(f"{parameter} must be a str, not {type(value).__name__}")
    if "\0" in value or not lines and len(value.splitlines()) > 1:
        raise ValueError(f"{parameter} must not have {'NUL' if lines else 'line breaks'}")
    return value


def handles(users: tuple[object, ...]) -> str:
    """Users, as objects or handles, for a command."""
    return ", ".join(name(user._id if isinstance(user, Named) else user, "user") for user in users)  # type: ignore[arg-type]


def login(account: Union[Session, str], password: Optional[str], options: dict[str, Any]) -> Session:
    """A client of its own: of the session's login, or of a new one."""
    if not isinstance(account, Session):
        if password is None:
            raise TypeError("password is missing")
        return Session(account, password, **options)
    if password is not None or options:
        raise TypeError("a session has its password and its options already")
    return account.attach()


# Replies.


def check(reply: str) -> str:
    """The reply, if it is none of ERROR."""
    if reply.startswith("ERROR "):
        number, _, words = reply[len("ERROR ") :].partition(" ")
        raise SkypeError(int(number) if number.isdigit() else 0, words)
    return reply


def _after(reply: str, words: int) -> str:
    parts = check(reply).split(" ", words)
    return parts[words] if len(parts) > words else ""


def boolean(value: str) -> bool:
    return value == "TRUE"


def moment(value: str) -> Optional[datetime]:
    """A TIMESTAMP: seconds since 1970; none is 0 or empty."""
    return datetime.fromtimestamp(int(value), timezone.utc) if value.isdigit() and int(value) else None


def listed(value: str) -> list[str]:
    """A list, separated by commas or blanks."""
    return value.replace(",", " ").split()


# Talks.


def say(command: str) -> Talk[str]:
    return check((yield command))


def done(command: str) -> Talk[None]:
    check((yield command))


def get(of: str, what: str, read: Callable[[str], T]) -> Talk[T]:
    """Asks for a property: of is "USER alice" or "PROFILE", what is the property."""
    words = len(of.split(" ")) + (1 if what else 0)
    return read(_after((yield f"GET {of} {what}".rstrip()), words))


def search(what: str) -> Talk[list[str]]:
    return listed(_after((yield f"SEARCH {what}"), 1))


def second(command: str) -> Talk[str]:
    """The second word of the reply: the id of what was made."""
    return _after((yield command), 1).split(" ")[0]


def open_client() -> Talk[str]:
    """Prepares a client, and returns the handle of the account."""
    yield "PROTOCOL 8"
    yield f"CREATE APPLICATION {_TYPING}"
    return (yield from get("CURRENTUSERHANDLE", "", str))


def typing(handle: str, types: bool) -> Talk[None]:
    check((yield f"ALTER APPLICATION {_TYPING} CONNECT {handle}"))
    word = "PURPLE_TYPING" if types else "PURPLE_NOT_TYPING"
    check((yield f"ALTER APPLICATION {_TYPING} DATAGRAM {handle}:1 {word}"))


def display_name(handle: str) -> Talk[str]:
    given = yield from get(f"USER {handle}", "DISPLAYNAME", str)
    return given or (yield from get(f"USER {handle}", "FULLNAME", str)) or handle


def add(handle: str, words: str) -> Talk[None]:
    check((yield f"SET USER {handle} BUDDYSTATUS 2 {text(words, 'text')}".rstrip()))


def create_group(words: str) -> Talk[str]:
    before = yield from search("GROUPS CUSTOM")
    check((yield f"CREATE GROUP {text(words, 'name', lines=False)}"))
    made = [group for group in (yield from search("GROUPS CUSTOM")) if group not in before]
    for group in made:
        if (yield from get(f"GROUP {group}", "DISPLAYNAME", str)) == words:
            return group
    raise Imo2SkypeError("the group was made, but is not there")


def set_status(status: Union[OnlineStatus, str]) -> Talk[None]:
    word = OnlineStatus(status)
    if word is OnlineStatus.UNKNOWN:
        raise ValueError(f"status must be a word of OnlineStatus, not {status!r}")
    check((yield f"SET USERSTATUS {word}"))


def left_sending(message: str) -> Talk[Optional[MessageStatus]]:
    status = yield from get(f"CHATMESSAGE {message}", "STATUS", MessageStatus)
    return None if status is MessageStatus.SENDING else status


def told_status(line: str, message: str) -> Optional[MessageStatus]:
    """The status that a line tells of a message, if it does and it isn't SENDING."""
    head = f"CHATMESSAGE {message} STATUS "
    if not line.startswith(head) or line == head + "SENDING":
        return None
    return MessageStatus(line[len(head) :])


class Makers(Generic[Person, Message, Dialled]):
    """How a half makes its objects."""

    def __init__(
        self, person: Callable[[str], Person], message: Callable[[str], Message], call: Callable[[str], Dialled]
    ) -> None:
        self.person = person
        self.message = message
        self.call = call


Event = Union[
    MessageEvent[Message],
    StatusEvent[Person],
    TypingEvent[Person],
    RequestEvent[Person],
    CallEvent[Dialled],
    NotificationEvent,
]


def event(line: str, me: str, makers: Makers[Person, Message, Dialled]) -> Talk[Event[Message, Person, Dialled]]:
    """The event that a line is."""
    words = line.split(" ", 3)
    if len(words) == 4:
        kind, id, what, value = words
        stranger = id.lower() != me.lower()
        if kind == "CHATMESSAGE" and (what, value) == ("STATUS", "RECEIVED"):
            # Also what happened in the chat is a message (a failure to send, say); nobody sent it.
            type = MessageType((yield from get(f"CHATMESSAGE {id}", "TYPE", str)))
            if type in (MessageType.SAID, MessageType.EMOTED, MessageType.TEXT):
                return MessageEvent(line, makers.message(id))
        elif kind == "USER" and what == "ONLINESTATUS" and stranger:
            return StatusEvent(line, makers.person(id), OnlineStatus(value))
        elif kind == "USER" and what == "RECEIVEDAUTHREQUEST":
            # Empty means that nobody asks any more.
            if value:
                return RequestEvent(line, makers.person(id), value)
        elif kind == "CALL" and what == "STATUS":
            return CallEvent(line, makers.call(id), CallStatus(value))
        elif (kind, id, what) == ("APPLICATION", _TYPING, "DATAGRAM"):
            stream, _, word = value.partition(" ")
            if word in _TYPING_WORDS:
                return TypingEvent(line, makers.person(stream.rpartition(":")[0]), _TYPING_WORDS[word])
    return NotificationEvent(line)


class Named:
    """An object with a name of its own. Equal is what is of one class and has one id."""

    _folds = False

    def __init__(self, id: str) -> None:
        self._id = id
        self._key = id.lower() if self._folds else id

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Named) and type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._key))

    def __str__(self) -> str:
        return self._id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._id}>"


class Handlers:
    """The handlers of events. Each on_... is a decorator; several handlers of one event are called in order."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[..., Any]]] = {}

    def _on(self, kind: type, handler: Handler) -> Handler:
        self._handlers.setdefault(kind, []).append(handler)
        return handler

    def on_message(self, handler: Handler) -> Handler:
        """handler(message): somebody else sent a text."""
        return self._on(MessageEvent, handler)

    def on_status(self, handler: Handler) -> Handler:
        """handler(user, status): a user came, went or changed the status."""
        return self._on(StatusEvent, handler)

    def on_typing(self, handler: Handler) -> Handler:
        """handler(user, typing): a user types, or types no longer."""
        return self._on(TypingEvent, handler)

    def on_request(self, handler: Handler) -> Handler:
        """handler(user, text): a user asks to be authorized."""
        return self._on(RequestEvent, handler)

    def on_call(self, handler: Handler) -> Handler:
        """handler(call, status): a call began, or has another status."""
        return self._on(CallEvent, handler)

    def on_notification(self, handler: Handler) -> Handler:
        """handler(line): any notification, before the handlers of what it means."""
        return self._on(NotificationEvent, handler)

    def _calls(self, event: Any) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """What is to be called for an event."""
        calls = [(handler, (event.line,)) for handler in self._handlers.get(NotificationEvent, [])]
        if not isinstance(event, NotificationEvent):
            arguments = tuple(getattr(event, field.name) for field in fields(event) if field.name != "line")
            calls += [(handler, arguments) for handler in self._handlers.get(type(event), [])]
        return calls
