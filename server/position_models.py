"""What goes in and out of /api/v1/positions: fields, limits and their meaning, from which the OpenAPI is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Discriminator, Field, Tag

from incidents.forces import MOST_ROWS, Outcome
from server.intake_models import Code, Coordinate, Moment, Strict, System


class PositionIn(Strict):
    """Where one person with a radio was."""

    responder_id: Code | None = Field(None, description="Id of the responder; or call_sign")
    call_sign: Code | None = Field(None, description="Call sign, as it is spoken; or responder_id")
    at: Moment = Field(description="When they were there, with time zone")
    lon: Coordinate = Field(description="Longitude in degrees; with crs LOCAL: east in metres")
    lat: Coordinate = Field(description="Latitude in degrees; with crs LOCAL: north in metres")
    crs: System = Field(description="System of lon and lat; never guessed. LOCAL is the community's own")
    accuracy_m: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] | None = Field(
        None, description="How far off it may be, metres"
    )


PositionsIn = Annotated[
    Annotated[PositionIn, Tag("one")]
    | Annotated[list[PositionIn], Field(min_length=1, max_length=MOST_ROWS), Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]


class PositionOut(BaseModel):
    """What became of one row."""

    responder_id: str | None
    call_sign: str | None
    is_stored: bool
    outcome: Outcome = Field(description="Why it was not stored")


class PositionsOut(BaseModel):
    """Answer to POST, in the order of the request."""

    stored: int = Field(description="How many were stored")
    positions: list[PositionOut]
