"""Answers of our own routes that are not a success."""

from __future__ import annotations

from starlette.responses import JSONResponse


def build_refusal(status: int, sentence: str, *, kind: str = "BadRequest") -> JSONResponse:
    """JSON `{"error": {"kind": …, "message": …}}`, never kept by anybody."""
    return JSONResponse(
        {"error": {"kind": kind, "message": sentence}}, status_code=status, headers={"Cache-Control": "no-store"}
    )
