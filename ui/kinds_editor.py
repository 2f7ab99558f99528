"""Kinds of incident as an office keeps them: the tree in force, one kind by hand, a whole tree from a table."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from data.queries import find_sending_rules
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadFileError, BadRecordError, ShapanError
from i18n import Language, t, term
from incidents.duty import KINDS
from incidents.kind_changes import change_kind, export_kinds, preview_tree, read_kinds, write_tree
from incidents.kind_tree import (
    COLUMNS,
    HEADERS,
    LONGEST_MINUTES,
    MAY,
    TARGETS,
    Plan,
    Row,
    TreeFile,
    find_lineage,
    order_tree,
    read_cell,
    read_tree,
)
from incidents.sending import May, SendingRules
from ui.cards import escape_markdown
from ui.files import ReadyFile, show_file
from ui.notes import put_note
from ui.tables import show_table

_SHOWN: Final = 50
_URGENCIES: Final = ("urgent", "normal", "not_police")


def show_kinds(store: Store, viewer: Viewer, page: str, lang: Language) -> None:
    """Draw it, for who may; `page` is where what was done is said."""
    if get_right(viewer.role, "action", "manage_kinds") is Right.NO:
        return
    rows = read_kinds(store, viewer)
    with st.container(border=True, key="kinds"):
        st.subheader(t("kinds.title", lang))
        st.caption(t("kinds.lead", lang))
        if rows:
            own = find_sending_rules(store, viewer)
            _show_form(store, viewer, rows, own, page, lang)
            with st.expander(t("kinds.table", lang), key="kinds_table"):
                _show_table(rows, SendingRules.build(own), lang)
        with st.expander(t("kinds.file", lang), key="kinds_change"):
            _show_file(store, viewer, rows, page, lang)


# The tree in force


def _parents(rows: dict[str, Row]) -> dict[str, str | None]:
    return {code: row["parent"] for code, row in rows.items()}


def _say_name(rows: dict[str, Row], code: str, lang: Language) -> str:
    chain = reversed(find_lineage(code, _parents(rows)))
    return " › ".join(str(rows[one][f"name_{lang}"]) for one in chain)


def _inherit(rows: dict[str, Row], code: str, column: str) -> Any:
    """What a kind would take from those above it; None where none of them says it."""
    above = find_lineage(code, _parents(rows))[1:]
    return next((rows[one][column] for one in above if rows[one][column] is not None), None)


def _show_table(rows: dict[str, Row], rules: SendingRules, lang: Language) -> None:
    heads = [t(f"kinds.col_{name}", lang) for name in ("key", "name", "urgency", "target_minutes", "sensitive")]
    parents = _parents(rows)
    lines = []
    for code in order_tree(parents):
        row, lineage = rows[code], find_lineage(code, parents)
        urgency = row["urgency"] or _inherit(rows, code, "urgency")
        minutes = row["target_minutes"] or _inherit(rows, code, "target_minutes")
        is_sensitive = any(rows[one]["sensitive"] for one in lineage)
        lines.append(
            [
                row["key"] or "", _say_name(rows, code, lang),
                t(f"kinds.urgency_{urgency}", lang) if urgency else "", f"{minutes:g}" if minutes else "",
                t("kinds.yes", lang) if is_sensitive else "",
                *(t(f"kinds.short_{rules.find(lineage, kind).may}", lang) for kind in KINDS),
            ]
        )  # fmt: skip
    show_table([*heads, *(term("responder", kind, lang) for kind in KINDS)], lines, narrow=frozenset({0, 2, 3, 4}))
    st.caption(t("kinds.table_note", lang))


# One kind by hand


def _show_form(
    store: Store, viewer: Viewer, rows: dict[str, Row], own: pd.DataFrame, page: str, lang: Language
) -> None:
    code = st.selectbox(
        t("kinds.choose", lang),
        order_tree(_parents(rows)),
        format_func=lambda one: _say_name(rows, one, lang),
        key="kinds_code",
    )
    row = rows[code]
    # What somebody else changed meanwhile is shown, not overwritten: each state has widgets of its own.
    mark = f"{code}_{hash(tuple(row[column] for column in COLUMNS))}"
    with st.form(key=f"kinds_{mark}", border=False, enter_to_submit=False):
        left, middle, right = st.columns(3)
        with left:
            st.text_input(t("kinds.key", lang), row["key"] or "", max_chars=1, key=f"kind_key_{mark}")
        with middle:
            _ask_choice("urgency", _URGENCIES, row["urgency"], _inherit(rows, code, "urgency"), mark, lang)
        with right:
            st.toggle(t("kinds.sensitive", lang), bool(row["sensitive"]), key=f"kind_sensitive_{mark}")
            st.caption(t("kinds.sensitive_text", lang))
        for column, name in zip(st.columns(3), TARGETS, strict=True):
            above = _inherit(rows, code, name)
            column.number_input(
                t(f"kinds.{name}", lang),
                min_value=0.5,
                max_value=LONGEST_MINUTES,
                value=row[name],
                step=1.0,
                format="%g",
                placeholder=t("kinds.above", lang, value=f"{above:g}") if above else t("kinds.above_none", lang),
                key=f"kind_{name}_{mark}",
            )
        st.markdown(f"**{t('kinds.who', lang)}**")
        lineage = find_lineage(code, _parents(rows))
        for start in range(0, len(KINDS), 4):
            for column, kind in zip(st.columns(4), KINDS[start : start + 4], strict=False):
                with column:
                    is_here = (own["category"] == code) & (own["kind"] == kind)
                    without = SendingRules.build(own[~is_here]).find(lineage, kind).may
                    is_top = len(lineage) == 1
                    _ask_choice(f"{MAY}{kind}", tuple(May), row[f"{MAY}{kind}"], without, mark, lang, is_top=is_top)
        st.form_submit_button(
            t("kinds.save", lang),
            type="primary",
            on_click=_save,
            args=(store, viewer, code, mark, page, lang),
            key="kinds_save",
        )


def _ask_choice(
    column: str,
    values: tuple[str, ...],
    now: str | None,
    above: str | None,
    mark: str,
    lang: Language,
    *,
    is_top: bool = False,
) -> None:
    """One of `values`, or None: as it is said above, and for a topmost kind as the product's rules say."""
    head = "may" if column.startswith(MAY) else column

    def say(value: str | None) -> str:
        if value is not None:
            return t(f"kinds.{head}_{value}", lang)
        if above is None:
            return t("kinds.above_none", lang)
        return t("kinds.above_default" if is_top else "kinds.above", lang, value=t(f"kinds.{head}_{above}", lang))

    options = [None, *map(str, values)]
    label = term("responder", column.removeprefix(MAY), lang) if column.startswith(MAY) else t(f"kinds.{column}", lang)
    st.selectbox(label, options, index=options.index(now), format_func=say, key=f"kind_{column}_{mark}")


def _save(store: Store, viewer: Viewer, code: str, mark: str, page: str, lang: Language) -> None:
    state = st.session_state
    key, problem = read_cell("key", str(state[f"kind_key_{mark}"]).strip().lower())
    if problem is not None:
        put_note(page, "problem", t("kinds.problem_bad_key", lang))
        return
    names = ("urgency", "sensitive", *TARGETS, *(f"{MAY}{kind}" for kind in KINDS))
    values = {"key": key, **{name: state[f"kind_{name}_{mark}"] for name in names}}
    try:
        plan = change_kind(store, viewer, code, values, clock=utc_now)
    except BadRecordError:
        put_note(page, "problem", t("kinds.key_taken", lang))
    except ShapanError:
        put_note(page, "problem", t("kinds.not_saved", lang))
    else:
        put_note(page, "done", t("kinds.saved" if plan.changed else "kinds.unchanged", lang))


# A whole tree from a table


def _show_file(store: Store, viewer: Viewer, rows: dict[str, Row], page: str, lang: Language) -> None:
    at = 0 if lang == "zh" else -1
    titles = " · ".join(names[at] for names in HEADERS.values())
    st.caption(escape_markdown(t("kinds.file_text", lang, columns=titles)))
    if rows and st.button(t("kinds.take", lang), key="kinds_take"):
        file = ReadyFile("kinds.csv", "text/csv", export_kinds(store, viewer, clock=utc_now))
        show_file(file, t("kinds.taken", lang), t("audit.download", lang, name=file.name))
    given = st.file_uploader(t("kinds.file_choose", lang), ["csv", "xlsx"], key="kinds_file", max_upload_size=5)
    if given is None:
        return
    try:
        tree = read_tree(given.name, given.getvalue())
    except BadFileError as error:
        st.error(t("kinds.file_bad", lang))
        st.code(str(error), language=None, wrap_lines=True)
        return
    plan = preview_tree(store, viewer, tree)
    counts = {"new": len(plan.new), "changed": len(plan.changed), "gone": len(plan.gone), "same": plan.same}
    st.write(t("kinds.file_read", lang, count=len(tree.rows), **counts))
    if tree.not_read:
        st.caption(escape_markdown(t("kinds.not_read", lang, columns=" · ".join(tree.not_read))))
    if plan.problems:
        _show_problems(plan, rows, lang)
    elif tree.rows and counts["same"] < len(rows) + counts["new"]:
        for code in plan.gone[:_SHOWN]:
            st.caption(escape_markdown(t("kinds.goes", lang, name=_say_name(rows, code, lang))))
        st.button(
            t("kinds.write", lang),
            key="kinds_write",
            type="primary",
            on_click=_write,
            args=(store, viewer, tree, page, lang),
        )


def _show_problems(plan: Plan, rows: dict[str, Row], lang: Language) -> None:
    st.error(t("kinds.problems", lang, count=len(plan.problems)))
    show_table(
        [t(f"kinds.head_{name}", lang) for name in ("row", "column", "value", "problem")],
        [
            [
                str(one.row) if one.row else "",
                HEADERS[one.column][0 if lang == "zh" else -1],
                _say_name(rows, one.value, lang) if one.code == "in_use" else one.value,
                t(f"kinds.problem_{one.code}", lang),
            ]
            for one in plan.problems[:_SHOWN]
        ],
        narrow=frozenset({0, 1}),
    )
    if len(plan.problems) > _SHOWN:
        st.caption(t("kinds.more", lang, count=len(plan.problems) - _SHOWN))


def _write(store: Store, viewer: Viewer, tree: TreeFile, page: str, lang: Language) -> None:
    try:
        plan = write_tree(store, viewer, tree, clock=utc_now)
    except ShapanError:
        put_note(page, "problem", t("kinds.not_saved", lang))
        return
    counts = {"new": len(plan.new), "changed": len(plan.changed), "gone": len(plan.gone), "same": plan.same}
    put_note(page, "done", t("kinds.written", lang, **counts))
