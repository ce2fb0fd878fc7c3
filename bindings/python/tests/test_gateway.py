"""The gateway in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imo2skype
import pytest

from conftest import body, received


def test_it_serves_where_it_says_until_it_is_stopped() -> None:
    with imo2skype.Gateway() as gateway:
        assert gateway.url.startswith("http://127.0.0.1:")
        with imo2skype.Session("alice", "secret", server=gateway.url) as session:
            assert session.invoke("GET USERSTATUS") == "USERSTATUS ONLINE"
        url = gateway.url
    with pytest.raises(imo2skype.NetworkError):
        imo2skype.Session("alice", "secret", server=url)
    gateway.stop()
    assert gateway.url == url


def test_two_of_them_are_two_networks() -> None:
    with imo2skype.Gateway() as one, imo2skype.Gateway(listen="127.0.0.1:0") as two:
        assert one.url != two.url
        for gateway, password in ((one, "here"), (two, "there")):
            imo2skype.Session("alice", password, server=gateway.url).close()


def test_a_database_keeps_the_accounts(tmp_path: Path) -> None:
    database = str(tmp_path / "gateway.db")
    with imo2skype.Gateway(database) as gateway:
        with imo2skype.Session("alice", "secret", server=gateway.url) as session:
            session.send_skype_command("MESSAGE echo123 hello")
            assert body(session, received(session)) == "hello"
    with imo2skype.Gateway(database=database) as gateway:
        with pytest.raises(imo2skype.LoginRefusedError):
            imo2skype.Session("alice", "another", server=gateway.url)
        imo2skype.Session("alice", "secret", server=gateway.url).close()


def test_a_database_that_cannot_be_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(imo2skype.StoreError, match="no-such-folder") as raised:
        imo2skype.Gateway(str(tmp_path / "no-such-folder" / "gateway.db"))
    assert isinstance(raised.value.__cause__, FileNotFoundError)


def test_wrong_arguments_are_told() -> None:
    gateway: Any = imo2skype.Gateway
    wrong: list[dict[str, Any]] = [{"database": 1}, {"listen": None}, {"port": 1}]
    for options in wrong:
        with pytest.raises(TypeError):
            gateway(**options)
    with pytest.raises(ValueError, match="listen"):
        imo2skype.Gateway(listen="nowhere")
