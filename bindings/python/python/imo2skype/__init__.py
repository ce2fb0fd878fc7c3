"""Speak the Skype API to chat networks that exist.

    import imo2skype

    with imo2skype.Gateway() as gateway:
        with imo2skype.Session("alice", "secret", server=gateway.url) as session:
            session.send_skype_command("MESSAGE echo123 hello")
            for line in session:
                print(line)

Lines are those of the Skype API, as Skype's plugins spoke it. See Session for sending and receiving them
(also with asyncio) and Gateway for a network of one's own.
"""

from imo2skype._imo2skype import (
    ClosedError,
    DetachedError,
    Gateway,
    Imo2SkypeError,
    LoginRefusedError,
    NetworkError,
    NoReplyError,
    QueueFullError,
    Session,
    StoreError,
    __version__,
)

__all__ = [
    "ClosedError",
    "DetachedError",
    "Gateway",
    "Imo2SkypeError",
    "LoginRefusedError",
    "NetworkError",
    "NoReplyError",
    "QueueFullError",
    "Session",
    "StoreError",
    "__version__",
]
