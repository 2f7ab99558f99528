"""
The server's log: one JSON object a line in `SHAPAN_HOME/logs`, and what matters on standard error; never a person.

What is logged is the sentence as it stands in our code and the fields that were named for the log (`fields` in
`extra`). Values put into a sentence, texts of errors and sentences of other packages stay out, because nobody can say
what they carry; of an error there are its class and the lines of code that it went through.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_BYTES = 5_000_000
LOGS_KEPT = 5
_OURS = frozenset({"app", "cli", "data", "gis", "i18n", "incidents", "layers", "sample", "server", "tasks", "ui"})
_ROOTS = tuple(str(Path(__file__).resolve().parent.parent / name) for name in sorted(_OURS))
_FRAMES_KEPT = 20


def describe_error(error: BaseException) -> dict[str, object]:
    """Class of an error and of what caused it, and the lines it went through: no text of it, which may quote a row."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_KEPT:]
    described: dict[str, object] = {
        "kind": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "frames": [f"{_shorten(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }
    cause = error.__cause__ or error.__context__
    if cause is not None:
        described["cause"] = f"{type(cause).__module__}.{type(cause).__qualname__}".removeprefix("builtins.")
    return described


def _shorten(path: str) -> str:
    """A module's path from its package on: where it is installed is nobody's business."""
    for root in _ROOTS:
        if path.startswith(root):
            return path.removeprefix(str(Path(root).parent)).lstrip("/\\").replace("\\", "/")
    return path.replace("\\", "/").rpartition("site-packages/")[2].rpartition("/python3.11/")[2]


def to_entry(record: logging.LogRecord) -> dict[str, object]:
    """What is kept of a log record."""
    entry: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    if record.name.partition(".")[0] in _OURS:
        entry["message"] = str(record.msg)
    fields = getattr(record, "fields", None)
    if isinstance(fields, Mapping):
        entry |= fields
    if record.exc_info and record.exc_info[1] is not None:
        entry["error"] = describe_error(record.exc_info[1])
    return entry


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(to_entry(record), ensure_ascii=False, default=str)


class _TextFormatter(logging.Formatter):
    """For standard error, which a service manager may keep: the same content, to be read by a person."""

    def format(self, record: logging.LogRecord) -> str:
        entry = to_entry(record)
        text = f"{entry['time']} {record.levelname} {record.name}: {entry.get('message', '')}"
        error = entry.get("error")
        if isinstance(error, dict):
            lines = "".join(f"\n  {frame}" for frame in error["frames"])
            text += f"\nTraceback (without values):{lines}\n{error['kind']}"
        return text


class _FileHandler(RotatingFileHandler):
    """A full disk must not stop the server, nor fill standard error with one complaint for each request."""

    _has_failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - the name is logging's
        if not self._has_failed:
            self._has_failed = True
            print(f"shapan: the log {self.baseFilename} cannot be written: is the disk full?", file=sys.stderr)

    def close(self) -> None:
        with suppress(OSError):  # what could not be written before cannot be written now
            super().close()


def _is_wanted(record: logging.LogRecord) -> bool:
    """Ours from INFO on; of other packages what went wrong."""
    return record.levelno >= (logging.INFO if record.name.partition(".")[0] in _OURS else logging.ERROR)


def adopt_loggers(*packages: str) -> None:
    """
    Take away the handlers that other packages gave their loggers, so that what goes wrong there is told through ours.

    Their own would write texts and tracebacks with values to standard error, where a service manager keeps them.
    """
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in packages]
    for logger in map(logging.getLogger, names):
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.ERROR)


def get_log_path(home: Path, store_name: str) -> Path:
    """Where the log of a store's server lies; older ones have .1 to .5 behind their name."""
    return home / "logs" / f"{store_name}.jsonl"


@contextmanager
def open_logs(path: Path) -> Iterator[None]:
    """Log into `path`, and warnings to standard error, until the block ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _FileHandler(path, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", delay=True)
    file.setFormatter(_JsonFormatter())
    file.addFilter(_is_wanted)
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    screen.setFormatter(_TextFormatter())
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in _OURS}
    for handler in (file, screen):
        root.addHandler(handler)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for handler in (file, screen):
            root.removeHandler(handler)
            handler.close()
