"""What stands against a plan: beside the sentence a code with its values, so that a page says it in its language."""

from __future__ import annotations

from collections.abc import Sequence

from gis.errors import BadFileError, BadRecordError

Problem = tuple[str, dict[str, object]]
"""A code and the values of its sentence."""


class PlanProblemError(BadRecordError):
    """A plan that cannot be made: `code` is the same for all that a person would do the same about."""

    def __init__(self, code: str, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.code, self.values = code, values


class PlanFileError(BadFileError):
    """A file of a plan that cannot be used: `problems` are all that was found, in the file's order."""

    def __init__(self, problems: Sequence[Problem], sentence: str) -> None:
        super().__init__(sentence)
        self.problems = tuple(problems)
