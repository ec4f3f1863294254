"""The function of an asset, as its step runs it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import dagster as dg

import datom_core as dc
from datom_dagster.events import OTHER_IO_MANAGER, is_set, storing_step, table_of, translated
from datom_dagster.io import DatomIOManager, check_returned, collected, is_empty

Compute = Callable[..., Any]

# The value of a result that was given none.
_NO_VALUE: Any = dg.MaterializeResult().value


def watched(compute_fn: Compute) -> Compute:
    """Wrap the function so that it refuses to run in a step whose output would not become a version.

    Otherwise, whatever `dagster.Definitions` the asset is in, a run that stored its data with another IO manager would
    be green, and the data unversioned. Called by hand, as in a unit test, the function behaves as before.
    """
    step: Compute
    if inspect.isasyncgenfunction(compute_fn):

        @functools.wraps(compute_fn)
        async def step(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            check = _check_of(step)
            async for result in compute_fn(*args, **kwargs):
                yield check(result)

    elif inspect.iscoroutinefunction(compute_fn):

        @functools.wraps(compute_fn)
        async def step(*args: Any, **kwargs: Any) -> Any:
            check = _check_of(step)
            return check(await compute_fn(*args, **kwargs))

    elif inspect.isgeneratorfunction(compute_fn):

        @functools.wraps(compute_fn)
        def step(*args: Any, **kwargs: Any) -> Iterator[Any]:
            check = _check_of(step)
            for result in compute_fn(*args, **kwargs):
                yield check(result)

    else:

        @functools.wraps(compute_fn)
        def step(*args: Any, **kwargs: Any) -> Any:
            check = _check_of(step)
            return check(compute_fn(*args, **kwargs))

    _put_in_place(step, compute_fn)
    return step


def _put_in_place(step: Compute, compute_fn: Compute) -> None:
    """Give the step the source location of the function, so that Dagster's links to the source code lead there."""
    here, there = getattr(step, "__code__", None), getattr(inspect.unwrap(compute_fn), "__code__", None)
    if here is not None and there is not None:
        place = {"co_filename": there.co_filename, "co_firstlineno": there.co_firstlineno}
        step.__code__ = here.replace(**place)


def _check_of(function: Compute) -> Callable[[Any], Any]:
    """The check to apply to each result of the function, having made certain that datom will store it.

    A run that does not say what the project requires is refused here, too, before the function begins.
    """
    found = storing_step(function)
    if found is None or is_set(found.spec.metadata.get(OTHER_IO_MANAGER)):
        return lambda result: result
    with translated(found.context):
        if not isinstance(found.manager, DatomIOManager):
            raise dc.InvalidInputError(
                f"{found.spec.key.to_user_string()} would have no version: its IO manager, the resource {found.key!r}, "
                f"is a {type(found.manager).__name__}, not a DatomIOManager. Give that resource, as in "
                f'resources={{"{found.key}": DatomIOManager(datom=study)}}; or say that another one is meant: '
                "datom_asset(other_io_manager=True), or datom_definitions(other_io_managers=[...])."
            )
        found.manager.required.check_run(found.context.run)
    table = table_of(found.spec.metadata, found.spec.key)

    def check(result: Any) -> Any:
        given = isinstance(result, dg.Output | dg.MaterializeResult)
        value = result.value if given else result
        if value is None or value is _NO_VALUE:
            with translated(found.context):
                check_returned(table, None)
        return result

    return check


def skipping_empty(compute_fn: Compute) -> Compute:
    """The function as a generator that yields nothing when the frame has no rows."""
    if inspect.isgeneratorfunction(compute_fn) or inspect.iscoroutinefunction(compute_fn):
        raise dc.InvalidInputError(
            f"{compute_fn.__name__}: on_empty='skip' needs a function that returns its frame; one that yields or is "
            "asynchronous decides itself what it yields."
        )

    @functools.wraps(compute_fn)
    def compute(*args: Any, **kwargs: Any) -> Iterable[Any]:
        result = compute_fn(*args, **kwargs)
        if isinstance(result, dg.Output | dg.MaterializeResult):
            value = collected(result.value)
            if not is_empty(value):
                yield _with_value(result, value)
        elif not is_empty(frame := collected(result)):
            yield dg.Output(frame)

    # Dagster reads inputs from the signature, and would take the annotated frame for the type of the generator.
    signature = inspect.signature(compute_fn, eval_str=True)
    compute.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    compute.__annotations__ = {
        p.name: p.annotation for p in signature.parameters.values() if p.annotation is not inspect.Parameter.empty
    }
    return compute


def _with_value(
    result: dg.Output[Any] | dg.MaterializeResult[Any], value: Any
) -> dg.Output[Any] | dg.MaterializeResult[Any]:
    """The same result with its value replaced: a stream that was looked into is no longer whole."""
    if value is result.value:
        return result
    if isinstance(result, dg.MaterializeResult):
        return result._replace(value=value)
    return dg.Output(
        value,
        output_name=result.output_name,
        metadata=result.metadata,
        data_version=result.data_version,
        tags=result.tags,
    )
