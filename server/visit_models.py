"""What a phone sends from a round of visits: fields and limits; what nobody asked for is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tasks.visiting import Found, Seen, Where

_OLDEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# A key is the phone's own random id; it becomes the id of evidence and proposals.
Key = Annotated[str, Field(pattern=r"^[0-9a-f-]{16,40}$")]
Code = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]
Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Moment = Annotated[AwareDatetime, Field(ge=_OLDEST, le=_LATEST)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _Where(_Strict):
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None


class _Finding(_Strict):
    code: Code
    rectify_by: date
    text: Text = ""


class SeenModel(_Strict):
    """One thing that was kept."""

    key: Key
    kind: Literal["visit", "nobody_home", "difference"]
    task: Id
    device_utc: Moment
    skew_s: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    where: _Where | None = None
    answers: Annotated[dict[Code, Literal["ok", "not_ok", "not_applicable"]], Field(max_length=60)] = {}
    text: Text = ""
    findings: Annotated[list[_Finding], Field(max_length=30)] = []
    mended: bool | None = None
    subject_kind: Literal["unit", "rental", ""] = ""
    subject_id: Annotated[str, Field(max_length=80)] = ""
    what: Literal["moved_in", "moved_out", "use_changed", "walls_added", ""] = ""
    field: Literal["residents_count", "floating_count", "use", "area_m2", "tenants_count", "rooms_count", "beds_count", ""] = ""  # fmt: skip # noqa: E501
    new_value: Annotated[str, Field(max_length=60)] = ""
    again_utc: Moment | None = None

    def to_seen(self) -> Seen:
        """As the rules take it."""
        return Seen(
            self.key,
            self.kind,
            self.task,
            self.device_utc,
            self.skew_s,
            None if self.where is None else Where(self.where.lon, self.where.lat, self.where.accuracy_m),
            dict(self.answers),
            self.text,
            tuple(Found(one.code, one.rectify_by, one.text) for one in self.findings),
            self.mended,
            self.subject_kind,
            self.subject_id,
            self.what,
            self.field,
            self.new_value,
            self.again_utc,
        )


class ChosenModel(_Strict):
    """Which tasks a phone takes out."""

    tasks: Annotated[list[Id], Field(min_length=1, max_length=60)]


class PhotoModel(_Strict):
    """What stands in the address of a photo: which it is, of what, and when it was taken by the phone's clock."""

    key: Key
    task: Id
    evidence: Key
    device_utc: Moment
    skew_s: Annotated[float, Field(allow_inf_nan=False)] = 0.0
