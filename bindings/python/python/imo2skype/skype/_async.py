"""The asyncio half: the shape of the sync one, and what asks is awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator
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

    def __init__(self, skype: AsyncSkype, id: str) -> None:
        super().__init__(id)
        self._skype = skype

    async def _get(self, what: str, read: Callable[[str], T]) -> T:
        return await self._skype._talk(_text.get(f"{self._kind} {self._id}", what, read))

    async def _do(self, command: str) -> None:
        await self._skype._talk(_text.done(command))

    def _users(self, handles: list[str]) -> list[AsyncUser]:
        return [AsyncUser(self._skype, handle) for handle in handles]


class AsyncUser(_Object):
    """Somebody on the network: a contact, a stranger or the account itself. Made by AsyncSkype.user()."""

    _kind = "USER"
    _folds = True

    @property
    def handle(self) -> str:
        """The name on the network."""
        return self._id

    async def name(self) -> str:
        """The full name that the user gave; may be empty."""
        return await self._get("FULLNAME", str)

    async def display_name(self) -> str:
        """The name that the account gave to the user, else the full name, else the handle."""
        return await self._skype._talk(_text.display_name(self._id))

    async def set_display_name(self, name: str) -> None:
        await self._do(f"SET USER {self._id} DISPLAYNAME {_text.text(name, 'name', lines=False)}".rstrip())

    async def status(self) -> OnlineStatus:
        """How present the user is; OFFLINE too for who hasn't authorized the account."""
        return await self._get("ONLINESTATUS", OnlineStatus)

    async def mood(self) -> str:
        """The mood text; may be empty and may have several lines."""
        return await self._get("MOOD_TEXT", str)

    async def is_online(self) -> bool:
        return await self.status() in _text.PRESENT

    async def buddy_status(self) -> BuddyStatus:
        return await self._get("BUDDYSTATUS", BuddyStatus)

    async def is_contact(self) -> bool:
        return await self.buddy_status() is BuddyStatus.CONTACT

    async def is_authorized(self) -> bool:
        """Whether the account has authorized the user."""
        return await self._get("ISAUTHORIZED", _text.boolean)

    async def is_blocked(self) -> bool:
        return await self._get("ISBLOCKED", _text.boolean)

    async def request(self) -> str:
        """The text of the user's request to be authorized; empty if there is none."""
        return await self._get("RECEIVEDAUTHREQUEST", str)

    async def authorize(self) -> None:
        """Grants a request, so that the user sees the account's presence."""
        await self._do(f"SET USER {self._id} ISAUTHORIZED TRUE")

    async def deny(self) -> None:
        """Refuses a request, or takes an authorization back."""
        await self._do(f"SET USER {self._id} ISAUTHORIZED FALSE")

    async def add(self, text: str = "") -> None:
        """Asks the user to become a contact, with a text of some lines."""
        await self._skype._talk(_text.add(self._id, text))

    async def remove(self) -> None:
        """Removes the user from the contacts."""
        await self._do(f"SET USER {self._id} BUDDYSTATUS 1")

    async def block(self, blocked: bool = True) -> None:
        """Blocks the user, or with False blocks no more."""
        await self._do(f"SET USER {self._id} ISBLOCKED {'TRUE' if blocked else 'FALSE'}")

    async def send(self, text: str) -> AsyncChatMessage:
        """Sends a text of one or more lines; returns when it is on its way (see AsyncChatMessage.wait_sent)."""
        command = f"MESSAGE {self._id} {_text.text(text, 'text')}"
        return AsyncChatMessage(self._skype, await self._skype._talk(_text.second(command)))

    async def typing(self, typing: bool = True) -> None:
        """Lets the user see that the account types, or with False types no more."""
        await self._skype._talk(_text.typing(self._id, typing))


class AsyncChat(_Object):
    """A dialog or a chat of many. Made by AsyncSkype.chat_with() and AsyncChatMessage.chat."""

    _kind = "CHAT"

    @property
    def name(self) -> str:
        """The id of the chat."""
        return self._id

    async def topic(self) -> str:
        return await self._get("TOPIC", str)

    async def set_topic(self, text: str) -> None:
        await self._do(f"ALTER CHAT {self._id} SETTOPIC {_text.text(text, 'text', lines=False)}")

    async def friendly_name(self) -> str:
        """What a list of chats shows."""
        return await self._get("FRIENDLYNAME", str)

    async def members(self) -> list[AsyncUser]:
        """All members, the account too."""
        return self._users(await self._get("MEMBERS", _text.listed))

    async def messages(self) -> list[AsyncChatMessage]:
        """The messages that are known, the newest first."""
        return [AsyncChatMessage(self._skype, id) for id in await self._get("CHATMESSAGES", _text.listed)]

    async def send(self, text: str) -> AsyncChatMessage:
        """Sends a text of one or more lines; returns when it is on its way (see AsyncChatMessage.wait_sent)."""
        command = f"CHATMESSAGE {self._id} {_text.text(text, 'text')}"
        return AsyncChatMessage(self._skype, await self._skype._talk(_text.second(command)))

    async def leave(self) -> None:
        await self._do(f"ALTER CHAT {self._id} LEAVE")

    async def add(self, *users: Union[AsyncUser, str]) -> None:
        await self._do(f"ALTER CHAT {self._id} ADDMEMBERS {_handles(users)}")

    async def kick(self, *users: Union[AsyncUser, str]) -> None:
        await self._do(f"ALTER CHAT {self._id} KICK {_handles(users)}")


class AsyncChatMessage(_Object):
    """A message of a chat: a text, or something that happened there (see type)."""

    _kind = "CHATMESSAGE"

    @property
    def id(self) -> str:
        """The number of the message, in this login."""
        return self._id

    async def body(self) -> str:
        """The text; may have several lines."""
        return await self._get("BODY", str)

    async def sender(self) -> AsyncUser:
        return AsyncUser(self._skype, await self._get("FROM_HANDLE", str))

    async def chat(self) -> AsyncChat:
        return AsyncChat(self._skype, await self._get("CHATNAME", str))

    async def time(self) -> Optional[datetime]:
        """When it was sent, in UTC; None if that is not known."""
        return await self._get("TIMESTAMP", _text.moment)

    async def type(self) -> MessageType:
        return await self._get("TYPE", MessageType)

    async def status(self) -> MessageStatus:
        return await self._get("STATUS", MessageStatus)

    async def mark_seen(self) -> None:
        await self._do(f"SET CHATMESSAGE {self._id} SEEN")

    async def edit(self, text: str) -> None:
        """Replaces the text, where the network is able to."""
        await self._do(f"SET CHATMESSAGE {self._id} BODY {_text.text(text, 'text')}")

    async def wait_sent(self, timeout: Optional[float] = 10.0) -> MessageStatus:
        """Waits until the message is no longer SENDING, and returns what became of it: SENT or FAILED.

        timeout in seconds, None waits for ever. Raises NoReplyError (a TimeoutError) when the time is up.
        """
        try:
            return await asyncio.wait_for(self._wait_sent(), timeout)
        except asyncio.TimeoutError:
            raise NoReplyError("the message was not sent in time") from None

    async def _wait_sent(self) -> MessageStatus:
        # A client of its own: nothing is taken from those who listen.
        with self._skype._opened().attach() as client:
            status = await self._skype._talk(_text.left_sending(self._id))
            if status is not None:
                return status
            async for line in client.notifications():
                status = _text.told_status(line, self._id)
                if status is not None:
                    return status
        raise ClosedError("the session is closed")


class AsyncCall(_Object):
    """A call. Made by AsyncSkype.call(), AsyncSkype.calls and events."""

    _kind = "CALL"

    @property
    def id(self) -> str:
        return self._id

    async def status(self) -> CallStatus:
        return await self._get("STATUS", CallStatus)

    async def partner(self) -> AsyncUser:
        return AsyncUser(self._skype, await self._get("PARTNER_HANDLE", str))

    async def answer(self) -> None:
        await self._do(f"ALTER CALL {self._id} ANSWER")

    async def hang_up(self) -> None:
        await self._do(f"ALTER CALL {self._id} HANGUP")


class AsyncGroup(_Object):
    """A group of contacts. Made by AsyncSkype.create_group() and AsyncSkype.groups."""

    _kind = "GROUP"

    @property
    def id(self) -> str:
        return self._id

    async def name(self) -> str:
        return await self._get("DISPLAYNAME", str)

    async def set_name(self, name: str) -> None:
        await self._do(f"SET GROUP {self._id} DISPLAYNAME {_text.text(name, 'name', lines=False)}")

    async def users(self) -> list[AsyncUser]:
        return self._users(await self._get("USERS", _text.listed))

    async def add(self, user: Union[AsyncUser, str]) -> None:
        await self._do(f"ALTER GROUP {self._id} ADDUSER {_handles((user,))}")

    async def remove(self, user: Union[AsyncUser, str]) -> None:
        await self._do(f"ALTER GROUP {self._id} REMOVEUSER {_handles((user,))}")

    async def delete(self) -> None:
        await self._do(f"DELETE GROUP {self._id}")


def _handles(users: tuple[Union[AsyncUser, str], ...]) -> str:
    return _text.handles(users)


Event = Union[
    _text.MessageEvent[AsyncChatMessage],
    _text.StatusEvent[AsyncUser],
    _text.TypingEvent[AsyncUser],
    _text.RequestEvent[AsyncUser],
    _text.CallEvent[AsyncCall],
    _text.NotificationEvent,
]


class AsyncSkype(_text.Handlers):
    """An account, as objects over the text, for asyncio.

    AsyncSkype(username, password, server=...) logs in when it is opened, with the options of Session;
    AsyncSkype(session) shares the login of a session, through a client of its own. `async with` opens and
    closes it; so does run(). timeout: seconds to wait for each reply, None for ever.

    As Skype, but what asks is a coroutine: `await user.mood()`, `await user.set_display_name(...)`. Handlers
    may be `async def`. No thread is started; only the login and the logout borrow one of the event loop's.
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
        self._login = (account, password, options)
        self._session = account if isinstance(account, Session) else None
        self._owned: Optional[Session] = None
        self._client: Optional[Session] = None
        self._makers = _text.Makers(
            lambda handle: AsyncUser(self, handle),
            lambda id: AsyncChatMessage(self, id),
            lambda id: AsyncCall(self, id),
        )
        self._handle = ""

    def _opened(self) -> Session:
        if self._client is None:
            raise ClosedError("not open yet: use it in `async with`, or run() it")
        return self._client

    async def _open(self) -> None:
        if self._client is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._client = await loop.run_in_executor(None, _text.login, *self._login)
            try:
                self._handle = await self._talk(_text.open_client())
            except BaseException:
                await self.close()
                raise

    async def _talk(self, talk: Talk[T]) -> T:
        try:
            command = next(talk)
            while True:
                command = talk.send(await self._opened().ainvoke(command, self._timeout))
        except StopIteration as end:
            return cast(T, end.value)

    @property
    def session(self) -> Session:
        """A session of this login, for text in and text out: the one that was given, or one more client."""
        if self._session is None:
            self._session = self._owned = self._opened().attach()
        return self._session

    async def invoke(self, command: str) -> str:
        """Sends a command and returns its reply. Raises SkypeError where that is an ERROR."""
        return await self._talk(_text.say(command))

    @property
    def me(self) -> AsyncUser:
        return AsyncUser(self, self._handle)

    async def status(self) -> OnlineStatus:
        """The account's own status."""
        return await self._talk(_text.get("USERSTATUS", "", OnlineStatus))

    async def set_status(self, status: Union[OnlineStatus, str]) -> None:
        await self._talk(_text.set_status(status))

    async def mood(self) -> str:
        """The account's own mood text."""
        return await self._talk(_text.get("PROFILE", "MOOD_TEXT", str))

    async def set_mood(self, text: str) -> None:
        await self._talk(_text.done(f"SET PROFILE MOOD_TEXT {_text.text(text, 'text')}"))

    def user(self, handle: str) -> AsyncUser:
        """The user with a handle; nothing is asked."""
        return AsyncUser(self, _text.name(handle, "handle"))

    def chat(self, name: str) -> AsyncChat:
        """The chat with a name; nothing is asked."""
        return AsyncChat(self, _text.name(name, "name"))

    async def friends(self) -> list[AsyncUser]:
        """All contacts."""
        return [AsyncUser(self, handle) for handle in await self._talk(_text.search("FRIENDS"))]

    async def chats(self) -> list[AsyncChat]:
        return [AsyncChat(self, name) for name in await self._talk(_text.search("CHATS"))]

    async def groups(self) -> list[AsyncGroup]:
        return [AsyncGroup(self, id) for id in await self._talk(_text.search("GROUPS"))]

    async def calls(self) -> list[AsyncCall]:
        """The calls that go on."""
        return [AsyncCall(self, id) for id in await self._talk(_text.search("ACTIVECALLS"))]

    async def search(self, text: str) -> list[AsyncUser]:
        """Users of the network whose names have the text."""
        found = await self._talk(_text.search(f"USERS {_text.text(text, 'text', lines=False)}"))
        return [AsyncUser(self, handle) for handle in found]

    async def chat_with(self, user: Union[AsyncUser, str], *users: Union[AsyncUser, str]) -> AsyncChat:
        """The dialog with a user, or a new chat with several."""
        return AsyncChat(self, await self._talk(_text.second(f"CHAT CREATE {_handles((user, *users))}")))

    async def create_group(self, name: str) -> AsyncGroup:
        return AsyncGroup(self, await self._talk(_text.create_group(name)))

    async def call(self, user: Union[AsyncUser, str], *users: Union[AsyncUser, str]) -> AsyncCall:
        """Calls a user, or several."""
        return AsyncCall(self, await self._talk(_text.second(f"CALL {_handles((user, *users))}")))

    def events(self) -> AsyncIterator[Event]:
        """One event for each line, in order, until closed. A cancelled wait loses none."""
        return _Events(self)

    async def run(self) -> None:
        """Calls and awaits the handlers until closed or cancelled, one after another; opens and closes if need be.

        What a handler raises comes out of run(); its event is over. In `async with`, run() may be called again.
        """
        opens = self._client is None
        try:
            await self._open()
            async for event in self.events():
                for handler, arguments in self._calls(event):
                    try:
                        result = handler(*arguments)
                        if inspect.isawaitable(result):
                            await result
                    except ClosedError:
                        if not self._closed:
                            raise
        finally:
            if opens:
                await self.close()

    async def close(self) -> None:
        """Ends run() and events(), and logs out unless a session was given. Any number of times."""
        self._closed = True
        for client in (self._client, self._owned):
            if client is not None:
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, client.close))

    async def __aenter__(self) -> AsyncSkype:
        await self._open()
        return self

    async def __aexit__(
        self,
        _type: Optional[type[BaseException]],
        _value: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        await self.close()


class _Events:
    """What AsyncSkype.events() returns. (A generator would be over after the first cancelled wait.)"""

    def __init__(self, skype: AsyncSkype) -> None:
        self._skype = skype
        self._lines = skype._opened().notifications()

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Event:
        skype = self._skype
        line = skype._pending.popleft() if skype._pending else await self._lines.__anext__()
        try:
            return await skype._talk(_text.event(line, skype._handle, skype._makers))
        except ClosedError:
            raise StopAsyncIteration from None
        except BaseException:
            # A cancellation, say: the line is for the next one who looks.
            skype._pending.appendleft(line)
            raise
