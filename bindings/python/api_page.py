"""Writes docs/python-api.md from what is installed: python api_page.py > docs/python-api.md"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any, Iterator

import imo2skype


def public(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if getattr(vars(module)[name], "__module__", None) == module.__name__]
    return sorted(name for name in names if not name.startswith("_"))


def modules() -> Iterator[ModuleType]:
    yield imo2skype
    for found in sorted(pkgutil.walk_packages(imo2skype.__path__, "imo2skype."), key=lambda found: found.name):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def signature(item: Any) -> str:
    # A native class tells it in its own way where inspect cannot find it.
    return getattr(item, "__text_signature__", None) or str(inspect.signature(item))


def text(item: Any) -> list[str]:
    return ["```text", *(inspect.getdoc(item) or "").splitlines(), "```", ""]


def hidden(base: type) -> bool:
    """Whether base is one of ours that has no heading of its own, so that what it gives is told where it is given."""
    module = base.__module__
    if module.split(".")[0] != "imo2skype":
        return False
    shown = any(getattr(found, base.__name__, None) is base and base.__name__ in public(found) for found in modules())
    return not shown


def members(owner: type) -> Iterator[str]:
    found = dict(vars(owner))
    for base in owner.__mro__[1:]:
        if hidden(base):
            found = {**vars(base), **found}
    for name, member in sorted(found.items()):
        if name.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if callable(plain):
            declared = str(inspect.signature(plain)).replace("(self, /, ", "(self, ").replace("(self, /)", "(self)")
            kind = "async " if inspect.iscoroutinefunction(plain) else ""
            yield f"#### {kind}`{owner.__name__}.{name}{declared}`"
        elif inspect.isdatadescriptor(member):
            yield f"#### `{owner.__name__}.{name}`"
        elif isinstance(member, (str, int)):
            yield f"- `{name} = {str(member)!r}`" if isinstance(member, str) else f"- `{name} = {member}`"
            yield ""
            continue
        else:
            continue
        yield ""
        yield from text(plain)


def page() -> Iterator[str]:
    yield "# The Python interface"
    yield ""
    yield "Written by `bindings/python/api_page.py` from what `help()` shows; change the docstrings, not this page."
    yield ""
    for module in modules():
        yield f"## `{module.__name__}`"
        yield ""
        yield from text(module)
        for name in public(module):
            item = getattr(module, name)
            if module is not imo2skype and getattr(imo2skype, name, None) is item:
                continue
            if inspect.isclass(item):
                bases = [base.__name__ for base in item.__bases__ if base.__module__ != "typing" and not hidden(base)]
                below = "" if bases == ["object"] or not bases else f", below {' and '.join(bases)}"
                call = "" if issubclass(item, BaseException) or not item.__text_signature__ else item.__text_signature__
                yield f"### `{name}{call}`{below}"
                yield ""
                yield from text(item)
                yield from members(item)
            elif callable(item):
                yield f"### `{name}{inspect.signature(item)}`"
                yield ""
                yield from text(item)
            elif not isinstance(item, ModuleType):
                yield f"### `{name}`"
                yield ""


if __name__ == "__main__":
    print("\n".join(page()).rstrip())
