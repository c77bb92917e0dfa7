"""What a detector has learned, as arrays that can be kept, and a detector again that goes on from there.

It goes on exactly as if it had never stopped: the arrays are its own, bit for bit.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.spike_season import Day, Windows

Array = NDArray[Any]


@dataclass(frozen=True)
class Memory:
    """What is known of series when the hours of a day (since 1970) begin.

    hour, silent, told: of each series, in their order: its last hour, whether nothing was heard in it, and whether it
    was told. learned: what detectors had learned, as arrays by name; one detector after another.
    """

    day: int
    hour: NDArray[np.int64]
    silent: NDArray[np.bool_]
    told: NDArray[np.bool_]
    learned: list[dict[str, Array]]

    def packed(self) -> bytes:
        """Return it as the bytes of an NPZ file."""
        arrays = {"hour": self.hour, "silent": self.silent, "told": self.told}
        for number, learned in enumerate(self.learned):
            arrays |= {f"{number}/{name}": one for name, one in learned.items()}
        file = io.BytesIO()
        np.savez(file, day=np.asarray(self.day), **arrays)
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> "Memory":
        """Return what was packed."""
        learned: list[dict[str, Array]] = []
        with np.load(io.BytesIO(packed)) as arrays:
            for name in arrays.files:
                number, is_learned, of = name.partition("/")
                if is_learned:
                    learned += [{} for _ in range(int(number) + 1 - len(learned))]
                    learned[int(number)][of] = arrays[name]
            return cls(int(arrays["day"]), arrays["hour"], arrays["silent"], arrays["told"], learned)


def arrays_of(thing: Any, name: str) -> Iterator[tuple[str, Array]]:
    """Yield each number and array that an object holds, by a name that says where."""
    if isinstance(thing, np.ndarray | int | float):
        yield name, np.array(thing)  # a copy: detectors go on in place
    elif isinstance(thing, list | tuple):
        for place, one in enumerate(thing):
            yield from arrays_of(one, f"{name}.{place}")
    else:
        for key, one in vars(thing).items():
            yield from arrays_of(one, f"{name}.{key}")


def put_back(thing: Any, name: str, arrays: Mapping[str, Array]) -> Any:
    """Return an object like this one, made anew, that holds these arrays; an object's attributes are set in place."""
    if isinstance(thing, np.ndarray):
        return arrays[name].copy()
    if isinstance(thing, int | float):
        return type(thing)(arrays[name])
    if isinstance(thing, list):
        return [put_back(one, f"{name}.{place}", arrays) for place, one in enumerate(thing)]
    for key, one in vars(thing).items():
        setattr(thing, key, put_back(one, f"{name}.{key}", arrays))
    return thing


def days_of(name: str, arrays: Mapping[str, Array]) -> list[tuple[Day, Windows]]:
    """Return the days that arrays_of told of, with their windows."""
    found = []
    while f"{name}.{len(found)}.0.day" in arrays:
        day, windows = f"{name}.{len(found)}.0", f"{name}.{len(found)}.1"
        of_day: dict[str, Any] = {field.name: arrays[f"{day}.{field.name}"] for field in fields(Day)}
        of_day["day"] = int(of_day["day"])
        of_windows = {field.name: arrays[f"{windows}.{field.name}"] for field in fields(Windows)}
        found.append((Day(**of_day), Windows(**of_windows)))
    return found
