"""What is given where assets belong, or one kind of thing: named, with what to write, where it is something else."""

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
        assets: as they were given.
        call: what takes them, in words of code.
        anything: what is no asset may be among them; only the list itself is looked at.

    Raises:
        InvalidInputError: it is no list, or names what is no asset in it.
    """
    # An AssetSpec could be gone through as well, and text: field by field, letter by letter.
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
    """Refuse what is not of a kind; ``None`` is left alone, and a resource that is configured at launch is known by its
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
        InvalidInputError: names every one, with what may have been meant.
    """
    taken = [p for function in taken_by for p in inspect.signature(function).parameters.values()]
    names = [p.name for p in taken if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)]
    unknown = [name for name in options if name not in names]
    hints = [dc.did_you_mean(name, names) or f" It takes {', '.join(dict.fromkeys(names))}." for name in unknown]
    if unknown:
        said = " ".join(f"There is no {name!r}.{hint}" for name, hint in zip(unknown, hints, strict=True))
        raise dc.InvalidInputError(f"Some options of {call} cannot be. {said}")


def _is_asset(given: object) -> bool:
    # Besides these, Dagster has kinds that it does not export; what becomes of them is for Dagster to say.
    own = (kind.__module__ for kind in type(given).__mro__ if kind.__module__.startswith("dagster."))
    return isinstance(given, _ASSETS) or any("assets" in module for module in own)


def _shown(given: object) -> str:
    return repr(given)[:80] if isinstance(given, str | int | float) else type(given).__name__
