"""Sessions: idle and absolute ends, revoking, the clock set back, and what outlives a restart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from data.accounts import change_password, disable_account, get_account, reset_password
from data.sessions import Session, Sessions
from data.settings_store import put_setting
from data.store import Store
from data.viewer import Role
from tests.fixtures.access import PASSWORD, Clock, add


class Ends(list[tuple[str, str | None]]):
    """Which sessions ended, and why, as a listener hears it."""

    def note(self, session: Session) -> None:
        self.append((session.account.name, session.why))


def watch(store: Store, clock: Clock) -> tuple[Sessions, Ends]:
    sessions, ends = Sessions(store, clock), Ends()
    sessions.on_end(ends.note)
    return sessions, ends


def read_ends(store: Store) -> list[str | None]:
    rows = store.read("SELECT ended_why FROM sessions ORDER BY started_utc, session_id").astype(object)
    return [None if value != value else value for value in rows["ended_why"]]


def test_a_session_lasts_while_it_is_used_and_no_longer_than_half_a_day(access_store: Store, clock: Clock) -> None:
    sessions, ends = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"), address="10.0.0.7")
    for _ in range(24):
        clock.move(minutes=29, seconds=50)
        found = sessions.find(token)
        assert found is not None
        assert (found.account.name, found.address, found.must_change) == ("w2", "10.0.0.7", True)
        assert found.to_viewer().account_id == found.account.account_id
    clock.move(minutes=3)
    assert sessions.find(token) is not None
    clock.move(minutes=1)
    assert sessions.find(token) is None, "twelve hours, however busy"
    assert sessions.find(token) is None
    assert ends == [("w2", "absolute")]
    assert read_ends(access_store) == [None]
    sessions.sweep()
    assert read_ends(access_store) == ["absolute"]


def test_nobody_at_the_desk_for_half_an_hour_ends_it(access_store: Store, clock: Clock) -> None:
    sessions, ends = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    for _ in range(3):  # what a page asks by itself keeps nothing awake
        clock.move(minutes=9)
        assert sessions.find(token, is_use=False) is not None
    clock.move(minutes=3)
    assert sessions.sweep() == 1
    assert sessions.find(token) is None
    assert ends == [("w2", "idle")]
    assert read_ends(access_store) == ["idle"]


def test_the_wall_is_never_idle_and_signs_in_once_a_month(access_store: Store, clock: Clock) -> None:
    sessions, ends = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "screen", Role.WALL))
    clock.move(days=29, hours=23)
    assert sessions.find(token) is not None
    clock.move(hours=1)
    assert sessions.find(token) is None
    assert ends == [("screen", "absolute")]


@pytest.mark.parametrize("text", [None, "", "nonsense", "x" * 5000, "s-1"])
def test_what_is_no_token_finds_nothing(access_store: Store, clock: Clock, text: str | None) -> None:
    sessions = Sessions(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    digest = access_store.read("SELECT token_sha256 AS t FROM sessions")["t"].iloc[0]
    assert digest == hashlib.sha256(token.encode()).hexdigest()
    assert sessions.find(text) is None
    assert sessions.find(digest) is None, "who reads the file cannot sign in with what it holds"
    assert len(token) >= 43


def test_signing_out_ends_one_session_and_revoking_all(access_store: Store, clock: Clock) -> None:
    sessions, ends = watch(access_store, clock)
    account, other = add(access_store, clock, "w2"), add(access_store, clock, "w3")
    tokens = [sessions.start(account) for _ in range(3)]
    theirs = sessions.start(other)
    assert len(set(tokens)) == 3
    assert sessions.end(tokens[0]) is not None
    assert sessions.end(tokens[0]) is None
    assert [s.account.name for s in sessions.list_live()].count("w2") == 2
    assert sessions.end_all(account.account_id) == 2
    assert [sessions.find(token) is None for token in [*tokens, theirs]] == [True, True, True, False]
    assert ends == [("w2", "sign_out"), ("w2", "revoked"), ("w2", "revoked")]
    actions = access_store.read("SELECT action FROM audit_log WHERE subject_kind = 'session' ORDER BY seq")["action"]
    assert actions.tolist() == ["sign_out", "session_ended", "session_ended"]


def test_whoever_changes_the_account_in_the_file_ends_its_sessions_at_once(access_store: Store, clock: Clock) -> None:
    """The command line knows nothing of this object: the commit alone tells it."""
    sessions, ends = watch(access_store, clock)
    tokens = {name: sessions.start(add(access_store, clock, name)) for name in ("w2", "w3", "w4", "w5")}
    tokens["w6"] = sessions.start(add(access_store, clock, "w6", Role.GRID_WORKER, ("g1",)))
    disable_account(access_store, "w2", clock=clock)
    reset_password(access_store, "w3", clock=clock)
    change_password(access_store, get_account(access_store, "w4").account_id, PASSWORD, "new long words", clock=clock)
    access_store.write(lambda tx: tx.execute("account_grids", "UPDATE account_grids SET grid_id = 'g2'"))
    assert ends == [("w2", "disabled"), ("w3", "password"), ("w4", "password"), ("w6", "role")]
    assert [name for name, token in tokens.items() if sessions.find(token)] == ["w5"]
    sessions.sweep()
    assert sorted(map(str, read_ends(access_store))) == ["None", "disabled", "password", "password", "role"]


def test_a_clock_that_goes_back_ends_every_session(access_store: Store, clock: Clock) -> None:
    """Idle for 29 minutes at noon, then set back to nine: nobody can tell any more how long it was unused."""
    sessions, ends = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    clock.move(minutes=29)
    sessions.sweep()
    clock.move(minutes=-29)
    assert sessions.find(token) is None
    assert ends == [("w2", "clock")]
    again = sessions.start(get_account(access_store, "w2"))
    assert sessions.find(again) is not None, "after it a sign-in works"
    clock.move(seconds=-50)
    assert sessions.find(again) is not None, "a small correction ends nothing"
    for _ in range(3):
        clock.move(seconds=-50)
    assert sessions.find(again) is None, "nor can many small ones add up"


def test_small_steps_back_make_no_session_longer(access_store: Store, clock: Clock) -> None:
    sessions, _ = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    clock.move(minutes=29, seconds=30)
    sessions.sweep()
    clock.move(seconds=-50)
    assert sessions.find(token, is_use=False) is not None
    clock.move(seconds=50 + 30)
    assert sessions.find(token, is_use=False) is None


def test_sessions_outlive_a_restart_but_not_a_clock_set_back_meanwhile(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "demo.duckdb"
    with Store(path, clock=clock) as store:
        account = add(store, clock, "w2")
        sessions = Sessions(store, clock)
        used, idle, ended = (sessions.start(account) for _ in range(3))
        sessions.end(ended)
        clock.move(minutes=20)
        assert sessions.find(used)
        sessions.close()
    clock.move(minutes=15)
    with Store(path, clock=clock) as store:
        sessions = Sessions(store, clock)
        assert [sessions.find(token) is not None for token in (used, idle, ended)] == [True, False, False]
        sessions.close()
    clock.move(hours=-2)
    with Store(path, clock=clock) as store:
        sessions = Sessions(store, clock)
        assert sessions.find(used) is None
        sessions.close()
        assert read_ends(store).count("clock") == 1


def test_settings_count_from_the_moment_they_are_set(access_store: Store, clock: Clock) -> None:
    sessions, _ = watch(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    access_store.write(lambda tx: put_setting(tx, "idle_minutes", 2, changed_by="boss", clock=clock))
    clock.move(minutes=2)
    assert sessions.find(token) is None


def test_a_listener_that_fails_holds_up_nobody(access_store: Store, clock: Clock) -> None:
    sessions = Sessions(access_store, clock)
    ends = Ends()

    def fail(_: Session) -> None:
        raise RuntimeError("own error")

    sessions.on_end(fail)
    sessions.on_end(ends.note)
    sessions.end(sessions.start(add(access_store, clock, "w2")))
    assert ends == [("w2", "sign_out")]


def test_looking_writes_nothing(access_store: Store, clock: Clock) -> None:
    """The guard asks for every request: a slow import must not hold up a page."""
    sessions = Sessions(access_store, clock)
    token = sessions.start(add(access_store, clock, "w2"))
    revision = access_store.revision()
    for _ in range(50):
        clock.move(seconds=30)
        assert sessions.find(token)
    assert access_store.revision() == revision
    sessions.sweep()
    assert access_store.revision() == revision + 1
    seen = access_store.read("SELECT last_seen_utc AS at FROM sessions")["at"].iloc[0]
    assert seen.to_pydatetime() == clock().replace(tzinfo=None)
    sessions.sweep()
    assert access_store.revision() == revision + 1
