"""What the engine remembers for a while: as much of the latest as fits into so many bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows what it takes in memory."""

    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Memory(Generic[Value]):
    """The latest values by their keys, as many as fit into a number of bytes; at least one.

    Args:
        limit: in bytes.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        with self._lock:
            if key in self._values:
                self._bytes -= self._values.pop(key).nbytes
            self._values[key] = value
            self._bytes += value.nbytes
            while self._bytes > self.limit and len(self._values) > 1:
                _, oldest = self._values.popitem(last=False)
                self._bytes -= oldest.nbytes
