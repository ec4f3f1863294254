"""Answer a call whose arguments do not fit with what to write instead; Python's own message does not say that."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, TypeVar, cast

from datom_core.common.secret import HiddenFunction
from datom_core.common.suggestions import did_you_mean
from datom_core.errors import InvalidInputError

F = TypeVar("F", bound=Callable[..., Any])

_SHOWN = 3  # arguments in an example that may be left out
_PACKAGE = __name__.partition(".")[0] + "."


def fitting(target: F) -> F:
    """Have calls whose arguments do not fit refused with what to write: of a function, or of a class.

    Of a class its constructor and its public methods are meant. Such a call raises `InvalidInputError`, which names all
    arguments that are missing, unknown or too many; the function has not begun then. What fits costs a frame.
    """
    if not isinstance(target, type):
        return cast(F, _fitted(target, target))
    ours = [b for b in reversed(target.__mro__) if b is target or f"{b.__module__}.".startswith(_PACKAGE)]
    members = {name: member for base in ours for name, member in vars(base).items()}
    opener = members.get("open")
    for name, member in members.items():
        if name != "__init__" and name.startswith("_"):
            continue
        if isinstance(member, classmethod):
            setattr(target, name, classmethod(_fitted(member.__func__, member.__func__)))
        elif inspect.isfunction(member):
            # What is opened is not made by its constructor.
            opened = isinstance(opener, classmethod) and name == "__init__"
            member = _named_after(target, member)
            setattr(target, name, _fitted(member, getattr(opener, "__func__", member) if opened else member))
    return target


def _named_after(target: type, method: FunctionType) -> FunctionType:
    """The method as one of ``target``, whatever class it is inherited from: callers know the class that is public."""
    if method.__qualname__.startswith(f"{target.__qualname__}."):
        return method
    own = FunctionType(method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__)
    functools.update_wrapper(own, method)
    own.__kwdefaults__ = method.__kwdefaults__
    own.__qualname__ = f"{target.__qualname__}.{method.__name__}"
    return own


def level_outside() -> int:
    """The ``stacklevel`` with which whoever calls this warns at the line outside of this package that led here."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and f"{frame.f_globals.get('__name__')}.".startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level


def _fitted(function: Callable[..., Any], meant: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        # There may be a secret among the arguments, and this frame is in the traceback of whatever is raised.
        given = HiddenFunction(functools.partial(function, *args, **kwargs))
        del args, kwargs
        refused = None
        try:
            return given.function()
        except TypeError:
            refused = _refusal(function, meant, given)
            if refused is None:
                raise  # of something else, further down
        raise refused

    return call


def _refusal(
    function: Callable[..., Any], meant: Callable[..., Any], given: HiddenFunction
) -> InvalidInputError | None:
    """What is wrong with a call, and how the one that was meant is written; ``None`` where the arguments fit."""
    method, parameters = _is_method(function), _parameters(function)
    call: functools.partial[Any] = cast(Any, given.function)
    problems = _misfits(parameters, max(len(call.args) - method, 0), call.keywords)
    if not problems:
        return None
    text = "; ".join(problems)
    stop = "" if text.endswith("?") else "."
    return InvalidInputError(
        f"{_called(function)}: {text}{stop} Write {_called(meant)}({_example(_parameters(meant))})."
    )


def _is_method(function: Callable[..., Any]) -> bool:
    owner = function.__qualname__.rpartition(".")[0]
    return owner != "" and not owner.endswith("<locals>")


def _called(function: Callable[..., Any]) -> str:
    """How a caller writes its name."""
    if not _is_method(function):
        return function.__name__
    return ".".join(function.__qualname__.split(".")[-2:]).removesuffix(".__init__")


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Its parameters without the object that a method is of."""
    return dict(list(inspect.signature(function).parameters.items())[_is_method(function) :])


def _misfits(parameters: Mapping[str, inspect.Parameter], unnamed: int, named: Mapping[str, object]) -> list[str]:
    """What is wrong with a call that gives so many arguments without a name, and these by name."""
    kinds = [p.kind for p in parameters.values()]
    places = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    by_name = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    filled, problems = places[:unnamed], []
    missing = [
        n for n, p in parameters.items() if p.default is p.empty and n in {*places, *by_name} - {*filled, *named}
    ]
    if missing:
        problems.append(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    problems += [f"{n} is given twice" for n in named if n in filled]
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        unknown = [n for n in named if n not in by_name]
        takes = f", it takes {', '.join(by_name)}" if by_name else ""
        problems += [f"there is no {n!r}{takes}.{did_you_mean(n, by_name)}".rstrip(".") for n in unknown]
    if unnamed > len(places) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        most = f"{len(places) or 'no'} argument{'' if len(places) == 1 else 's'}"
        problems.append(
            f"it takes {most} without a name, and {unnamed} {'is' if unnamed == 1 else 'are'} given. Are some swapped, "
            "or without their name?"
        )
    return problems


def _example(parameters: Mapping[str, inspect.Parameter]) -> str:
    """The arguments of a right call: all that are needed, and some that may be left out."""
    needed: list[str] = []
    others: list[str] = []
    for name, parameter in parameters.items():
        optional = parameter.default is not parameter.empty
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY or (optional and parameter.kind is not parameter.POSITIONAL_ONLY):
            name += "=..."
        (others if optional else needed).append(name)
    more = ["..."] if len(others) > _SHOWN else []
    return ", ".join([*needed, *others[:_SHOWN], *more])
