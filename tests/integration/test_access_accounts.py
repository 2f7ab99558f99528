"""Accounts and sign-in: lockout with delay, first change, what the log and the file keep."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
from argon2 import PasswordHasher

from data import passwords
from data.accounts import (
    Account,
    Refusal,
    add_account,
    change_password,
    change_role,
    disable_account,
    find_account,
    get_account,
    is_administered,
    list_accounts,
    reset_password,
    sign_in,
)
from data.passwords import check_password, hash_password, is_password, make_password
from data.sessions import Sessions
from data.store import Store
from data.viewer import Role
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tests.fixtures.access import PASSWORD, Clock, add

WRONG = "a wrong password"


def test_an_account_as_it_was_added(access_store: Store, clock: Clock) -> None:
    account = add(access_store, clock, " Officer07 ")
    assert (account.name, account.role, account.grids) == ("officer07", Role.OFFICER, None)
    assert account.must_change
    worker = add(access_store, clock, "w1", Role.GRID_WORKER, ("g2", "g1", "g1"))
    assert worker.to_viewer().grids == frozenset({"g1", "g2"})
    assert [a.name for a in list_accounts(access_store)] == ["officer07", "w1"]
    assert find_account(access_store, "nobody") is None
    with pytest.raises(RecordMissingError, match="There is no account 'nobody'"):
        get_account(access_store, "nobody")


@pytest.mark.parametrize(
    ("name", "role", "grids", "error", "sentence"),
    [
        ("王警官", Role.OFFICER, (), BadRecordError, "Account name '王警官' cannot be used"),
        ("x" * 41, Role.OFFICER, (), BadRecordError, "cannot be used: expected 2 to 40"),
        ("officer", Role.OFFICER, ("g1",), RefusedError, "A grid worker needs grids, and no other role has any"),
        ("worker", Role.GRID_WORKER, (), RefusedError, "A grid worker needs grids"),
        ("worker", Role.GRID_WORKER, ("g9",), BadRecordError, "There is no grid g9: expected some of g1, g2"),
        ("taken", Role.OFFICER, (), RefusedError, "There is an account 'taken' already"),
    ],
)
def test_accounts_that_cannot_be(
    access_store: Store,
    clock: Clock,
    name: str,
    role: Role,
    grids: tuple[str, ...],
    error: type[Exception],
    sentence: str,
) -> None:
    add(access_store, clock, "taken")
    with pytest.raises(error, match=sentence):
        add(access_store, clock, name, role, grids)
    assert [a.name for a in list_accounts(access_store)] == ["taken"]
    assert len(access_store.read("SELECT seq FROM audit_log")) == 1


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "has 5 characters, expected 10 to 200"),
        ("x" * 201, "has 201 characters"),
        ("aaaaaaaaaaaa", "has hardly any different characters"),
        ("abababababab", "has hardly any different characters"),
        ("1234567890", "is among those that everybody tries first"),
        ("Password123", "is among those that everybody tries first"),
        ("officer07officer07"[:10], "is little more than the account's name"),
        ("xofficer07x", "is little more than the account's name"),
    ],
)
def test_passwords_that_cannot_be(password: str, problem: str) -> None:
    with pytest.raises(BadRecordError, match=problem) as refused:
        check_password(password, name="officer07")
    assert password not in str(refused.value)


def test_passwords_that_can() -> None:
    assert check_password(PASSWORD, name="officer07") == PASSWORD
    assert check_password("警务室门口有两棵大槐树呢", name="officer07")
    assert len({make_password() for _ in range(50)}) == 50
    assert check_password(make_password(), name="officer07")
    stored = hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, second recommended option
    assert is_password(stored, PASSWORD)
    assert not is_password(stored, WRONG)
    assert not is_password(None, PASSWORD)
    assert not is_password("no hash", PASSWORD)


def test_signing_in_and_the_forced_first_change(access_store: Store, clock: Clock) -> None:
    account = add(access_store, clock, "boss", Role.ADMIN)
    signed_in = sign_in(access_store, "BOSS ", PASSWORD, clock=clock, address="10.0.0.7")
    assert isinstance(signed_in, Account)
    assert (signed_in.must_change, signed_in.last_sign_in_utc) == (True, clock())
    with pytest.raises(NotAllowedError, match="The old password is not right"):
        change_password(access_store, account.account_id, WRONG, "another long one", clock=clock)
    with pytest.raises(BadRecordError, match="The new password is the old one"):
        change_password(access_store, account.account_id, PASSWORD, PASSWORD, clock=clock)
    with pytest.raises(BadRecordError, match="has 5 characters"):
        change_password(access_store, account.account_id, PASSWORD, "short", clock=clock)
    assert get_account(access_store, "boss").must_change
    assert not change_password(access_store, account.account_id, PASSWORD, "another long one", clock=clock).must_change
    assert sign_in(access_store, "boss", PASSWORD, clock=clock) is Refusal.WRONG_PASSWORD
    assert isinstance(sign_in(access_store, "boss", "another long one", clock=clock), Account)


def test_five_failures_close_an_account_and_each_more_for_twice_as_long(access_store: Store, clock: Clock) -> None:
    add(access_store, clock, "w2")
    add(access_store, clock, "ww")
    store = access_store
    assert [sign_in(store, "w2", WRONG, clock=clock) for _ in range(5)] == [Refusal.WRONG_PASSWORD] * 5
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        assert sign_in(store, "w2", PASSWORD, clock=clock) is Refusal.LOCKED, "the right one is refused too"
        clock.move(minutes=minutes, seconds=-1)
        assert sign_in(store, "w2", PASSWORD, clock=clock) is Refusal.LOCKED
        clock.move(seconds=1)
        assert sign_in(store, "w2", WRONG, clock=clock) is Refusal.WRONG_PASSWORD
    assert isinstance(sign_in(store, "ww", PASSWORD, clock=clock), Account), "others are not closed with it"
    clock.move(hours=1)
    assert isinstance(sign_in(store, "w2", PASSWORD, clock=clock), Account)
    assert sign_in(store, "w2", WRONG, clock=clock) is Refusal.WRONG_PASSWORD
    assert isinstance(sign_in(store, "w2", PASSWORD, clock=clock), Account), (
        "a sign-in that succeeds starts counting anew"
    )


def test_many_tries_at_once_get_no_more_than_one_by_one(access_store: Store, clock: Clock) -> None:
    add(access_store, clock, "w2")
    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(lambda _: sign_in(access_store, "w2", WRONG, clock=clock), range(12)))
    assert tries.count(Refusal.WRONG_PASSWORD) == 5
    assert tries.count(Refusal.LOCKED) == 7


def test_a_clock_that_was_set_back_closes_nobody_for_longer_than_an_hour(access_store: Store, clock: Clock) -> None:
    add(access_store, clock, "w2")
    for _ in range(5):
        sign_in(access_store, "w2", WRONG, clock=clock)
    clock.move(days=-300)
    assert isinstance(sign_in(access_store, "w2", PASSWORD, clock=clock), Account)


def test_a_reset_opens_a_closed_account(access_store: Store, clock: Clock) -> None:
    add(access_store, clock, "w2")
    for _ in range(6):
        sign_in(access_store, "w2", WRONG, clock=clock)
    fresh = reset_password(access_store, "w2", clock=clock)
    account = sign_in(access_store, "w2", fresh, clock=clock)
    assert isinstance(account, Account)
    assert account.must_change
    assert reset_password(access_store, "w2", password=PASSWORD, clock=clock) == PASSWORD


def test_the_last_administrator_stays(access_store: Store, clock: Clock) -> None:
    assert not is_administered(access_store)
    add(access_store, clock, "boss", Role.ADMIN)
    assert is_administered(access_store)
    with pytest.raises(RefusedError, match=r"'boss' is the last administrator\. Add another first"):
        disable_account(access_store, "boss", clock=clock)
    add(access_store, clock, "boss2", Role.ADMIN)
    assert disable_account(access_store, "boss", clock=clock).disabled_utc == clock()
    assert sign_in(access_store, "boss", PASSWORD, clock=clock) is Refusal.DISABLED
    with pytest.raises(RefusedError, match="'boss2' is the last administrator"):
        disable_account(access_store, "boss2", clock=clock)


def test_an_answer_takes_as_long_for_names_that_there_are_not(
    access_store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the comparison with a hash of nothing an unknown name would be answered in a tenth of the time."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher())
    add(access_store, clock, "w2")

    def measure(name: str) -> float:
        start = time.process_time()
        sign_in(access_store, name, WRONG, clock=clock)
        return time.process_time() - start

    measure("nobody")
    known, unknown = median(measure("w2") for _ in range(4)), median(measure("nobody") for _ in range(4))
    assert unknown > known / 3


def test_the_log_names_no_password_and_no_unknown_name(access_store: Store, clock: Clock) -> None:
    add_account(access_store, "w2", Role.OFFICER, password=PASSWORD, display_name="柳金雀", clock=clock)
    sign_in(access_store, "w2", "typed-Secret-1", clock=clock, address="10.0.0.7")
    sign_in(access_store, "typed-Secret-2", "x", clock=clock, address="10.0.0.7")
    sign_in(access_store, "w2", PASSWORD, clock=clock)
    rows = access_store.read("SELECT * FROM audit_log ORDER BY seq")
    assert rows["action"].tolist() == ["account", "sign_in_refused", "sign_in_refused", "sign_in"]
    assert rows["actor"].tolist() == ["command line", "w2", "unknown", "w2"]
    assert [json.loads(text).get("why") for text in rows["detail"]] == [None, "wrong_password", "unknown_name", None]
    assert rows["address"].tolist()[1] == "10.0.0.7"
    whole = rows.to_csv().lower()
    assert [word for word in ("typed-secret", PASSWORD, "柳金雀", "$argon2") if word in whole] == []


def test_another_role_ends_the_sessions_of_the_old_one(access_store: Store, clock: Clock) -> None:
    account = add(access_store, clock, "w3")
    sessions = Sessions(access_store, clock)
    token = sessions.start(account)
    changed = change_role(access_store, "w3", Role.GRID_WORKER, grids=["g2"], clock=clock)
    assert (changed.role, changed.grids) == (Role.GRID_WORKER, frozenset({"g2"}))
    assert sessions.find(token) is None
    with pytest.raises(RefusedError, match="A grid worker needs grids"):
        change_role(access_store, "w3", Role.GRID_WORKER, clock=clock)
    assert change_role(access_store, "w3", Role.OFFICER, clock=clock).grids is None
    add(access_store, clock, "boss", Role.ADMIN)
    with pytest.raises(RefusedError, match="'boss' is the last administrator"):
        change_role(access_store, "boss", Role.OFFICER, clock=clock)
    assert change_role(access_store, "boss", Role.ADMIN, clock=clock).role is Role.ADMIN
    sessions.close()
