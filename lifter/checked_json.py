"""What a JSON file from outside holds, as the dataclasses of ours that it must fit."""

import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def of_type(value: Any, kind: Any, where: str = "it") -> Any:  # noqa: ANN401 - JSON, and a type
    """``value``, as json.loads gives it, as the type ``kind``.

    kind: str, int, float (finite), bool, None, Path, a Literal, a union, tuple[X, ...], tuple[X, Y], dict[str, X], or a
    dataclass of these: keys that it does not know are passed over, absent ones take their defaults.
    Raises ValueError that says where in the file it does not fit.
    """
    if is_dataclass(kind):
        return _as_dataclass(value, kind, where)
    as_kind = GENERIC.get(get_origin(kind))
    if as_kind is not None:
        return as_kind(value, get_args(kind), where)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind is Path and type(value) is str and "\0" not in value:
        return Path(value)
    if kind in (str, int, bool, NoneType) and type(value) is kind:
        return value
    raise _misfit(value, where)


def _as_dataclass(value: Any, kind: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        raise _misfit(value, where)
    types, arguments = get_type_hints(kind), {}
    for field in fields(kind):
        if field.name in value:
            arguments[field.name] = of_type(value[field.name], types[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} has no {field.name}")
    return kind(**arguments)


def _as_choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:  # noqa: ANN401
    if not isinstance(value, str) or value not in choices:
        raise _misfit(value, where)
    return value


def _as_union(value: Any, kinds: tuple[Any, ...], where: str) -> Any:  # noqa: ANN401
    for kind in kinds:
        try:
            return of_type(value, kind, where)
        except ValueError:
            continue
    raise _misfit(value, where)


def _as_tuple(value: Any, kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        raise _misfit(value, where)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _misfit(value, where)
    return tuple(
        of_type(item, kind, f"{where}[{place}]") for place, (item, kind) in enumerate(zip(value, kinds, strict=True))
    )


def _as_dict(value: Any, kinds: tuple[Any, ...], where: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise _misfit(value, where)
    return {key: of_type(item, kinds[1], f"{where}.{key}") for key, item in value.items()}


def _misfit(value: Any, where: str) -> ValueError:  # noqa: ANN401
    text = repr(value)
    return ValueError(f"{where} cannot be {text if len(text) < 60 else text[:57] + '...'}")


GENERIC: dict[Any, Callable[[Any, tuple[Any, ...], str], Any]] = {
    Literal: _as_choice, Union: _as_union, UnionType: _as_union, tuple: _as_tuple, dict: _as_dict,
}  # fmt: skip
