"""Read the official SMPL pickles without running anything that is in them.

Those files were written by Python 2 with objects of numpy, scipy and chumpy inside. Only the names listed here are
known to the reader. Each stands for one of the small classes below, which keep the pickled state and rebuild a numpy
array from it when asked; every other name is refused without being imported.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from .errors import BodyFileError


class StandIn:
    """An object of a class that was not imported: its pickled state, and what array it means."""

    def array(self) -> np.ndarray:
        """The array this object stands for. Raises BodyFileError where that cannot be known."""
        raise NotImplementedError


class ChumpyValue(StandIn):
    """Stands for every chumpy class. Values and picks of values can be read, other expressions cannot."""

    def array(self) -> np.ndarray:
        """The value of ``chumpy.ch.Ch`` (its x) or of ``chumpy.reordering.Select`` (its a, picked flat by idxs)."""
        state = self.__dict__
        if "x" in state:
            return plain_array(state["x"])
        if "a" in state and "idxs" in state:
            picked = plain_array(state["a"]).ravel()[plain_array(state["idxs"]).astype(np.int64)]
            return picked.reshape(state["preferred_shape"]) if "preferred_shape" in state else picked
        raise BodyFileError("It holds a chumpy expression that cannot be read without chumpy.")


class SparseMatrix(StandIn):
    """Stands for scipy's csc_matrix."""

    by_column = True

    def array(self) -> np.ndarray:
        """The dense matrix."""
        state = self.__dict__
        rows, columns = state.get("_shape") or state["shape"]
        data, indices = plain_array(state["data"]), plain_array(state["indices"])
        outer = np.repeat(np.arange(columns if self.by_column else rows), np.diff(plain_array(state["indptr"])))
        dense = np.zeros((rows, columns), dtype=data.dtype)
        np.add.at(dense, (indices, outer) if self.by_column else (outer, indices), data)
        return dense


class SparseRowMatrix(SparseMatrix):
    """Stands for scipy's csr_matrix."""

    by_column = False


class PickledType:
    """Stands for numpy.dtype: a plain type code and its byte order, nothing else of its state."""

    def __init__(self, code: str, *_: object) -> None:
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class PickledArray(StandIn):
    """Stands for numpy.ndarray."""

    value: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, is_fortran, content = state
        if kind.dtype.hasobject:
            self.value = np.asarray(content, dtype=object)
        else:
            self.value = _array_from_buffer(content, kind, shape, "F" if is_fortran else "C")

    def array(self) -> np.ndarray:
        """The array itself."""
        return self.value


def plain_array(value: Any) -> np.ndarray:  # noqa: ANN401 - whatever the pickle held
    """A numpy array of numbers from a pickled value. Raises BodyFileError where that cannot be known."""
    return value.array() if isinstance(value, StandIn) else np.asarray(value)


def _array_from_buffer(content: bytes | str, kind: PickledType, shape: tuple[int, ...], order: str = "C") -> np.ndarray:
    """Stands for numpy's _frombuffer (pickle protocol 5). Python 2 wrote bytes that are read as latin1 text."""
    buffer = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(buffer, dtype=kind.dtype).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: PickledType, content: bytes | str) -> np.generic:
    """Stands for numpy's scalar."""
    return _array_from_buffer(content, kind, (1,))[0]


def _empty_array(*_: object) -> PickledArray:
    """Stands for numpy's _reconstruct, which makes an array whose state follows."""
    return PickledArray()


def _new_object(kind: type, *_: object) -> object:
    """Stands for copyreg._reconstructor, by which protocols 0 and 1 make objects."""
    return object.__new__(kind)


def _latin1(text: str, *_: object) -> bytes:
    """Stands for _codecs.encode, by which Python 3 writes bytes in protocol 2."""
    return text.encode("latin1")


def _allowed() -> dict[tuple[str, str], Callable]:
    names: dict[tuple[str, str], Callable] = {
        ("numpy", "ndarray"): PickledArray,
        ("numpy", "dtype"): PickledType,
        ("collections", "OrderedDict"): OrderedDict,
        ("copyreg", "_reconstructor"): _new_object,
        ("copy_reg", "_reconstructor"): _new_object,
        ("_codecs", "encode"): _latin1,
    }
    for builtin in ("builtins", "__builtin__"):
        names |= {(builtin, "set"): set, (builtin, "object"): object}
    for core in ("numpy.core", "numpy._core"):
        names |= {(f"{core}.multiarray", "_reconstruct"): _empty_array, (f"{core}.multiarray", "scalar"): _scalar}
        names |= {(f"{core}.numeric", "_frombuffer"): _array_from_buffer}
    for prefix in ("scipy.sparse.", "scipy.sparse._"):
        names |= {(f"{prefix}csc", "csc_matrix"): SparseMatrix, (f"{prefix}csr", "csr_matrix"): SparseRowMatrix}
    return names


ALLOWED: Final = _allowed()


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that knows the names in ``ALLOWED`` and chumpy's classes, and refuses all others."""

    def find_class(self, module_name: str, global_name: str) -> Any:  # noqa: ANN401 - as in pickle
        """The stand-in for a name; nothing is imported. Raises BodyFileError for a name that is not known."""
        if module_name.split(".")[0] == "chumpy":
            return ChumpyValue
        if (module_name, global_name) not in ALLOWED:
            raise BodyFileError(
                f"It wants to run {module_name}.{global_name}, which no body model needs. Nothing of it was run.",
                "Do not trust this file. Download the model again from its official site.",
            )
        return ALLOWED[module_name, global_name]


def read_pickle(path: Path) -> dict[str, Any]:
    """The parts of a pickled SMPL file by key; use ``plain_array`` on those that are arrays.

    Raises BodyFileError when the file is damaged, is no pickle, or names anything that is not allowed.
    """
    try:
        with path.open("rb") as file:
            content = RestrictedUnpickler(file, encoding="latin1").load()
    except (BodyFileError, OSError):
        raise
    except Exception as error:  # a damaged pickle may raise anything
        raise BodyFileError(f"It is damaged, cut short, or no model file at all ({type(error).__name__}).") from error
    if not isinstance(content, dict):
        raise BodyFileError(f"It holds a {type(content).__name__} and not the parts of a body model.")
    return content
