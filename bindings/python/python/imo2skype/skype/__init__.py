"""Objects over the text of the Skype API: a bot is ten lines.

    from imo2skype.skype import Skype

    skype = Skype("alice", "secret", server="https://...")

    @skype.on_message
    def answer(message):
        message.chat.send("you said " + message.body)

    skype.run()

Optional: Skype.session is there for text in and text out. AsyncSkype is the same for asyncio, where what
asks is awaited. Values are asked each time they are read. What is answered with an error raises SkypeError.
"""

from imo2skype.skype._async import AsyncCall, AsyncChat, AsyncChatMessage, AsyncGroup, AsyncSkype, AsyncUser
from imo2skype.skype._sync import Call, Chat, ChatMessage, Group, Skype, User
from imo2skype.skype._text import (
    BuddyStatus,
    CallEvent,
    CallStatus,
    MessageEvent,
    MessageStatus,
    MessageType,
    NotificationEvent,
    OnlineStatus,
    RequestEvent,
    SkypeError,
    StatusEvent,
    TypingEvent,
)

__all__ = [
    "AsyncCall",
    "AsyncChat",
    "AsyncChatMessage",
    "AsyncGroup",
    "AsyncSkype",
    "AsyncUser",
    "BuddyStatus",
    "Call",
    "CallEvent",
    "CallStatus",
    "Chat",
    "ChatMessage",
    "Group",
    "MessageEvent",
    "MessageStatus",
    "MessageType",
    "NotificationEvent",
    "OnlineStatus",
    "RequestEvent",
    "Skype",
    "SkypeError",
    "StatusEvent",
    "TypingEvent",
    "User",
]
