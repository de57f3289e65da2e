"""What is remembered of a learner's work: which predictions were made, which exercises were tried and solved."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1


class NewerVersionError(ValueError):
    """The record was written by a later version of the course."""


@dataclass(frozen=True)
class Work:
    """What has been done on one exercise."""

    attempts: int = 0
    hints: int = 0
    solution_seen: bool = False
    solved: bool = False

    def merged(self, other: Work) -> Work:
        """Return the work of both: nothing that was reached in either is lost."""
        return Work(
            max(self.attempts, other.attempts),
            max(self.hints, other.hints),
            self.solution_seen or other.solution_seen,
            self.solved or other.solved,
        )


@dataclass
class Record:
    """Committed options by prediction name, and work by exercise name."""

    predictions: dict[str, str] = field(default_factory=dict)
    exercises: dict[str, Work] = field(default_factory=dict)

    def merged(self, other: Record) -> Record:
        """Return both records as one; of two commitments to the same prediction, this record's counts."""
        names = {**other.exercises, **self.exercises}
        exercises = {
            name: self.exercises.get(name, Work()).merged(other.exercises.get(name, Work())) for name in names
        }
        return Record({**other.predictions, **self.predictions}, exercises)

    def to_json(self) -> str:
        """Return the record as the text of a progress file."""
        exercises = {name: asdict(work) for name, work in sorted(self.exercises.items())}
        content = {
            "version": VERSION,
            "predictions": dict(sorted(self.predictions.items())),
            "exercises": exercises,
        }
        return json.dumps({"dscourse": "progress", **content}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record that a text holds.

        Raises:
            NewerVersionError: if a later version of the course wrote it.
            ValueError: if it is anything else than a record.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError("it is not JSON") from error
        if not isinstance(content, dict) or content.get("dscourse") != "progress":
            raise ValueError("it is not a progress file of this course")
        version = content.get("version")
        if type(version) is not int or version < 1:
            raise ValueError("it has no version")
        if version > VERSION:
            raise NewerVersionError(
                f"a newer version of the course wrote it (format {version}, this one knows {VERSION})"
            )
        return cls(_predictions(content.get("predictions")), _exercises(content.get("exercises")))


def _predictions(content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not all(isinstance(option, str) for option in content.values()):
        raise ValueError("its predictions are damaged")
    return content


def _exercises(content: Any) -> dict[str, Work]:
    if not isinstance(content, dict):
        raise ValueError("its exercises are damaged")
    return {name: _work(name, entry) for name, entry in content.items()}


def _work(name: str, entry: Any) -> Work:
    kinds = {"attempts": int, "hints": int, "solution_seen": bool, "solved": bool}
    if not isinstance(entry, dict) or any(type(entry.get(key)) is not kind for key, kind in kinds.items()):
        raise ValueError(f"its entry for {name} is damaged")
    work = Work(**{key: entry[key] for key in kinds})
    if work.attempts < 0 or work.hints < 0:
        raise ValueError(f"its entry for {name} is damaged")
    return work
