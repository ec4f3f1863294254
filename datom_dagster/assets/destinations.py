"""Which IO manager stores an asset, and whether it is one of datom's."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import OTHER_IO_MANAGER, is_set, stores_a_table
from datom_dagster.io import DatomIOManager

#: Where `AssetSpec.with_io_manager_key` keeps its argument.
IO_MANAGER_KEY = "dagster/io_manager_key"


def written(definition: Any) -> Iterator[tuple[dg.AssetKey, str]]:
    """The assets that a definition hands to an IO manager, with that manager's key."""
    if not isinstance(definition, dg.AssetsDefinition) or not definition.is_executable:
        return
    for output, key in definition.keys_by_output_name.items():
        if not definition.node_def.output_def_named(output).dagster_type.is_nothing:
            yield key, definition.get_io_manager_key_for_asset_key(key)


def check_io_managers(assets: Iterable[Any], resources: Mapping[str, Any], meant: Container[str] = ()) -> None:
    """Refuse assets that were made for datom but would be stored by another IO manager.

    Args:
        assets: asset definitions.
        resources: the code location's, by key.
        meant: keys of IO managers that are deliberately not a `DatomIOManager`.

    Raises:
        InvalidInputError: names every offender, and its IO manager.
    """
    problems = []
    for definition in assets:
        own = definition.resource_defs if isinstance(definition, dg.AssetsDefinition) else {}
        for spec, key in _stored(definition):
            manager = own.get(key, resources.get(key))
            if key in meant or is_set(spec.metadata.get(OTHER_IO_MANAGER)) or is_ours(manager):
                continue
            is_what = f"is no DatomIOManager ({type(manager).__name__})" if manager is not None else "is not there"
            problems.append(f"{spec.key.to_user_string()}: the resource {key!r} {is_what}")
    if problems:
        ours = sorted(key for key, resource in resources.items() if is_ours(resource))
        have = f", or set io_manager_key to one that is there: {', '.join(ours)}" if ours else ""
        raise dc.InvalidInputError(
            "Some assets were made for datom, and would be stored without a version by another IO manager, or by "
            "Dagster's own:\n  - " + "\n  - ".join(problems) + "\nGive their IO manager among the resources, as in "
            f'resources={{"io_manager": DatomIOManager(datom=study)}}{have}. Where another is meant, or definitions '
            "that are merged with these have it, say so: datom_definitions(other_io_managers=[...]), or "
            "datom_asset(other_io_manager=True)."
        )


def _stored(definition: Any) -> Iterator[tuple[dg.AssetSpec, str]]:
    """The assets of a definition that were made for datom, each with the key of its IO manager."""
    found: list[tuple[dg.AssetSpec, str]] = []
    if isinstance(definition, dg.AssetsDefinition) and definition.is_executable:
        found = [(definition.specs_by_key[key], manager) for key, manager in written(definition)]
    elif isinstance(definition, dg.AssetSpec | dg.AssetsDefinition):
        specs = [definition] if isinstance(definition, dg.AssetSpec) else definition.specs
        found = [(spec, str(spec.metadata[IO_MANAGER_KEY])) for spec in specs if IO_MANAGER_KEY in spec.metadata]
    yield from ((spec, key) for spec, key in found if stores_a_table(spec.metadata) or "datom" in spec.kinds)


def marked(definition: Any, meant: Container[str]) -> Any:
    """The definition, with its assets told that another IO manager is intended; else they would refuse it in a run."""
    chosen = {spec.key for spec, key in _stored(definition) if key in meant}
    if not chosen or isinstance(definition, dg.AssetSpec):
        return definition

    def mark(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.merge_attributes(metadata={OTHER_IO_MANAGER: True}) if spec.key in chosen else spec

    return definition.map_asset_specs(mark)


def is_ours(resource: Any) -> bool:
    # A resource that is configured at launch, or belongs to an asset, is known only by its class.
    known = (getattr(resource, name, None) for name in ("resource_cls", "configurable_resource_cls"))
    return isinstance(resource, DatomIOManager) or any(
        isinstance(kind, type) and issubclass(kind, DatomIOManager) for kind in known
    )
