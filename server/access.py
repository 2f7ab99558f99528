"""
What the command line asks for about accounts, keys, the log, a drill, lists and files of the station's platform: one
function each, on an open store.

They are done as the owner of the machine, who needs no account: the log calls them "command line". Arguments and
answers are what JSON knows, so that a running server does the same for a command that came in.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from data import accounts, office_accounts
from data.administration import create_key, revoke_key
from data.api_keys import DEFAULT_RATE_PER_MINUTE, list_keys
from data.audit import COMMAND_LINE, build_entry, record, verify
from data.passwords import make_password
from data.queries_access import find_audit
from data.rights import check_right
from data.store import Clock, Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError
from incidents.drill_report import report_drill
from server import office_lists
from tasks.platform import give_back, read_layout_table, replace_layouts, take_file

Report = dict[str, object]
Arguments = Mapping[str, Any]
OWNER = Viewer(Role.ADMIN, name=COMMAND_LINE)
_DRILLER = Viewer(Role.COMMANDER, name=COMMAND_LINE)
"""Whoever may read the store's file on this machine may do all of it."""
_PAGE_ROWS = 10_000


def run(store: Store, clock: Clock, operation: str, arguments: Arguments) -> Report:
    """
    Do one operation.

    Raises
    ------
    BadRecordError
        There is no such operation, or it wants other arguments.
    ShapanError
        Whatever the operation itself refuses.
    """
    work = OPERATIONS.get(operation)
    if work is None:
        raise BadRecordError(f"There is no operation '{operation[:40]}': expected one of {', '.join(OPERATIONS)}.")
    try:
        return work(store, clock, arguments)
    except (KeyError, TypeError) as error:
        raise BadRecordError(f"Operation '{operation}' wants other arguments: {error} is missing or wrong.") from error


def add_user(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, `role`; may have `grids`, `display_name`, `password` (else one is made up and told once)."""
    role = _to_role(str(arguments["role"]))
    chosen = arguments.get("password")
    password = make_password() if chosen is None else str(chosen)
    account = accounts.add_account(
        store,
        str(arguments["name"]),
        role,
        password=password,
        grids=[str(grid) for grid in arguments.get("grids") or ()],
        display_name=arguments.get("display_name"),
        clock=clock,
    )
    return {**_describe(account), "password": password if chosen is None else None}


def disable_user(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`: nobody signs in with it any more, and its sessions end now."""
    return _describe(accounts.disable_account(store, str(arguments["name"]), clock=clock))


def change_user(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, `role`; may have `grids`: another role or other grids, and its sessions end."""
    role, grids = _to_role(str(arguments["role"])), [str(grid) for grid in arguments.get("grids") or ()]
    return _describe(accounts.change_role(store, str(arguments["name"]), role, grids=grids, clock=clock))


def reset_user(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`; may have `password`: a new first password, and a closed account opens."""
    chosen = arguments.get("password")
    name = str(arguments["name"])
    password = accounts.reset_password(store, name, password=None if chosen is None else str(chosen), clock=clock)
    return {**_describe(accounts.get_account(store, name)), "password": password if chosen is None else None}


def set_office_user(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, and `issuer` or `off`; may have `subject`: who signs in at the office's own provider."""
    name = str(arguments["name"])
    if arguments.get("off"):
        return {**_describe(office_accounts.end_office_sign_in(store, name, clock=clock)), "issuer": None}
    issuer, subject = str(arguments["issuer"] or ""), arguments.get("subject")
    account = office_accounts.allow_office_sign_in(
        store, name, issuer, subject=None if subject is None else str(subject), clock=clock
    )
    return {**_describe(account), "issuer": issuer}


def list_users(store: Store, _: Clock, __: Arguments) -> Report:
    """All accounts by name."""
    return {"users": [_describe(account) for account in accounts.list_accounts(store)]}


def add_key(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`name`, `scopes`; may have `rate_per_minute`: the key, which is told this once."""
    rate = int(arguments.get("rate_per_minute") or DEFAULT_RATE_PER_MINUTE)
    scopes = [str(scope) for scope in arguments["scopes"]]
    text = create_key(store, OWNER, str(arguments["name"]), scopes, rate_per_minute=rate, clock=clock)
    return {"key_id": text.split("_")[1], "name": str(arguments["name"]), "scopes": sorted(set(scopes)), "key": text}


def stop_key(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`key_id`: it is refused from now on."""
    revoke_key(store, OWNER, str(arguments["key_id"]), clock=clock)
    return {"key_id": str(arguments["key_id"]), "revoked": True}


def show_keys(store: Store, _: Clock, __: Arguments) -> Report:
    """All keys by name, without their secrets."""
    return {
        "keys": [
            {
                "key_id": key.key_id,
                "name": key.name,
                "scopes": sorted(key.scopes),
                "rate_per_minute": key.rate_per_minute,
                "created_utc": key.created_utc.isoformat(),
                "last_used_utc": key.last_used_utc and key.last_used_utc.isoformat(),
                "revoked_utc": key.revoked_utc and key.revoked_utc.isoformat(),
            }
            for key in list_keys(store)
        ]
    }


def verify_audit(store: Store, _: Clock, __: Arguments) -> Report:
    """Walk through the whole log."""
    return verify(store).to_dict()


def export_audit(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """May have `after` (a row's number): all rows behind it, oldest first; the export itself is logged first."""
    check_right(OWNER, "action", "export_audit")
    after = int(arguments.get("after") or 0)
    record(store, build_entry(None, "export", subject_kind="audit_log", detail={"after": after}), clock=clock)
    rows: list[dict[str, object]] = []
    while True:
        frame = find_audit(store, OWNER, limit=_PAGE_ROWS, offset=len(rows)).drop(columns="total", errors="ignore")
        frame["at_utc"] = [moment.isoformat() for moment in frame["at_utc"]]
        page = frame.astype(object).where(frame.notna(), None).to_dict("records")
        rows += [{str(name): value for name, value in row.items()} for row in page]
        if len(page) < _PAGE_ROWS or int(page[-1]["seq"]) <= after:
            break
    return {"rows": [row for row in reversed(rows) if int(str(row["seq"])) > after], **_get_head(store)}


def show_drill(store: Store, _: Clock, __: Arguments) -> Report:
    """Times of the drill that this store holds."""
    return report_drill(store, _DRILLER).to_dict()


def read_platform(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`layout`, `content` (base64): take a file of the station's platform in."""
    content = base64.b64decode(str(arguments["content"]), validate=True)
    taken = take_file(store, _DRILLER, str(arguments["layout"]), content, clock=clock)
    return {**vars(taken), "problems": [vars(one) for one in taken.problems]}


def write_platform(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """`layout`, `days`: what changed since then, as the platform reads it."""
    until = clock()
    since = until - timedelta(days=int(arguments["days"]))
    name, content, rows = give_back(store, _DRILLER, str(arguments["layout"]), since=since, until=until, clock=clock)
    return {"name": name, "rows": rows, "content": base64.b64encode(content).decode()}


def show_layouts(store: Store, clock: Clock, arguments: Arguments) -> Report:
    """The table of layouts in force; `content` puts another in its place, `default` the product's own."""
    if arguments.get("content") is not None or arguments.get("default"):
        text = None if arguments.get("default") else str(arguments["content"])
        replace_layouts(store, _DRILLER, text, clock=clock)
    return {"content": read_layout_table(store)}


def _get_head(store: Store) -> Report:
    """Hash of the newest row: kept elsewhere, it proves later that nothing before it was changed."""
    last = store.read("SELECT seq, row_hash FROM audit_log ORDER BY seq DESC LIMIT 1")
    return {"head": {"seq": int(last["seq"].iloc[0]), "row_hash": str(last["row_hash"].iloc[0])}}


OPERATIONS: Mapping[str, Callable[[Store, Clock, Arguments], Report]] = {
    "user-add": add_user,
    "user-disable": disable_user,
    "user-change": change_user,
    "user-reset": reset_user,
    "user-office": set_office_user,
    "user-list": list_users,
    "key-create": add_key,
    "key-revoke": stop_key,
    "key-list": show_keys,
    "audit-verify": verify_audit,
    "audit-export": export_audit,
    "drill-report": show_drill,
    **office_lists.OPERATIONS,
    "platform-read": read_platform,
    "platform-write": write_platform,
    "platform-layouts": show_layouts,
}


def _to_role(text: str) -> Role:
    if text not in set(Role):
        raise BadRecordError(f"Role '{text[:40]}' is not known: expected one of {', '.join(Role)}.")
    return Role(text)


def _describe(account: accounts.Account) -> Report:
    """An account as JSON knows it; the name of who uses it stays in the store."""
    return {
        "name": account.name,
        "role": account.role.value,
        "grids": sorted(account.grids or ()),
        "must_change": account.must_change,
        "last_sign_in_utc": account.last_sign_in_utc and account.last_sign_in_utc.isoformat(),
        "locked_until_utc": account.locked_until_utc and account.locked_until_utc.isoformat(),
        "disabled_utc": account.disabled_utc and account.disabled_utc.isoformat(),
    }
