"""Opening masked fields with a reason, what the log says of it, approvals of two, keys, settings, sealed free text."""

from __future__ import annotations

import dataclasses
import json

import pytest

from data.api_keys import SCOPES, ApiKey, KeyRefusal, KeyRing, list_keys, put_key, put_revocation
from data.approvals import ask, decide, get_approval, list_approvals, use_in
from data.audit import verify
from data.intake import KnownNames, mask_at_intake, read_known_names, take_in, unseal
from data.masking import mask_frame
from data.openings import find_openings, get_opening_end, open_fields
from data.queries import find_incidents, find_occupants, get_place
from data.secret_files import get_key, get_secret_path
from data.settings_store import SENSITIVE_KINDS, StoreSettings, put_setting, read_settings
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tests.fixtures.access import Clock

OFFICER = Viewer(Role.OFFICER, account_id="a1", name="officer1")
COMMANDER = Viewer(Role.COMMANDER, account_id="a2", name="commander")
WORKER = Viewer(Role.GRID_WORKER, frozenset({"g1"}), account_id="a3", name="worker")
REASON = "查找走失老人的家属"


def read_log(store: Store, action: str) -> list[dict[str, object]]:
    rows = store.read("SELECT * FROM audit_log WHERE action = ? ORDER BY seq", [action])
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


# Openings


def test_a_reason_opens_one_home_for_ten_minutes(access_store: Store, clock: Clock) -> None:
    opening = open_fields(access_store, OFFICER, "unit", "u1", reason=REASON, clock=clock)
    assert (opening.basis, opening.reason, opening.incident_id) == ("reason", REASON, None)
    viewer = opening.apply(OFFICER)
    assert viewer.openings == find_openings(access_store, "a1", clock=clock) == {("unit", "u1")}
    assert get_place(access_store, viewer, "unit", "u1").facts["owner_name"] == "王建国"
    assert get_place(access_store, viewer, "unit", "u2").facts["owner_name"] == "王**"
    assert find_occupants(access_store, viewer, "u1")["name"].tolist() == ["李小红"]
    assert find_openings(access_store, "a2", clock=clock) == frozenset(), "open to the account that asked, to no other"
    clock.move(minutes=9, seconds=59)
    assert find_openings(access_store, "a1", clock=clock)
    assert get_opening_end(access_store, "a1", "unit", "u1") > clock()
    clock.move(seconds=1)
    assert find_openings(access_store, "a1", clock=clock) == frozenset()
    with pytest.raises(RecordMissingError, match="unit 'u2' was never opened"):
        get_opening_end(access_store, "a1", "unit", "u2")


@pytest.mark.parametrize("reason", [None, "", "    ", "查", "a b ", "    abc     d  "[:8]])
def test_without_a_reason_nothing_opens(access_store: Store, clock: Clock, reason: str | None) -> None:
    with pytest.raises(BadRecordError, match=r"The reason has \d characters, expected at least 5"):
        open_fields(access_store, OFFICER, "unit", "u1", reason=reason, clock=clock)
    assert read_log(access_store, "open_field") == []


def test_an_open_incident_at_the_home_is_a_reason_by_itself(access_store: Store, clock: Clock) -> None:
    access_store.write(
        lambda tx: tx.execute("incidents", "UPDATE incidents SET status = 'arrived' WHERE incident_id = 'i1'")
    )
    for kind, subject in (("unit", "u1"), ("rental", "r1"), ("occupant", "o1"), ("incident", "i1")):
        opening = open_fields(access_store, WORKER, kind, subject, clock=clock)
        assert (opening.basis, opening.incident_id, opening.reason) == ("incident", "i1", None)
    for kind, subject in (("unit", "u2"), ("incident", "i2"), ("building", "b1")):
        with pytest.raises(BadRecordError, match="The reason has 0 characters"):
            open_fields(access_store, OFFICER, kind, subject, clock=clock)
    detail = json.loads(str(read_log(access_store, "open_field")[0]["detail"]))
    assert (detail["basis"], detail["incident"]) == ("incident", "i1")


def test_a_clock_that_was_set_back_keeps_nothing_open(access_store: Store, clock: Clock) -> None:
    open_fields(access_store, OFFICER, "unit", "u1", reason=REASON, clock=clock)
    clock.move(hours=-1)
    assert find_openings(access_store, "a1", clock=clock) == frozenset()


def test_only_an_account_opens_and_the_wall_never(access_store: Store, clock: Clock) -> None:
    with pytest.raises(NotAllowedError, match="Nobody is signed in"):
        open_fields(access_store, Viewer(Role.OFFICER), "unit", "u1", reason=REASON, clock=clock)
    with pytest.raises(NotAllowedError, match="Role 'wall' may not use action 'open_field'"):
        open_fields(access_store, WALL, "unit", "u1", reason=REASON, clock=clock)
    with pytest.raises(BadRecordError, match="Subject kind 'person' is not known"):
        open_fields(access_store, OFFICER, "person", "u1", reason=REASON, clock=clock)


def test_opening_and_looking_are_in_the_log_with_purpose(access_store: Store, clock: Clock) -> None:
    viewer = open_fields(access_store, OFFICER, "unit", "u1", reason=REASON, clock=clock).apply(OFFICER)
    frame = access_store.read("SELECT unit_id, owner_name FROM units")
    for _ in range(4):  # at 0, 25, 50 and 75 seconds
        mask_frame(frame, "units", viewer, access_store, clock=clock)
        clock.move(seconds=25)
    mask_frame(frame, "units", OFFICER, access_store, clock=clock)
    looks, opened = read_log(access_store, "look"), read_log(access_store, "open_field")
    assert [(row["subject_kind"], row["subject_id"], row["actor"]) for row in looks] == [("unit", "u1", "officer1")] * 2
    assert [(row["reason"], row["account_id"], row["role"]) for row in opened] == [(REASON, "a1", "officer")]
    assert verify(access_store).is_whole


def test_what_somebody_types_as_a_reason_names_nobody(access_store: Store, clock: Clock) -> None:
    typed = "找王建国 电话13812341234 身份证11010519491231002X"
    opening = open_fields(access_store, OFFICER, "unit", "u1", reason=typed, clock=clock)
    assert opening.reason == "找王** 电话*** 身份证***"
    everything = (
        access_store.read("SELECT * FROM audit_log").to_csv() + access_store.read("SELECT * FROM openings").to_csv()
    )
    assert [word for word in ("王建国", "13812341234", "002X") if word in everything] == []


# Approvals


def test_two_persons_agree_and_it_is_used_once(access_store: Store, clock: Clock) -> None:
    asked = ask(access_store, OFFICER, "export_personal", "grid:g1", "移交社区的名册", clock=clock)
    assert (asked.approved, asked.asked_by, asked.used_utc) == (None, "a1", None)
    with pytest.raises(RefusedError, match="waits for a second person"):
        use(access_store, asked.approval_id, clock)
    decided = decide(access_store, COMMANDER, asked.approval_id, approved=True, clock=clock)
    assert (decided.approved, decided.decided_by) == (True, "a2")
    for viewer, action, subject in (
        (COMMANDER, "export_personal", "grid:g1"),
        (OFFICER, "export_precise", "grid:g1"),
        (OFFICER, "export_personal", "grid:g2"),
    ):
        with pytest.raises(RefusedError, match="is for something else, or was asked for by another account"):
            use(access_store, asked.approval_id, clock, viewer=viewer, action=action, subject=subject)
    clock.move(hours=23, minutes=59)
    use(access_store, asked.approval_id, clock)
    assert get_approval(access_store, asked.approval_id).used_utc == clock()
    with pytest.raises(RefusedError, match="was used already"):
        use(access_store, asked.approval_id, clock)
    assert [json.loads(str(row["detail"]))["step"] for row in read_log(access_store, "approve")] == ["ask", "yes"]


def use(
    store: Store,
    approval_id: str,
    clock: Clock,
    *,
    viewer: Viewer = OFFICER,
    action: str = "export_personal",
    subject: str = "grid:g1",
) -> None:
    store.write(lambda tx: use_in(tx, viewer, approval_id, action, subject, clock=clock))  # type: ignore[arg-type]


def test_nobody_approves_their_own_wish(access_store: Store, clock: Clock) -> None:
    asked = ask(access_store, COMMANDER, "erase_person", "person:x", "本人申请删除", clock=clock)
    with pytest.raises(NotAllowedError, match="Nobody approves what they asked for themselves"):
        decide(access_store, COMMANDER, asked.approval_id, approved=True, clock=clock)
    with pytest.raises(NotAllowedError, match="Role 'officer' may not use action 'decide'"):
        decide(access_store, OFFICER, asked.approval_id, approved=True, clock=clock)
    with pytest.raises(BadRecordError):  # and the file itself refuses such a row, whatever the code does
        access_store.write(
            lambda tx: tx.execute("approvals", "UPDATE approvals SET decided_by = asked_by, approved = true")
        )
    assert get_approval(access_store, asked.approval_id).approved is None


def test_what_was_refused_or_is_over_cannot_be_used(access_store: Store, clock: Clock) -> None:
    ids = [ask(access_store, OFFICER, "export_personal", "grid:g1", REASON, clock=clock).approval_id for _ in range(3)]
    decide(access_store, COMMANDER, ids[0], approved=False, clock=clock)
    with pytest.raises(RefusedError, match="was refused"):
        use(access_store, ids[0], clock)
    with pytest.raises(RefusedError, match="was decided already"):
        decide(access_store, COMMANDER, ids[0], approved=True, clock=clock)
    for identifier, hours in ((ids[1], 24), (ids[2], -1)):
        decide(access_store, COMMANDER, identifier, approved=True, clock=clock)
        clock.move(hours=hours)
        with pytest.raises(RefusedError, match="is over"):
            use(access_store, identifier, clock)
    with pytest.raises(RecordMissingError, match="There is no request for approval 'p-none'"):
        decide(access_store, COMMANDER, "p-none", approved=True, clock=clock)
    assert len(list_approvals(access_store)) == 3


@pytest.mark.parametrize(
    ("viewer", "action", "reason", "error"),
    [
        (WALL, "export_personal", REASON, NotAllowedError),
        (WORKER, "export_precise", REASON, NotAllowedError),
        (OFFICER, "erase_person", REASON, NotAllowedError),
        (dataclasses.replace(OFFICER, account_id=None), "export_precise", REASON, NotAllowedError),
        (OFFICER, "export_precise", "x", BadRecordError),
        (OFFICER, "drink_tea", REASON, BadRecordError),
    ],
)
def test_what_cannot_be_asked(
    access_store: Store, clock: Clock, viewer: Viewer, action: str, reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(access_store, viewer, action, "grid:g1", reason, clock=clock)  # type: ignore[arg-type]
    assert list_approvals(access_store) == ()


# Keys of other systems


def make_key(store: Store, clock: Clock, *, rate: int = 60) -> tuple[str, str]:
    return store.write(
        lambda tx: put_key(tx, "alarm", ["incidents:write"], rate_per_minute=rate, created_by="boss", clock=clock)
    )


def test_a_key_opens_its_scope_until_it_is_revoked(access_store: Store, clock: Clock) -> None:
    key_id, text = make_key(access_store, clock)
    ring = KeyRing(access_store, clock)
    found = ring.check(text, "incidents:write")
    assert isinstance(found, ApiKey)
    assert (found.name, found.scopes, found.key_id) == ("alarm", {"incidents:write"}, key_id)
    assert ring.check(text, "metrics:read") is KeyRefusal.SCOPE
    secret = text.rpartition(f"{key_id}_")[2]
    assert secret not in access_store.read("SELECT * FROM api_keys").to_csv()
    ring.sweep()
    assert list_keys(access_store)[0].last_used_utc == clock()
    access_store.write(lambda tx: put_revocation(tx, key_id, clock=clock))
    assert ring.check(text, "incidents:write") is KeyRefusal.REVOKED
    with pytest.raises(RecordMissingError, match="There is no key 'none'"):
        access_store.write(lambda tx: put_revocation(tx, "none", clock=clock))


def test_what_is_no_key(access_store: Store, clock: Clock) -> None:
    key_id, text = make_key(access_store, clock)
    ring = KeyRing(access_store, clock)
    stored = access_store.read("SELECT secret_sha256 AS s FROM api_keys")["s"].iloc[0]
    for wrong in (
        "",
        "spk_",
        text[:-1],
        text + "x",
        text.replace(key_id, "0" * 12),
        f"spk_{key_id}_{stored[:43]}",
        "钥匙",
    ):
        assert ring.check(wrong, "incidents:write") is KeyRefusal.UNKNOWN
    assert ring.check(text[:-1] + ("A" if text[-1] != "A" else "B"), "incidents:write") is KeyRefusal.UNKNOWN


def test_a_key_may_ask_so_often_a_minute(access_store: Store, clock: Clock) -> None:
    ring, (_, text) = KeyRing(access_store, clock), make_key(access_store, clock, rate=6)

    def count(tries: int) -> int:
        return sum(isinstance(ring.check(text, "incidents:write"), ApiKey) for _ in range(tries))

    assert count(10) == 6
    clock.move(seconds=10)
    assert count(10) == 1
    clock.move(minutes=10)
    assert count(10) == 6
    clock.move(hours=-5)
    assert count(10) == 0, "a clock that goes back brings nothing"
    clock.move(seconds=20)
    assert count(10) == 2, "nor does it shut the key out until the old time is reached"


@pytest.mark.parametrize(
    ("name", "scopes", "rate", "problem"),
    [
        ("报警系统", ["incidents:write"], 1, "Key name '报警系统' cannot be used"),
        ("alarm", [], 1, "Scope none is not known"),
        ("alarm", ["all"], 1, "Scope all is not known: expected some of incidents:read"),
        ("alarm", sorted(SCOPES), 0, "Rate 0 a minute cannot be used"),
    ],
)
def test_keys_that_cannot_be(
    access_store: Store, clock: Clock, name: str, scopes: list[str], rate: int, problem: str
) -> None:
    with pytest.raises(BadRecordError, match=problem):
        access_store.write(lambda tx: put_key(tx, name, scopes, rate_per_minute=rate, created_by="x", clock=clock))


# Settings


def test_settings_have_defaults_limits_and_types(access_store: Store, clock: Clock) -> None:
    assert read_settings(access_store) == StoreSettings()

    def put(name: str, value: object) -> None:
        access_store.write(lambda tx: put_setting(tx, name, value, changed_by="boss", clock=clock))

    put("opening_minutes", 3)
    put("opening_minutes", 4)
    put("sensitive_kinds", ["theft", "theft", "minors"])
    assert read_settings(access_store) == StoreSettings(opening_minutes=4, sensitive_kinds=("minors", "theft"))
    for name, value in (
        *(("opening_minutes", wrong) for wrong in (0, 61, "3", 2.5, True, None)),
        *(("sensitive_kinds", wrong) for wrong in ("theft", [1], [""])),
        ("retention_volunteer_position_hours", 73),
        ("no_such", 1),
    ):
        with pytest.raises(BadRecordError):
            put(name, value)
    assert read_settings(access_store).opening_minutes == 4


def test_a_kind_is_sensitive_by_the_setting_too(access_store: Store, clock: Clock) -> None:
    access_store.write(
        lambda tx: tx.execute(
            "incident_categories",
            "INSERT INTO incident_categories (category, name_zh, name_en, sensitive) "
            "VALUES ('theft', '', '', false), ('self_harm', '', '', false)",
        )
    )
    assert "self_harm" in SENSITIVE_KINDS
    access_store.write(
        lambda tx: tx.execute("incidents", "UPDATE incidents SET category = 'self_harm' WHERE incident_id = 'i1'")
    )
    assert find_incidents(access_store, WALL)["undisclosed"].tolist() == [True, False]
    assert find_incidents(access_store, WORKER)["undisclosed"].tolist() == [True]
    assert find_incidents(access_store, OFFICER)["undisclosed"].tolist() == [False, False]
    access_store.write(lambda tx: put_setting(tx, "sensitive_kinds", ["theft"], changed_by="boss", clock=clock))
    assert find_incidents(access_store, WALL)["undisclosed"].tolist() == [False, True]


# Free text at intake


def test_free_text_is_masked_for_every_name_that_the_store_knows(access_store: Store) -> None:
    text = "王建国（13812341234）打了李小红，李小红身份证11010519491231002X，住西区12幢3单元402室"
    masked = "王**（***）打了李**，李**身份证***，住西区12幢3单元402室"
    assert mask_at_intake(access_store, text) == masked
    assert mask_at_intake(read_known_names(access_store), masked) == masked


def test_the_longest_name_wins_and_latin_names_are_whole_words() -> None:
    known = KnownNames.build(["张三", "张三丰", "Li", " ", "王"])
    assert known.mask("张三丰和张三") == "张**和张**"
    assert known.mask("Li likes Lisbon, Li") == "L** likes Lisbon, L**"
    assert known.mask("王法") == "王法", "one character is no name"
    assert KnownNames.build([]).mask("张三") == "张三"


def test_the_original_is_sealed_and_opens_for_who_opened_the_incident(access_store: Store, clock: Clock) -> None:
    original = "李小红报警，电话13987654321"
    known = read_known_names(access_store)

    def store_text(row_id: str, text: str) -> str:
        return access_store.write(
            lambda tx: take_in(
                access_store, tx, known, text, table="incidents", row_id=row_id, column="narrative", clock=clock
            )
        )

    assert store_text("i1", original) == "李**报警，电话***"
    assert store_text("i2", "没有人名") == "没有人名"
    sealed = access_store.read("SELECT * FROM sealed_texts")
    assert len(sealed) == 1
    assert "李小红" not in sealed.to_csv()
    viewer = open_fields(access_store, OFFICER, "incident", "i1", reason=REASON, clock=clock).apply(OFFICER)
    assert unseal(access_store, viewer, "incidents", "i1", "narrative", clock=clock) == original
    assert len(read_log(access_store, "look")) == 1
    for other in (OFFICER, dataclasses.replace(viewer, account_id=None), WALL):
        with pytest.raises(NotAllowedError, match="The original is sealed"):
            unseal(access_store, other, "incidents", "i1", "narrative", clock=clock)
    with pytest.raises(RecordMissingError, match="no sealed original"):
        unseal(access_store, viewer, "incidents", "i1", "address_text", clock=clock)
    access_store.write(lambda tx: tx.execute("sealed_texts", "UPDATE sealed_texts SET column_name = 'address_text'"))
    with pytest.raises(BadFileError, match="cannot be opened"):  # moved: it is bound to its place
        unseal(access_store, viewer, "incidents", "i1", "address_text", clock=clock)


def test_the_secret_is_made_once_and_missed_when_it_is_needed(access_store: Store) -> None:
    path = get_secret_path(access_store.path)
    path.unlink()
    with pytest.raises(BadFileError, match=r"needs its secret .*demo\.secret, which is gone"):
        get_key(access_store, "identity")
    access_store.write(lambda tx: tx.execute("occupants", "UPDATE occupants SET identity_hash = NULL"))
    key = get_key(access_store, "identity")
    assert path.stat().st_mode & 0o077 == 0
    assert get_key(access_store, "identity") == key != get_key(access_store, "other")
