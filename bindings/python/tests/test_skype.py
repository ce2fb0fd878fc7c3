"""The objects over the text: the sync half."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timezone
from typing import Callable

import imo2skype
import pytest
from imo2skype.skype import (
    BuddyStatus,
    Call,
    CallStatus,
    Chat,
    ChatMessage,
    MessageEvent,
    MessageStatus,
    MessageType,
    OnlineStatus,
    RequestEvent,
    Skype,
    SkypeError,
    StatusEvent,
    TypingEvent,
    User,
)

from conftest import GUARD, account

Login = Callable[[str], Skype]


@pytest.fixture
def login(gateway: imo2skype.Gateway, request: pytest.FixtureRequest) -> Iterator[Login]:
    opened: list[Skype] = []

    def login(name: str) -> Skype:
        opened.append(Skype(account(request, name), "secret", server=gateway.url))
        return opened[-1]

    yield login
    for skype in opened:
        skype.close()


def befriend(alice: Skype, bob: Skype) -> None:
    alice.user(bob.me.handle).add()
    next(event for event in bob.events() if isinstance(event, RequestEvent)).user.authorize()
    bob.user(alice.me.handle).add()
    next(e for e in alice.events() if isinstance(e, StatusEvent) and e.user == bob.me and e.status == "ONLINE")


def test_two_users_chat(login: Login) -> None:
    alice, bob = login("alice"), login("bob")

    @bob.on_message
    def answer(message: ChatMessage) -> None:
        assert message.sender == alice.me
        message.chat.send("you said " + message.body)

    got: list[ChatMessage] = []

    @alice.on_message
    def listen(message: ChatMessage) -> None:
        got.append(message)
        if len(got) == 20:
            alice.close()

    thread = threading.Thread(target=bob.run)
    thread.start()
    texts = [f"one\nMESSAGE echo123 {number}" for number in range(20)]
    chat = alice.chat_with(bob.me)
    for text in texts:
        chat.send(text)
    # The account stays logged in through the session, so that values can be asked after close().
    with Skype(alice.session.attach()) as other:
        alice.run()
        assert [other_message(other, message).body for message in got] == ["you said " + text for text in texts]
    bob.close()
    thread.join(GUARD)
    assert not thread.is_alive()


def other_message(skype: Skype, message: ChatMessage) -> ChatMessage:
    return ChatMessage(skype, message.id)


def test_what_a_message_tells(login: Login) -> None:
    alice, bob = login("alice"), login("bob")
    sent = alice.user(bob.me.handle.upper()).send("hello")
    assert sent.wait_sent(GUARD) is MessageStatus.SENT
    assert (sent.sender, sent.type, sent.body) == (alice.me, MessageType.SAID, "hello")
    event = next(event for event in bob.events() if isinstance(event, MessageEvent))
    message = event.message
    before = message.status
    message.mark_seen()
    assert [before, message.status] == [MessageStatus.RECEIVED, MessageStatus.READ]
    assert message.time is not None and message.time.tzinfo is timezone.utc
    assert message in message.chat.messages and message.chat in bob.chats
    assert set(message.chat.members) == {alice.me, bob.me}
    assert message.chat == bob.chat_with(alice.me) == bob.chat(message.chat.name)
    assert message.chat.topic == "" and "hello" in message.chat.friendly_name
    with pytest.raises(SkypeError, match="ERROR 32"):
        message.edit("other")


def test_a_failed_message_is_told_and_is_no_message_of_somebody(login: Login) -> None:
    alice = login("alice")
    heard: list[str] = []
    assert alice.user("nobodyxx").send("hello").wait_sent(GUARD) is MessageStatus.FAILED
    alice.user("echo123").send("last")

    @alice.on_message
    def listen(message: ChatMessage) -> None:
        heard.append(message.body)
        alice.close()

    alice.run()
    assert heard == ["last"]


def test_a_request_is_authorized_and_presence_seen(login: Login) -> None:
    alice, bob = login("alice"), login("bob")
    friend = alice.user(bob.me.handle)
    assert not friend.is_contact and not friend.is_online
    friend.add("please\nadd me")
    request = next(event for event in bob.events() if isinstance(event, RequestEvent))
    assert (request.user, request.text, request.user.request) == (alice.me, "please\nadd me", "please\nadd me")
    request.user.authorize()
    assert request.user.is_authorized and request.user.request == ""
    seen: list[tuple[User, OnlineStatus]] = []

    @alice.on_status
    def status(user: User, status: OnlineStatus) -> None:
        if user == friend:
            seen.append((user, status))
            if status is OnlineStatus.ONLINE:
                bob.status = OnlineStatus.DND
            elif status is OnlineStatus.DND:
                alice.close()

    with Skype(alice.session.attach()) as other:
        alice.run()
        assert [status for _, status in seen][-2:] == [OnlineStatus.ONLINE, OnlineStatus.DND]
        friend = other.user(bob.me.handle)
        assert friend in other.friends and friend.is_contact and friend.is_online
        assert friend.buddy_status is BuddyStatus.CONTACT and friend.status is OnlineStatus.DND
        assert bob.status is OnlineStatus.DND
        friend.display_name = "Bobby"
        assert friend.display_name == "Bobby"
        friend.block()
        assert friend.is_blocked
        friend.block(False)
        assert not friend.is_blocked
        friend.remove()
        assert friend.buddy_status is BuddyStatus.REMOVED


def test_a_request_can_be_denied(login: Login) -> None:
    alice, bob = login("alice"), login("bob")
    alice.user(bob.me.handle).add("please")
    next(event for event in bob.events() if isinstance(event, RequestEvent)).user.deny()
    assert bob.user(alice.me.handle).request == ""
    assert not bob.user(alice.me.handle).is_authorized


def test_typing_is_heard_both_ways(login: Login) -> None:
    alice, bob = login("alice"), login("bob")
    befriend(alice, bob)
    for one, two in ((alice, bob), (bob, alice)):
        for types in (True, False):
            one.user(two.me.handle).typing(types)
            event = next(event for event in two.events() if isinstance(event, TypingEvent))
            assert (event.user, event.typing) == (one.me, types)


def heard(skype: Skype, wanted: Callable[[ChatMessage], bool]) -> ChatMessage:
    """The next message that is wanted, also one that tells what happened in a chat."""
    for event in skype.events():
        words = event.line.split(" ")
        if words[0] == "CHATMESSAGE" and words[2:] == ["STATUS", "RECEIVED"]:
            message = ChatMessage(skype, words[1])
            if wanted(message):
                return message
    raise AssertionError("closed")


def test_three_users_chat_and_one_leaves(login: Login) -> None:
    alice, bob, carol = login("alice"), login("bob"), login("carol")
    chat = alice.chat_with(bob.me.handle, carol.me.handle)
    assert chat.send("hello all").wait_sent(GUARD) is MessageStatus.SENT
    theirs = [heard(skype, lambda message: message.body == "hello all").chat for skype in (bob, carol)]
    for skype, there in zip((bob, carol), theirs):
        assert {user.handle for user in there.members} == {who.me.handle for who in (alice, bob, carol)}
        there.send(f"{skype.me} is here")
        assert heard(alice, lambda message: message.type is MessageType.SAID).body == f"{skype.me} is here"
    theirs[0].topic = "Plans"
    assert heard(carol, lambda message: message.type is MessageType.SETTOPIC).sender.handle == bob.me.handle
    assert theirs[1].topic == "Plans"
    theirs[1].leave()
    heard(bob, lambda message: message.type is MessageType.LEFT)
    assert {user.handle for user in theirs[0].members} == {alice.me.handle, bob.me.handle}
    with pytest.raises(SkypeError):
        theirs[1].send("from outside")


def test_a_call_is_answered_and_hung_up(login: Login) -> None:
    alice, bob = login("alice"), login("bob")

    @bob.on_call
    def answer(call: Call, status: CallStatus) -> None:
        if status is CallStatus.RINGING:
            assert call.partner == alice.me and bob.calls == [call]
            call.answer()
        elif status is CallStatus.FINISHED:
            bob.close()

    @alice.on_call
    def hang_up(call: Call, status: CallStatus) -> None:
        if status is CallStatus.INPROGRESS:
            call.hang_up()
        elif status is CallStatus.FINISHED:
            assert (call, call.status, alice.calls) == (made, CallStatus.FINISHED, [])
            alice.close()

    made = alice.call(bob.me.handle)
    both = [threading.Thread(target=skype.run) for skype in (alice, bob)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(GUARD)
        assert not thread.is_alive()


def test_mood_and_groups(login: Login) -> None:
    alice = login("alice")
    alice.mood = "happy\nday"
    assert alice.mood == "happy\nday" == alice.me.mood
    alice.mood = ""
    assert alice.mood == ""
    group = alice.create_group("mates")
    assert group in alice.groups and group.name == "mates"
    group.add("echo123")
    assert group.users == [alice.user("echo123")]
    group.remove(alice.user("echo123"))
    group.name = "others"
    assert group.users == [] and group.name == "others"
    group.delete()
    assert group not in alice.groups
    assert alice.user("echo123") in alice.search("echo123")
    assert alice.calls == []


def test_refusals_are_errors_with_numbers(login: Login) -> None:
    alice = login("alice")
    chat = alice.chat_with("echo123")
    with pytest.raises(SkypeError) as refused:
        alice.invoke("DANCE")
    assert (refused.value.number, refused.value.text, str(refused.value)) == (2, "Unknown command", "ERROR 2 Unknown command")
    assert isinstance(refused.value, imo2skype.Imo2SkypeError)
    assert alice.invoke("PING") == "PONG"
    for number, refuse in (
        (504, chat.leave),
        (501, alice.chat("#nobody/$nowhere").leave),
        (72, lambda: alice.call("echo123", "bob")),
        (32, lambda: chat.send("hello").edit("bye")),
        (43, lambda: chat.send("")),
    ):
        with pytest.raises(SkypeError) as refused:
            refuse()
        assert refused.value.number == number


@pytest.mark.parametrize("handle", ["", "a b", "a\nb", "a\tb", "a,b", "a\u2028b", "a\0", "a\u00a0b"])
def test_a_handle_is_one_word(login: Login, handle: str) -> None:
    alice = login("alice")
    with pytest.raises(ValueError, match="handle"):
        alice.user(handle)
    for ask in (alice.chat_with, alice.call, lambda user: alice.chat_with("echo123", user)):
        with pytest.raises(ValueError, match="user"):
            ask(handle)
    with pytest.raises(ValueError, match="name"):
        alice.chat(handle)


def test_wrong_arguments(login: Login) -> None:
    alice = login("alice")
    with pytest.raises(TypeError, match="handle"):
        alice.user(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text"):
        alice.user("bob").send(b"hello")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="status"):
        alice.status = "DANCING"
    with pytest.raises(ValueError, match="name"):
        alice.create_group("two\nlines")
    with pytest.raises(TypeError, match="password"):
        Skype("alice")
    with pytest.raises(TypeError, match="already"):
        Skype(alice.session, "secret")


def test_objects_are_equal_by_kind_and_id(login: Login) -> None:
    alice, bob = login("alice"), login("bob")
    assert alice.user("Echo123") == bob.user("echo123")
    assert len({alice.user("Echo123"), bob.user("echo123"), alice.user("bob")}) == 2
    assert alice.user("x") != alice.chat("x")
    assert Chat(alice, "#A/$b;1") != Chat(alice, "#a/$b;1")
    assert repr(alice.user("echo123")) == "<User echo123>" and str(alice.user("echo123")) == "echo123"


def test_unknown_words_are_unknown() -> None:
    assert OnlineStatus("DANCING") is OnlineStatus.UNKNOWN
    assert OnlineStatus("away") is OnlineStatus.AWAY
    assert MessageType("") is MessageType.UNKNOWN
    assert f"{OnlineStatus.AWAY}" == str(OnlineStatus.AWAY) == "AWAY" == OnlineStatus.AWAY


def test_what_a_handler_raises_comes_out_and_nothing_else_is_lost(login: Login) -> None:
    alice = login("alice")
    heard: list[str] = []

    @alice.on_message
    def listen(message: ChatMessage) -> None:
        heard.append(message.body)
        if len(heard) == 6:
            alice.close()
        raise KeyError(heard[-1])

    for number in range(6):
        alice.user("echo123").send(str(number)).wait_sent(GUARD)
    for number in range(6):
        with pytest.raises(KeyError) as raised:
            alice.run()
        assert raised.value.args == (heard[-1],) and len(heard) == number + 1
    alice.run()
    assert heard == [str(number) for number in range(6)]


def test_another_thread_may_close(login: Login) -> None:
    alice = login("alice")
    runs = threading.Event()
    alice.on_notification(lambda line: runs.set())
    thread = threading.Thread(target=alice.run)
    thread.start()
    assert runs.wait(GUARD)
    alice.close()
    thread.join(GUARD)
    assert not thread.is_alive()
    with pytest.raises(imo2skype.ClosedError):
        alice.invoke("PING")


def test_a_given_session_keeps_its_lines_and_stays_open(session: imo2skype.Session) -> None:
    with Skype(session) as skype:
        assert skype.session is session
        session.send_skype_command("#1 PING")
        skype.user("echo123").send("hello")
        assert next(e for e in skype.events() if isinstance(e, MessageEvent)).message.body == "hello"
    lines = []
    while (line := session.poll_skype_notification(0)) is not None:
        lines.append(line)
    assert "#1 PONG" in lines and any(line.endswith(" STATUS RECEIVED") for line in lines)
    assert session.invoke("PING") == "PONG"


def test_every_line_is_notified_before_what_it_means(login: Login) -> None:
    alice = login("alice")
    told: list[str] = []
    alice.on_notification(told.append)

    @alice.on_message
    def listen(message: ChatMessage) -> None:
        assert told[-1] == f"CHATMESSAGE {message.id} STATUS RECEIVED"
        alice.close()

    alice.session.send_skype_command("MESSAGE echo123 hello")
    alice.run()
    assert told[-1].endswith(" STATUS RECEIVED")
