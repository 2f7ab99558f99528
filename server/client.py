"""The command line's side of the admin API: the same operations, asked of a running server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from gis.errors import ShapanError, get_error_class
from server.ticket import Ticket

if TYPE_CHECKING:
    from data.importing import ImportOptions, SourceFile
    from server.operations import Progress, Report

_PREFIX = "/api/v1/admin"
_TIMEOUT = httpx.Timeout(10.0, read=None)  # an import may think for long between two lines


class RemoteOperations:
    """Operations on the store that the server of `ticket` holds."""

    def __init__(self, ticket: Ticket) -> None:
        self._client = httpx.Client(
            base_url=ticket.url + _PREFIX,
            headers={"Authorization": f"Bearer {ticket.token}"},
            timeout=_TIMEOUT,
            trust_env=False,  # a proxy of the environment must not see a request to this machine
        )

    def __enter__(self) -> RemoteOperations:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def is_alive(self, store: str) -> bool:
        """Whether the ticket's server still runs and holds `store`: a killed server leaves its ticket behind."""
        try:
            answer = self._client.get("/ticket", timeout=3.0)
            return answer.status_code == 200 and answer.json().get("store") == store
        except (httpx.HTTPError, ValueError):
            return False

    def info(self) -> Report:
        """Figures of the community."""
        return self._read(self._client.get("/info"))

    def undo(self, batch_id: str | None) -> Report:
        """Take an import back; None: the newest that has not been taken back."""
        return self._read(self._client.post("/undo", json={"batch_id": batch_id}))

    def import_sources(self, sources: Sequence[SourceFile], options: ImportOptions, progress: Progress) -> Report:
        """Send the files and follow the work."""
        request = self._client.stream(
            "POST",
            "/import",
            data={"options": json.dumps(options.to_dict())},
            files=[("source", (source.name, source.data, "application/octet-stream")) for source in sources],
        )
        return self._follow(request, progress, what="the import")

    def back_up(self, folder: Path, keep: int | None, progress: Progress) -> Report:
        """Have the server back its store up into a folder of this machine."""
        request = self._client.stream("POST", "/backup", json={"folder": str(folder.resolve()), "keep": keep})
        return self._follow(request, progress, what="the backup")

    def _follow(self, request: AbstractContextManager[httpx.Response], progress: Progress, *, what: str) -> Report:
        """The report at the end of an answer in lines."""
        with request as answer:
            if answer.status_code != 200:
                answer.read()
                return self._read(answer)
            for text in answer.iter_lines():
                line = json.loads(text)
                if "progress" in line:
                    progress(line["progress"]["share"], line["progress"]["what"])
                else:
                    _raise_error(line)
                    return dict(line["report"])
        raise ShapanError(f"The server ended the answer before {what} was done. See the server's log.")

    def access(self, operation: str, arguments: Mapping[str, Any]) -> Report:
        """Accounts, keys and the log."""
        return self._read(self._client.post(f"/access/{operation}", json=dict(arguments)))

    def analyse(self, method: str, options: Mapping[str, object]) -> Report:
        """Have the server analyse its store."""
        return self._read(self._client.post(f"/analyse/{method}", json=dict(options)))

    def _read(self, answer: httpx.Response) -> Report:
        try:
            body = dict(answer.json())
        except ValueError as error:
            raise ShapanError(f"The server answered {answer.status_code} without a sentence. See its log.") from error
        _raise_error(body)
        return body


def _raise_error(body: dict[str, object]) -> None:
    """Raise the error that the server names, as the class that it was there."""
    error = body.get("error")
    if not isinstance(error, dict):
        return
    raise get_error_class(str(error.get("kind")))(str(error.get("message")))
