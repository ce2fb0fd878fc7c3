"""What outlives a session, in a file."""

from __future__ import annotations

from pathlib import Path

import imo2skype
import pytest

from conftest import Open, body, received


def test_messages_and_their_numbers_outlive_the_session(open_session: Open, tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    with open_session(history=file, history_days=30, history_messages=1000, send_limit=60) as session:
        session.send_skype_command("MESSAGE echo123 hello")
        number = received(session)
        said = session.invoke("SEARCH CHATMESSAGES")
    with open_session(history=file) as session:
        assert session.invoke("SEARCH CHATMESSAGES") == said
        assert body(session, number) == "hello"
    with open_session() as session:
        assert session.invoke("SEARCH CHATMESSAGES") != said


def test_a_file_that_cannot_be_used_is_a_store_error(open_session: Open, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("no database, but long enough to be looked at" * 40)
    with pytest.raises(imo2skype.StoreError, match="notes.*not a database"):
        open_session(history=str(notes))
    with pytest.raises(imo2skype.StoreError, match="no-such-folder"):
        open_session(history=str(tmp_path / "no-such-folder" / "file"))
    file = str(tmp_path / "history.db")
    with open_session(history=file):
        with pytest.raises(imo2skype.StoreError, match="in use"):
            open_session(history=file)
