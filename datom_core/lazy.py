"""Doors that import a module when something is taken through them, not before (PEP 562).

A door says in ``if TYPE_CHECKING`` what type checkers, editors and import-linter see, and in ``else`` where each name
is at home; `tests/unit/test_lazy.py` compares the two.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package whose names are imported at their first use.

    Args:
        package: its name, ``__name__``.
        homes: module below it -> the names that come from there, with a space between two. A name that is the module's
            own stands for the module.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def __getattr__(name: str) -> Any:  # noqa: N807 - as the package has it
        module = home_of.get(name)
        if module is None:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules.get(package)
            )
        home = importlib.import_module(f"{package}.{module}")
        found = home if name == module else getattr(home, name)
        # Found without this function from now on. Threads that come at once set the same object: imports have locks of
        # their own, and one more here could be taken in another order than those.
        setattr(sys.modules[package], name, found)
        return found

    def __dir__() -> list[str]:  # noqa: N807 - as the package has it
        return sorted({*vars(sys.modules[package]), *home_of})

    return __getattr__, __dir__
