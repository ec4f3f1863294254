"""Errors for bad arguments of a resource: they say what it takes, instead of showing pydantic's internals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pydantic

import datom_core as dc

#: How to write a field's value, where its type alone would not tell.
WRITTEN = {
    "datom": "DatomResource(project=..., storage=..., remote=...)",
    "storage": "LocalStorage(path=...) or S3Storage(bucket=..., ...)",
    "reports": "LocalStorage(path=...), S3Storage(bucket=..., ...), or the path of a folder",
    "governance": "GovernanceResource(storage=...)",
    "s3": "dagster_aws.s3.S3Resource(...)",
}


class Spelt:
    """Base of our resources, ahead of Dagster's. Bad arguments raise one `InvalidInputError` that names all of them."""

    if not TYPE_CHECKING:  # type checkers know the fields

        def __init__(self, *args: Any, **data: Any) -> None:
            problems = _unknown(type(self), args, data)
            error: Exception | None = None
            try:
                if not problems:
                    super().__init__(**data)
                    return
            except pydantic.ValidationError as invalid:
                problems, error = _problems(invalid, data)
            # The arguments may hold a password, and the traceback may show this frame.
            args, data = (), {}
            if error is not None:
                raise error
            text = "; ".join(problems)
            stop = "" if text.endswith("?") else "."
            raise dc.InvalidInputError(f"{type(self).__name__} cannot be made so: {text}{stop}")


def _unknown(cls: Any, args: tuple[Any, ...], data: Mapping[str, Any]) -> list[str]:
    fields = list(cls.model_fields)
    problems = [f"its arguments have names: {', '.join(f'{name}=...' for name in fields)}"] if args else []
    unknown = [name for name in data if name not in fields]
    for name in unknown:
        hint = dc.did_you_mean(name, fields)
        if not hint and "datom" in fields:
            hint = f" What describes the project goes into datom={WRITTEN['datom']}"
        problems.append(f"there is no {name!r}, it takes {', '.join(fields)}.{hint}".rstrip("."))
    return problems


def _problems(invalid: pydantic.ValidationError, data: Mapping[str, Any]) -> tuple[list[str], Exception | None]:
    """What is wrong; or, if one of our validators raised a datom error, that error."""
    problems: dict[str, str] = {}
    for found in invalid.errors(include_url=False, include_input=False):
        cause = found.get("ctx", {}).get("error")
        if isinstance(cause, dc.DatomError):
            return [], cause.with_traceback(None)
        name = str(found["loc"][0]) if found["loc"] else ""
        given = "missing" if name not in data or data[name] is None else f"not {type(data[name]).__name__}"
        if name in WRITTEN:
            problems[name] = f"{name} is {given}; write {name}={WRITTEN[name]}"
        elif given == "missing":
            problems[name] = f"{name} is missing"
        else:
            if isinstance(data[name], int | float) and not found["type"].endswith("_type"):
                given = f"not {data[name]!r}"  # numbers only: text could be a password
            said = found["msg"].removeprefix("Value error, ").removeprefix("Input should ")
            problems.setdefault(name, f"{name} must {said}, {given}" if said != found["msg"] else f"{name}: {said}")
    return list(problems.values()), None
