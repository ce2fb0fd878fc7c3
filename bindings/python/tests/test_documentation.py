"""help() tells everything: what goes in, in which unit, what comes out, what can go wrong."""

from __future__ import annotations

import inspect
import sys
from importlib import metadata
from typing import Any

import imo2skype
import pytest

CLASSES = [imo2skype.Session, imo2skype.Gateway]
METHODS = [
    pytest.param(member, id=f"{owner.__name__}.{name}")
    for owner in CLASSES
    for name, member in sorted(vars(owner).items())
    if not name.startswith("_")
]


@pytest.mark.parametrize("name", [name for name in imo2skype.__all__ if name != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    assert len(inspect.getdoc(getattr(imo2skype, name)) or "") > 40


@pytest.mark.parametrize("method", METHODS)
def test_every_method_names_its_parameters_units_and_errors(method: Any) -> None:
    text = inspect.getdoc(method) or ""
    assert "aises " in text
    if callable(method):
        parameters = list(inspect.signature(method).parameters)
        assert all(parameter in text for parameter in parameters if parameter != "self")
        assert "timeout" not in parameters or "seconds" in text or "As invoke()" in text


@pytest.mark.skipif(sys.version_info < (3, 10), reason="those before do not keep the signature of a native class")
@pytest.mark.parametrize("owner", CLASSES, ids=lambda owner: owner.__name__)
def test_every_constructor_names_its_parameters_and_errors(owner: type) -> None:
    text = inspect.getdoc(owner) or ""
    signature = owner.__text_signature__ or ""
    names = [part.split("=")[0].strip("( )$") for part in signature.split(",")]
    assert len(names) > 1
    assert [name for name in names if name != "*" and name not in text] == []
    assert "Raises " in text
    assert "ValueError" in text


def test_the_package_says_that_it_is_typed() -> None:
    files = {str(file).replace("\\", "/") for file in metadata.files("imo2skype") or []}
    assert {"imo2skype/py.typed", "imo2skype/_imo2skype.pyi"} <= files
