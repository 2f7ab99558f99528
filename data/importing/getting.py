"""Our columns of a layer, by name."""

from __future__ import annotations

import pandas as pd

from data.importing.layer import Layer


class ColumnGetter:
    """Our columns by name; a column that the file lacks is all missing."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        tags = frame.get("other_tags")
        self._tags = tags if tags is not None and tags.notna().any() else None

    def __call__(self, name: str) -> pd.Series:
        if name in self._frame:
            return self._frame[name]
        return pd.Series(pd.NA, index=self._frame.index, dtype="str")

    def may_say(self, name: str) -> bool:
        """Whether some record has a value of this column, or may have one among its tags."""
        return self._tags is not None or (name in self._frame and bool(self._frame[name].notna().any()))

    def tag(self, *keys: str) -> pd.Series:
        """Value of an OpenStreetMap tag kept in the `other_tags` column, the first of `keys` that is there."""
        result = pd.Series(pd.NA, index=self._frame.index, dtype="str")
        if self._tags is not None:
            for key in keys:
                result = result.fillna(self._tags.str.extract(f'"{key}"=>"([^"]*)"', expand=False))
        return result


def get_persons(layer: Layer) -> ColumnGetter:
    """Fields about persons that are kept of a layer; all missing where none are."""
    return ColumnGetter(layer.persons if layer.persons is not None else pd.DataFrame(index=layer.frame.index))
