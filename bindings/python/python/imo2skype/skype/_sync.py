"""The sync half: values are properties, what is done returns when it is answered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union, cast

from imo2skype._imo2skype import ClosedError, NoReplyError, Session
from imo2skype.skype import _text
from imo2skype.skype._text import BuddyStatus, CallStatus, MessageStatus, MessageType, OnlineStatus, Talk

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., object])


class _Object(_text.Named):
    _kind = ""

    def __init__(self, skype: Skype, id: str) -> None:
        super().__init__(id)
        self._skype = skype

    def _get(self, what: str, read: Callable[[str], T]) -> T:
        return self._skype._talk(_text.get(f"{self._kind} {self._id}", what, read))

    def _do(self, command: str) -> None:
        self._skype._talk(_text.done(command))

    def _users(self, handles: list[str]) -> list[User]:
        return [User(self._skype, handle) for handle in handles]


class User(_Object):
    """Somebody on the network: a contact, a stranger or the account itself. Made by Skype.user()."""

    _kind = "USER"
    _folds = True

    @property
    def handle(self) -> str:
        """The name on the network."""
        return self._id

    @property
    def name(self) -> str:
        """The full name that the user gave; may be empty."""
        return self._get("FULLNAME", str)

    @property
    def display_name(self) -> str:
        """The name that the account gave to the user, else the full name, else the handle."""
        return self._skype._talk(_text.display_name(self._id))

    @display_name.setter
    def display_name(self, name: str) -> None:
        self._do(f"SET USER {self._id} DISPLAYNAME {_text.text(name, 'name', lines=False)}".rstrip())

    @property
    def status(self) -> OnlineStatus:
        """How present the user is; OFFLINE too for who hasn't authorized the account."""
        return self._get("ONLINESTATUS", OnlineStatus)

    @property
    def mood(self) -> str:
        """The mood text; may be empty and may have several lines."""
        return self._get("MOOD_TEXT", str)

    @property
    def is_online(self) -> bool:
        return self.status in _text.PRESENT

    @property
    def buddy_status(self) -> BuddyStatus:
        return self._get("BUDDYSTATUS", BuddyStatus)

    @property
    def is_contact(self) -> bool:
        return self.buddy_status is BuddyStatus.CONTACT

    @property
    def is_authorized(self) -> bool:
        """Whether the account has authorized the user."""
        return self._get("ISAUTHORIZED", _text.boolean)

    @property
    def is_blocked(self) -> bool:
        return self._get("ISBLOCKED", _text.boolean)

    @property
    def request(self) -> str:
        """The text of the user's request to be authorized; empty if there is none."""
        return self._get("RECEIVEDAUTHREQUEST", str)

    def authorize(self) -> None:
        """Grants a request, so that the user sees the account's presence."""
        self._do(f"SET USER {self._id} ISAUTHORIZED TRUE")

    def deny(self) -> None:
        """Refuses a request, or takes an authorization back."""
        self._do(f"SET USER {self._id} ISAUTHORIZED FALSE")

    def add(self, text: str = "") -> None:
        """Asks the user to become a contact, with a text of some lines."""
        self._skype._talk(_text.add(self._id, text))

    def remove(self) -> None:
        """Removes the user from the contacts."""
        self._do(f"SET USER {self._id} BUDDYSTATUS 1")

    def block(self, blocked: bool = True) -> None:
        """Blocks the user, or with False blocks no more."""
        self._do(f"SET USER {self._id} ISBLOCKED {'TRUE' if blocked else 'FALSE'}")

    def send(self, text: str) -> ChatMessage:
        """Sends a text of one or more lines; returns when it is on its way (see ChatMessage.wait_sent)."""
        command = f"MESSAGE {self._id} {_text.text(text, 'text')}"
        return ChatMessage(self._skype, self._skype._talk(_text.second(command)))

    def typing(self, typing: bool = True) -> None:
        """Lets the user see that the account types, or with False types no more."""
        self._skype._talk(_text.typing(self._id, typing))


class Chat(_Object):
    """A dialog or a chat of many. Made by Skype.chat_with() and ChatMessage.chat."""

    _kind = "CHAT"

    @property
    def name(self) -> str:
        """The id of the chat."""
        return self._id

    @property
    def topic(self) -> str:
        return self._get("TOPIC", str)

    @topic.setter
    def topic(self, text: str) -> None:
        self._do(f"ALTER CHAT {self._id} SETTOPIC {_text.text(text, 'text', lines=False)}")

    @property
    def friendly_name(self) -> str:
        """What a list of chats shows."""
        return self._get("FRIENDLYNAME", str)

    @property
    def members(self) -> list[User]:
        """All members, the account too."""
        return self._users(self._get("MEMBERS", _text.listed))

    @property
    def messages(self) -> list[ChatMessage]:
        """The messages that are known, the newest first."""
        return [ChatMessage(self._skype, id) for id in self._get("CHATMESSAGES", _text.listed)]

    def send(self, text: str) -> ChatMessage:
        """Sends a text of one or more lines; returns when it is on its way (see ChatMessage.wait_sent)."""
        command = f"CHATMESSAGE {self._id} {_text.text(text, 'text')}"
        return ChatMessage(self._skype, self._skype._talk(_text.second(command)))

    def leave(self) -> None:
        self._do(f"ALTER CHAT {self._id} LEAVE")

    def add(self, *users: Union[User, str]) -> None:
        self._do(f"ALTER CHAT {self._id} ADDMEMBERS {_handles(users)}")

    def kick(self, *users: Union[User, str]) -> None:
        self._do(f"ALTER CHAT {self._id} KICK {_handles(users)}")


class ChatMessage(_Object):
    """A message of a chat: a text, or something that happened there (see type)."""

    _kind = "CHATMESSAGE"

    @property
    def id(self) -> str:
        """The number of the message, in this login."""
        return self._id

    @property
    def body(self) -> str:
        """The text; may have several lines."""
        return self._get("BODY", str)

    @property
    def sender(self) -> User:
        return User(self._skype, self._get("FROM_HANDLE", str))

    @property
    def chat(self) -> Chat:
        return Chat(self._skype, self._get("CHATNAME", str))

    @property
    def time(self) -> Optional[datetime]:
        """When it was sent, in UTC; None if that is not known."""
        return self._get("TIMESTAMP", _text.moment)

    @property
    def type(self) -> MessageType:
        return self._get("TYPE", MessageType)

    @property
    def status(self) -> MessageStatus:
        return self._get("STATUS", MessageStatus)

    def mark_seen(self) -> None:
        self._do(f"SET CHATMESSAGE {self._id} SEEN")

    def edit(self, text: str) -> None:
        """Replaces the text, where the network is able to."""
        self._do(f"SET CHATMESSAGE {self._id} BODY {_text.text(text, 'text')}")

    def wait_sent(self, timeout: Optional[float] = 10.0) -> MessageStatus:
        """Waits until the message is no longer SENDING, and returns what became of it: SENT or FAILED.

        timeout in seconds, None waits for ever. Raises NoReplyError (a TimeoutError) when the time is up.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        # A client of its own: nothing is taken from those who listen.
        with self._skype._client.attach() as client:
            status = self._skype._talk(_text.left_sending(self._id))
            while status is None:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                line = client.poll_skype_notification(left)
                if line is None:
                    raise NoReplyError("the message was not sent in time")
                status = _text.told_status(line, self._id)
        return status


class Call(_Object):
    """A call. Made by Skype.call(), Skype.calls and events."""

    _kind = "CALL"

    @property
    def id(self) -> str:
        return self._id

    @property
    def status(self) -> CallStatus:
        return self._get("STATUS", CallStatus)

    @property
    def partner(self) -> User:
        return User(self._skype, self._get("PARTNER_HANDLE", str))

    def answer(self) -> None:
        self._do(f"ALTER CALL {self._id} ANSWER")

    def hang_up(self) -> None:
        self._do(f"ALTER CALL {self._id} HANGUP")


class Group(_Object):
    """A group of contacts. Made by Skype.create_group() and Skype.groups."""

    _kind = "GROUP"

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._get("DISPLAYNAME", str)

    @name.setter
    def name(self, name: str) -> None:
        self._do(f"SET GROUP {self._id} DISPLAYNAME {_text.text(name, 'name', lines=False)}")

    @property
    def users(self) -> list[User]:
        return self._users(self._get("USERS", _text.listed))

    def add(self, user: Union[User, str]) -> None:
        self._do(f"ALTER GROUP {self._id} ADDUSER {_handles((user,))}")

    def remove(self, user: Union[User, str]) -> None:
        self._do(f"ALTER GROUP {self._id} REMOVEUSER {_handles((user,))}")

    def delete(self) -> None:
        self._do(f"DELETE GROUP {self._id}")


def _handles(users: tuple[Union[User, str], ...]) -> str:
    return _text.handles(users)


Event = Union[
    _text.MessageEvent[ChatMessage],
    _text.StatusEvent[User],
    _text.TypingEvent[User],
    _text.RequestEvent[User],
    _text.CallEvent[Call],
    _text.NotificationEvent,
]


class Skype(_text.Handlers):
    """An account, as objects over the text.

    Skype(username, password, server=...) logs in, with the options of Session. Skype(session) shares the login
    of a session, through a client of its own: the session's lines stay where they are, and events are those
    from then on. Use it as a context, or close() it. timeout: seconds to wait for each reply, None for ever.

    Every value is asked when it is read. What is answered with an error raises SkypeError. Events gather from
    the start until run() or events() takes them; whoever never does must stay below queue_limit lines.
    """

    def __init__(
        self,
        account: Union[Session, str],
        password: Optional[str] = None,
        *,
        timeout: Optional[float] = 10.0,
        **options: Any,
    ) -> None:
        super().__init__()
        self._timeout = timeout
        self._pending: deque[str] = deque()
        self._closed = False
        self._session = account if isinstance(account, Session) else None
        self._owned: Optional[Session] = None
        self._client = _text.login(account, password, options)
        self._makers = _text.Makers(
            lambda handle: User(self, handle),
            lambda id: ChatMessage(self, id),
            lambda id: Call(self, id),
        )
        try:
            self._handle = self._talk(_text.open_client())
        except BaseException:
            self._client.close()
            raise

    def _talk(self, talk: Talk[T]) -> T:
        try:
            command = next(talk)
            while True:
                command = talk.send(self._client.invoke(command, self._timeout))
        except StopIteration as end:
            return cast(T, end.value)

    @property
    def session(self) -> Session:
        """A session of this login, for text in and text out: the one that was given, or one more client."""
        if self._session is None:
            self._session = self._owned = self._client.attach()
        return self._session

    def invoke(self, command: str) -> str:
        """Sends a command and returns its reply. Raises SkypeError where that is an ERROR."""
        return self._talk(_text.say(command))

    @property
    def me(self) -> User:
        return User(self, self._handle)

    @property
    def status(self) -> OnlineStatus:
        """The account's own status."""
        return self._talk(_text.get("USERSTATUS", "", OnlineStatus))

    @status.setter
    def status(self, status: Union[OnlineStatus, str]) -> None:
        self._talk(_text.set_status(status))

    @property
    def mood(self) -> str:
        """The account's own mood text."""
        return self._talk(_text.get("PROFILE", "MOOD_TEXT", str))

    @mood.setter
    def mood(self, text: str) -> None:
        self._talk(_text.done(f"SET PROFILE MOOD_TEXT {_text.text(text, 'text')}"))

    def user(self, handle: str) -> User:
        """The user with a handle; nothing is asked."""
        return User(self, _text.name(handle, "handle"))

    def chat(self, name: str) -> Chat:
        """The chat with a name; nothing is asked."""
        return Chat(self, _text.name(name, "name"))

    @property
    def friends(self) -> list[User]:
        """All contacts."""
        return [User(self, handle) for handle in self._talk(_text.search("FRIENDS"))]

    @property
    def chats(self) -> list[Chat]:
        return [Chat(self, name) for name in self._talk(_text.search("CHATS"))]

    @property
    def groups(self) -> list[Group]:
        return [Group(self, id) for id in self._talk(_text.search("GROUPS"))]

    @property
    def calls(self) -> list[Call]:
        """The calls that go on."""
        return [Call(self, id) for id in self._talk(_text.search("ACTIVECALLS"))]

    def search(self, text: str) -> list[User]:
        """Users of the network whose names have the text."""
        found = self._talk(_text.search(f"USERS {_text.text(text, 'text', lines=False)}"))
        return [User(self, handle) for handle in found]

    def chat_with(self, user: Union[User, str], *users: Union[User, str]) -> Chat:
        """The dialog with a user, or a new chat with several."""
        return Chat(self, self._talk(_text.second(f"CHAT CREATE {_handles((user, *users))}")))

    def create_group(self, name: str) -> Group:
        return Group(self, self._talk(_text.create_group(name)))

    def call(self, user: Union[User, str], *users: Union[User, str]) -> Call:
        """Calls a user, or several."""
        return Call(self, self._talk(_text.second(f"CALL {_handles((user, *users))}")))

    def events(self) -> Iterator[Event]:
        """One event for each line, in order, until closed."""
        while True:
            try:
                line = self._pending.popleft() if self._pending else self._client.poll_skype_notification()
            except ClosedError:
                return
            if line is None:
                continue
            try:
                event = self._talk(_text.event(line, self._handle, self._makers))
            except ClosedError:
                return
            except BaseException:
                # An interrupt, say: the line is for the next one who looks.
                self._pending.appendleft(line)
                raise
            yield event

    def run(self) -> None:
        """Calls the handlers until closed, one after another, in this thread.

        What a handler raises comes out of run(); its event is over, and run() may be called again.
        """
        for event in self.events():
            for handler, arguments in self._calls(event):
                try:
                    handler(*arguments)
                except ClosedError:
                    if not self._closed:
                        raise

    def close(self) -> None:
        """Ends run() and events(), and logs out unless a session was given. From any thread, any number of times."""
        self._closed = True
        self._client.close()
        if self._owned is not None:
            self._owned.close()

    def __enter__(self) -> Skype:
        return self

    def __exit__(
        self,
        _type: Optional[type[BaseException]],
        _value: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.close()
