"""Checks of arguments that must be assets, or of one kind: their errors name the argument and say what to write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

import datom_core as dc

_ASSETS = (dg.AssetsDefinition, dg.AssetSpec, dg.SourceAsset)


def listed(assets: Any, call: str, *, anything: bool = False) -> list[Any]:
    """The assets as a list.

    Args:
        assets: as the caller gave them.
        call: the name of the function that takes them, for the error.
        anything: allow things that are not assets; only the list itself is checked.

    Raises:
        InvalidInputError: it is not a list, or it holds things that are not assets, which the error names.
    """
    # An AssetSpec and text are iterable, too: field by field, letter by letter.
    if isinstance(assets, (*_ASSETS, str, Mapping)) or not isinstance(assets, Iterable):
        brackets = " Put a single one into brackets, as in [dm]." if isinstance(assets, _ASSETS) else ""
        raise dc.InvalidInputError(f"{call} takes a list of assets, not {_shown(assets)}.{brackets}")
    found = list(assets)
    odd = [] if anything else [_shown(a) for a in found if not _is_asset(a)]
    if odd:
        raise dc.InvalidInputError(
            f"{call} takes assets, and these are none: {', '.join(odd)}. Give what datom_asset made, each of what "
            "datom_assets made (*tables), or an AssetSpec."
        )
    return found


def check_kind(field: str, given: object, kind: type, example: str) -> None:
    """Refuse a value of another kind; ``None`` passes, and a resource that is configured at launch is judged by its
    class.

    Raises:
        InvalidInputError: with an example.
    """
    if given is not None and not issubclass(getattr(given, "resource_cls", type(given)), kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise dc.InvalidInputError(
            f"{field} must be {article} {kind.__name__}, not {_shown(given)}; write {field}={example}."
        )


def check_options(call: str, options: Iterable[str], *taken_by: Callable[..., Any]) -> None:
    """Refuse options that none of the functions takes.

    Raises:
        InvalidInputError: names every such option, and what may have been meant.
    """
    taken = [p for function in taken_by for p in inspect.signature(function).parameters.values()]
    names = [p.name for p in taken if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)]
    unknown = [name for name in options if name not in names]
    hints = [dc.did_you_mean(name, names) or f" It takes {', '.join(dict.fromkeys(names))}." for name in unknown]
    if unknown:
        said = " ".join(f"There is no {name!r}.{hint}" for name, hint in zip(unknown, hints, strict=True))
        raise dc.InvalidInputError(f"Some options of {call} cannot be. {said}")


def _is_asset(given: object) -> bool:
    # Dagster has more kinds of assets, which it does not export; leave it to Dagster what to do with them.
    own = (kind.__module__ for kind in type(given).__mro__ if kind.__module__.startswith("dagster."))
    return isinstance(given, _ASSETS) or any("assets" in module for module in own)


def _shown(given: object) -> str:
    return repr(given)[:80] if isinstance(given, str | int | float) else type(given).__name__
