"""What goes in and out of /api/v1/incidents: fields, limits and their meaning, from which the OpenAPI is made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag

from incidents.life_cycle import Action, State

MOST_INCIDENTS = 200
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_SPELLINGS = {"EPSG4326": "WGS84", "WGS1984": "WGS84", "EPSG4490": "CGCS2000", "BD09LL": "BD09"}


def _to_system(value: object) -> object:
    """The name of a coordinate system as we write it: `gcj-02` is GCJ02, `EPSG:4326` is WGS84."""
    if not isinstance(value, str):
        return value
    plain = value.upper().translate(str.maketrans("", "", " -_:"))
    return _SPELLINGS.get(plain, plain)


# No control characters: they are mistakes, and nobody sees them in a list.
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Moment = Annotated[AwareDatetime, Field(ge=_OLDEST, le=_LATEST)]
Coordinate = Annotated[float, Field(ge=-1e8, le=1e8, allow_inf_nan=False)]
System = Annotated[Literal["WGS84", "CGCS2000", "GCJ02", "BD09", "LOCAL"], BeforeValidator(_to_system)]
Urgency = Literal["urgent", "normal", "not_police"]


class Strict(BaseModel):
    """What nobody asked for is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _Place(Strict):
    """A place as it is said."""

    address: Line | None = Field(None, description="Address in words, as the caller said it")
    lon: Coordinate | None = Field(None, description="Longitude in degrees; with crs LOCAL: east in metres")
    lat: Coordinate | None = Field(None, description="Latitude in degrees; with crs LOCAL: north in metres")
    crs: System | None = Field(None, description="System of lon and lat; never guessed. LOCAL is the community's own")


_EXAMPLES: list[JsonValue] = [
    {
        "source_no": "20261123000123",
        "received_at": "2026-11-23T14:30:00+08:00",
        "category": "theft.ebike",
        "address": "12-1-101",
        "description": "The e-bike is gone from the shed",
    },
    {
        "source_no": "20261123000124",
        "received_at": "2026-11-23T14:31:00+08:00",
        "occurred_from": "2026-11-23T13:50:00+08:00",
        "category": "noise.night",
        "urgency": "normal",
        "lon": 120.1749,
        "lat": 33.3886,
        "crs": "GCJ02",
        "caller_phone": "13800000000",
        "caller_address": "13-2-301",
    },
]


class IncidentIn(_Place):
    """One incident as the alarm system knows it."""

    model_config = ConfigDict(json_schema_extra={"examples": _EXAMPLES})

    source_no: Code | None = Field(None, description="Number in the alarm system; the same number comes in once")
    received_at: Moment = Field(description="When it was reported, with time zone")
    occurred_from: Moment | None = Field(None, description="When it happened at the earliest; absent: as received_at")
    occurred_to: Moment | None = Field(None, description="When it happened at the latest; absent: as occurred_from")
    category: Code = Field(description="Code of the kind, as GET /api/v1/incident-categories lists them")
    urgency: Urgency | None = Field(None, description="urgent, normal or not_police; absent: as is usual for the kind")
    source: Literal["call", "counter", "app", "police_found"] = Field("call", description="How it was reported")
    description: Text | None = Field(None, description="What was said; numbers and known names are masked on arrival")
    caller_name: Line | None = Field(None, description="Caller's name")
    caller_phone: Line | None = Field(None, description="Caller's telephone")
    caller_address: Line | None = Field(None, description="Where the caller is, when that is not the scene")
    caller_lon: Coordinate | None = Field(None, description="Longitude of the caller, as lon")
    caller_lat: Coordinate | None = Field(None, description="Latitude of the caller, as lat")
    caller_crs: System | None = Field(None, description="System of caller_lon and caller_lat")


IncidentsIn = Annotated[
    Annotated[IncidentIn, Tag("one")]
    | Annotated[list[IncidentIn], Field(min_length=1, max_length=MOST_INCIDENTS), Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]


class ChangeIn(_Place):
    """A change of one incident: an action of its life cycle, corrected facts, a place, or several of these."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reason": "given to patrol one", "action": "dispatch"},
                {"reason": "the caller rang again: another address", "address": "13-2-301"},
                {"reason": "the same call again", "action": "mark_duplicate", "duplicate_of": "a-0123456789ab"},
            ]
        }
    )

    reason: Annotated[str, Field(min_length=5, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")] = Field(
        description="Why; masked like any free text"
    )
    action: (
        Literal[
            Action.DISPATCH,
            Action.ACCEPT,
            Action.ARRIVE,
            Action.HANDLE,
            Action.CLOSE,
            Action.SEND_BACK,
            Action.CANCEL,
            Action.MARK_DUPLICATE,
            Action.REOPEN,
        ]
        | None
    ) = Field(None, description="Step of the life cycle; a place that is given is the step place by itself")
    duplicate_of: Code | None = Field(None, description="Id of the incident that this one repeats, with mark_duplicate")
    category: Code | None = Field(None, description="Corrected kind")
    urgency: Urgency | None = Field(None, description="Corrected urgency")


class PlaceOut(BaseModel):
    """Where it is, and how sure that is."""

    is_placed: bool
    lon: float | None = Field(description="WGS 84, degrees")
    lat: float | None = Field(description="WGS 84, degrees")
    x_m: float | None = Field(description="East in the community's system, metres")
    y_m: float | None = Field(description="North in the community's system, metres")
    crs: str | None = Field(description="The community's system")
    building_id: str | None
    unit_id: str | None
    grid_id: str | None
    address: str | None = Field(description="Standard address")
    source: str | None = Field(description="coordinates, address, both or hand")
    confidence: float | None = Field(description="How sure, 0 to 1")
    reason: str | None = Field(description="Code of what counts most against it")
    gap_m: float | None = Field(description="Metres between coordinates and address, when both were said")
    disagrees: bool = Field(description="The two are more than 50 m apart")


class PlaceAnswer(PlaceOut):
    """As it is answered on arrival: with what else may have been meant."""

    candidates: list[str] = Field(description="Standard addresses that may have been meant")


class TakenIn(BaseModel):
    """What became of one incident."""

    incident_id: str
    source_no: str | None
    is_new: bool = Field(description="False: this number had come in before, and nothing was changed")
    status: State | None = Field(description="Absent for one that had come in before")
    place: PlaceAnswer | None = Field(description="Absent for one that had come in before")
    possible_duplicates: list[str] = Field(description="Open ones at the same place within ten minutes; never merged")
    left_out: list[str] = Field(description="Fields that this store may not keep")


class TakenInAll(BaseModel):
    """Answer to POST, in the order of the request."""

    incidents: list[TakenIn]


class Reported(BaseModel):
    """One incident as another system may read it: no caller, no words of theirs."""

    incident_id: str
    source_no: str | None
    category: str | None = Field(description="Absent for a sensitive kind")
    urgency: str
    source: str | None
    received_at: datetime
    occurred_from: datetime
    occurred_to: datetime
    closed_at: datetime | None
    status: str
    undisclosed: bool = Field(description="A sensitive kind: only its grid and its time are told")
    duplicate_of: str | None
    place: PlaceOut


class ReportedAll(BaseModel):
    """A page of incidents, newest first."""

    incidents: list[Reported]
    next_before: str | None = Field(description="Ask with before= this for the next page; absent on the last")


class StepOut(BaseModel):
    """One step of the life cycle."""

    action: Action
    at: datetime
    by: str
    duplicate_of: str | None


class StayOut(BaseModel):
    """How long a state lasted."""

    state: State
    since: datetime
    duration_s: float | None = Field(description="Seconds; absent for the state that it is in")


class ReportedOne(Reported):
    """One incident with its steps."""

    steps: list[StepOut]
    times: list[StayOut]
    allowed_actions: list[Action]
    possible_duplicates: list[str]


class Category(BaseModel):
    """One kind of incident."""

    category: str
    parent: str | None
    name_zh: str
    name_en: str
    sensitive: bool
    key: str | None = Field(description="Digit or letter under which it is typed among its neighbours")
    urgency: Urgency | None = Field(description="What is usual; this and what follows may be of the kind above")
    colour: str | None = Field(description="#rrggbb")
    symbol: str | None = Field(description="One or two characters")
    target_dispatch_minutes: float | None = Field(description="From the report to sending somebody")
    target_minutes: float | None = Field(description="From the report to somebody on scene")
    target_close_minutes: float | None = Field(description="From the report to its end")


class Categories(BaseModel):
    """The tree of kinds."""

    categories: list[Category]


class FieldReason(BaseModel):
    """What is wrong with one field."""

    field: str
    reason: str


class ErrorBody(BaseModel):
    """What went wrong."""

    kind: str
    message: str
    fields: list[FieldReason] = Field(default=[], description="One for each field that cannot be used")


class Refusal(BaseModel):
    """Every answer that is not a success."""

    error: ErrorBody
