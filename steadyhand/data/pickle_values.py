"""Numbers, texts, lists, dicts and NumPy arrays of a pickle's bytes, read without running it.

The opcodes are taken apart by the standard library's `pickletools`, which executes nothing, and are interpreted by a
machine that knows values alone. A name such as `os.system` is never looked up: a few names of NumPy stand for
arrays here, and every other one is refused.

References: https://docs.python.org/3/library/pickletools.html; PEP 307 (protocol 2), PEP 574 (protocol 5); the states
of arrays and types are those that `numpy/_core/src/multiarray/methods.c` and `descriptor.c` write.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.data.foreign import ForeignDataError
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["pickle_values"]

MOST_OPCODES = 50_000_000
MARK = object()
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
PLAIN = {
    *("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


@dataclass(frozen=True)
class _Name:
    """A global name of the pickle: a token to compare with, and nothing that could be called."""

    module: str
    name: str


class _Box:
    """A value that a later BUILD opcode completes in place, as NumPy's arrays and types are."""

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind, self.value = kind, value


def pickle_values(data: bytes) -> Any:
    """Return the value of a pickle made of numbers, texts, bytes, lists, tuples, dicts and NumPy arrays.

    Args:
        data: The pickle's bytes, of any protocol.

    Raises:
        ForeignDataError: It is damaged, or names anything else, such as a function.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
            if count > MOST_OPCODES:
                raise ForeignDataError(f"pickle: expected at most {MOST_OPCODES} opcodes, found more")
            machine.step(opcode.name, argument)
        return _plain(machine.result, {})
    except ForeignDataError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ForeignDataError(
            f"pickle: expected whole transitions, found {escaped(str(error), 100)}; copy the file again"
        ) from None


class _Machine:
    """The stack and the memo of one pickle."""

    def __init__(self) -> None:
        self.result: Any = None
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Execute one opcode on values."""
        stack = self._stack
        if name in PLAIN:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in TUPLES:
            items = [stack.pop() for _ in range(TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name in ("TUPLE", "LIST"):
            items = self._since_mark()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name == "DICT":
            stack.append(_pairs(self._since_mark()))
        elif name in ("APPENDS", "SETITEMS"):
            items = self._since_mark()
            self._add(items)
        elif name in ("APPEND", "SETITEM"):
            items = [stack.pop()] if name == "APPEND" else list(reversed([stack.pop(), stack.pop()]))
            self._add(items)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            module, _, attribute = argument.partition(" ")
            stack.append(_Name(module, attribute))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(_Name(str(module), str(attribute)))
        elif name == "REDUCE":
            arguments, called = stack.pop(), stack.pop()
            stack.append(_made(called, arguments))
        elif name == "BUILD":
            state = stack.pop()
            _complete(stack[-1], state)
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self._since_mark()
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "STOP":
            self.result = stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise ForeignDataError(f"pickle: expected numbers, lists, dicts and arrays, found the opcode {name}")

    def _since_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    def _add(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, dict):
            target.update(_pairs(items))
        else:
            raise TypeError("items of a value that has none")


def _pairs(items: list[Any]) -> dict[Any, Any]:
    keys = items[::2]
    if any(not isinstance(key, (str, int, float, bytes)) for key in keys):
        raise TypeError("a key that is neither text nor number")
    return dict(zip(keys, items[1::2], strict=True))


def _made(called: Any, arguments: Any) -> Any:
    """Return the value that a known NumPy name makes of its arguments; refuse every other name."""
    if isinstance(called, _Name):
        where, name = called.module, called.name
        if where == "numpy" and name == "dtype":
            return _Box("dtype", _number_type(arguments[0]))
        if where in MULTIARRAY and name == "_reconstruct":
            return _Box("array")
        if where in MULTIARRAY and name == "scalar":
            kind = _type_of(arguments[0])
            return np.frombuffer(_raw(arguments[1]), kind, count=1)[0]
        if where in NUMERIC and name == "_frombuffer":
            buffer, kind, shape, order = arguments
            return _array(_raw(buffer), _type_of(kind), shape, order == "F")
        if where == "_codecs" and name == "encode":  # bytes in protocols 0 to 2
            return str(arguments[0]).encode("latin-1")
        if where in ("__builtin__", "builtins") and name == "bytes" and not arguments:
            return b""
        if where == "collections" and name == "OrderedDict" and not arguments:
            return {}
        raise ForeignDataError(
            f"pickle: expected numbers, lists, dicts and NumPy arrays, found the name {quoted(f'{where}.{name}')}; "
            "nothing was run, and it is not imported"
        )
    raise TypeError("a call of a value")


def _complete(target: Any, state: Any) -> None:
    if isinstance(target, _Box) and target.kind == "array":
        _, shape, kind, is_fortran, raw = state
        target.value = _array(_raw(raw), _type_of(kind), shape, bool(is_fortran))
    elif isinstance(target, _Box) and target.kind == "dtype":
        if any(part is not None for part in state[2:5]):
            raise ForeignDataError("pickle: expected arrays of numbers, found arrays of records")
        target.value = target.value.newbyteorder(state[1] if state[1] in "<>" else "=")
    else:
        raise ForeignDataError("pickle: expected numbers, lists, dicts and arrays, found the state of an object")


def _number_type(text: Any) -> np.dtype[Any]:
    kind = np.dtype(str(text))
    if kind.kind not in "biufU" or kind.names is not None:
        raise ForeignDataError(f"pickle: expected arrays of numbers, found arrays of {quoted(str(text), 24)}")
    return kind


def _type_of(value: Any) -> np.dtype[Any]:
    if not isinstance(value, _Box) or value.kind != "dtype":
        raise TypeError("an array without a type")
    kind: np.dtype[Any] = value.value
    return kind


def _raw(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("latin-1")
    raise ForeignDataError("pickle: expected the bytes of an array of numbers, found objects")


def _array(raw: bytes, kind: np.dtype[Any], shape: Any, is_fortran: bool) -> np.ndarray[Any, Any]:
    sizes = (int(shape),) if isinstance(shape, int) else tuple(int(size) for size in shape)
    if not raw and 0 in sizes:
        return np.empty(sizes, kind)
    # A shape that does not fit its bytes raises here, before anything is allocated.
    return np.frombuffer(raw, kind).reshape(sizes, order="F" if is_fortran else "C")


def _plain(value: Any, seen: dict[int, Any]) -> Any:
    """Return a value with its boxes opened; a container that contains itself is refused."""
    if isinstance(value, _Box):
        return value.value
    if isinstance(value, _Name):
        raise ForeignDataError(f"pickle: expected values, found the name {quoted(f'{value.module}.{value.name}')}")
    if not isinstance(value, (list, tuple, dict)):
        return value
    if id(value) in seen:
        if seen[id(value)] is MARK:
            raise ForeignDataError("pickle: expected transitions, found a list that contains itself")
        return seen[id(value)]
    seen[id(value)] = MARK
    made: Any
    if isinstance(value, dict):
        made = {key: _plain(item, seen) for key, item in value.items()}
    else:
        made = [_plain(item, seen) for item in value]
    seen[id(value)] = made
    return made
