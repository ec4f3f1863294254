"""The options of `dagster.asset` that a list of tables shares, and where each one belongs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import dagster as dg

import datom_core as dc

_TAKEN = inspect.signature(dg.asset).parameters
_OF_STEP = inspect.signature(dg.multi_asset).parameters
_OF_OUTPUT = inspect.signature(dg.AssetOut).parameters

#: Options that apply to each asset, although a step that makes several takes them, too.
_OF_EACH = frozenset({"code_version", "description", "group_name"})

# The code that uses these decides what to do with them.
_HANDLED = frozenset({"io_manager_def", "partitions_def"})
_SEVERAL = _OF_STEP.keys() | _OF_OUTPUT.keys() | _HANDLED

# Options that no table of a list can have, and what to do instead.
_REFUSED: Mapping[str, str] = {
    "compute_fn": "extract is the function",
    "key": "the assets are called as their tables; use key_prefix",
    "ins": "extract takes no inputs; say deps=[...] for what comes before, or write the asset with datom_asset",
    "is_virtual": "a virtual asset is never made, and has no versions",
}
_REFUSED_TOGETHER: Mapping[str, str] = {
    "check_specs": "an atomic step yields no results of checks; use datom_checks or dagster.asset_check",
    "dagster_type": "an atomic step writes its frames itself, and Dagster never sees them; use rules, or datom_checks",
    "output_required": "a cut has all tables, or there is none; on_empty='keep' lets the version before stand",
    "can_subset": "all tables of an atomic step are made together; leave out atomic to choose among them",
}


def checked_options(
    options: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any] | None, *, atomic: bool
) -> dict[str, Any]:
    """The options that were given, without those that repeat Dagster's defaults.

    Args:
        options: those of `dagster.asset`.
        partitions: the cuts, which have a parameter of their own.
        atomic: whether one step makes all tables.

    Raises:
        InvalidInputError: names every option that is not allowed, and what to do instead.
    """
    refused = {**_REFUSED, **(_REFUSED_TOGETHER if atomic else {})}
    problems, given = [], {}
    for name, value in options.items():
        parameter = _TAKEN.get(name)
        known = parameter is not None and parameter.kind is not parameter.VAR_KEYWORD
        if parameter is not None and known and (value is None or value is parameter.default):
            continue
        if name in refused:
            problems.append(f"{name}: {refused[name]}")
        elif not known:
            problems.append(f"{name}: dagster.asset has no such option")
        elif atomic and name not in _SEVERAL:
            problems.append(f"{name}: a step that makes several assets cannot have it; leave out atomic")
        else:
            given[name] = value
    if partitions is not None and "partitions_def" in given:
        problems.append("partitions_def: it is partitions that are the cuts; give one of the two")
    if problems:
        raise dc.InvalidInputError("Some options cannot be:\n  - " + "\n  - ".join(problems))
    return given


def of_step(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options for a step that makes several assets, and those for each asset."""
    step = {
        name: value
        for name, value in options.items()
        if name in _OF_STEP and name not in _OF_EACH and (name not in _OF_OUTPUT or name == "backfill_policy")
    }
    return step, {name: value for name, value in options.items() if name not in step}


def checks_of(options: Mapping[str, Any], keys: Mapping[str, dg.AssetKey]) -> dict[str, list[dg.AssetCheckSpec]]:
    """The ``check_specs`` of each asset, by its name.

    Raises:
        InvalidInputError: names the checks that belong to none of the assets.
    """
    specs = list(options.get("check_specs", ()))
    strays = [spec for spec in specs if spec.asset_key not in keys.values()]
    if strays:
        raise dc.InvalidInputError(
            "Checks of assets that are not made here: "
            + ", ".join(f"{s.name} of {s.asset_key.to_user_string()}" for s in strays)
            + f". The assets are {', '.join(key.to_user_string() for key in keys.values())}."
        )
    return {name: [spec for spec in specs if spec.asset_key == key] for name, key in keys.items()}
