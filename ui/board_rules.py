"""Rules as tables on the board: what is in force, taken out as CSV, put in again after it was checked."""

from __future__ import annotations

import streamlit as st

from data.audit import build_entry, record
from data.rights import Right, get_right
from data.rule_tables import parse_rows, read_rule_table
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t, term
from tasks.checklists import parse_checklists
from tasks.group_rentals import parse_clauses
from tasks.rules import read_visit_rules, replace_rules
from ui.cards import escape_markdown
from ui.files import ReadyFile, show_file
from ui.notes import put_note
from ui.tables import show_table
from ui.task_words import say_kind, say_mark

PAGE = "board"
_TABLES = ("visits", "group_rentals", "checklists", "rounds", "escalation")


def show_rules(store: Store, viewer: Viewer, lang: Language) -> None:
    """What is in force, and the way to change it."""
    st.caption(t("board.rules_text", lang))
    st.subheader(t("board.rules_visits", lang))
    show_table(
        [t(f"board.head_{name}", lang) for name in ("about", "kind", "cycle", "priority", "comment")],
        [
            [
                _say_about(rule.about, rule.value, lang), say_kind(rule.kind.value, lang),
                t("board.days", lang, n=rule.cycle_days) if rule.cycle_days else t("board.at_once", lang),
                t(f"tasks.priority_{rule.priority}", lang), rule.comment,
            ]
            for rule in read_visit_rules(store)
        ],
        narrow=frozenset({0, 1, 2}),
    )  # fmt: skip
    st.subheader(t("board.rules_group_rentals", lang))
    show_table(
        [t(f"board.head_{name}", lang) for name in ("city", "clause", "area", "in_force", "comment")],
        [
            [
                f"{one.city} {one.dated}",
                t(f"board.measure_{one.measure}", lang, op="<" if one.op == "lt" else ">", n=f"{one.threshold:g}"),
                t(f"board.basis_{one.area_basis}", lang), t("board.yes" if one.in_force else "board.no", lang),
                one.comment,
            ]
            for one in parse_clauses(read_rule_table(store, "group_rentals"))
        ],
        narrow=frozenset({0, 1, 2, 3}),
    )  # fmt: skip
    st.subheader(t("board.rules_rounds", lang))
    show_table(
        [t(f"round.head_{name}", lang) for name in ("about", "minutes", "hours", "days", "comment")],
        [
            [
                _say_round_about(row["about"], row["value"], lang), row["minutes"] or "–", row["hours"] or "–",
                row["days"] or "–", row["comment"],
            ]
            for row in parse_rows("rounds", read_rule_table(store, "rounds"))
        ],
        narrow=frozenset({0, 1, 2, 3}),
    )  # fmt: skip
    st.subheader(t("board.rules_escalation", lang))
    show_table(
        [t(f"round.head_{name}", lang) for name in ("priority", "level", "after", "role", "comment")],
        [
            [
                t(f"tasks.priority_{row['priority']}", lang), row["level"],
                t("round.hours", lang, n=row["after_hours"]), term("role", row["role"], lang), row["comment"],
            ]
            for row in parse_rows("escalation", read_rule_table(store, "escalation"))
        ],
        narrow=frozenset({0, 1, 2, 3}),
    )  # fmt: skip
    st.subheader(t("board.rules_checklists", lang))
    lists = parse_checklists(read_rule_table(store, "checklists"))
    st.markdown(
        "\n".join(
            f"- **{name}** · {escape_markdown(t('tasks.comma', lang).join(item.say(lang) for item in items))}"
            for name, items in lists.items()
        )
    )
    if get_right(viewer.role, "action", "manage_rules") is not Right.NO:
        _show_change(store, viewer, lang)


def _say_round_about(about: str, value: str, lang: Language) -> str:
    """What a line of the table of rounds speaks of."""
    if about == "kind":
        return say_kind(value, lang)
    if about == "subject":
        return t(f"round.subject_{value}", lang)
    return term("site_kind", value, lang) if about == "site_kind" else value


def _say_about(about: str, value: str, lang: Language) -> str:
    kinds = {"rental_colour": "rental", "site_kind": "site"}
    what = say_mark(kinds[about], value, lang) if about in kinds else value if about == "after_incident" else ""
    return f"{t(f'board.about_{about}', lang)} {what}".strip()


def _show_change(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.expander(t("board.rules_change", lang), key="rules_change"):
        name = st.selectbox(
            t("board.rules_table", lang),
            _TABLES,
            format_func=lambda one: t(f"board.rules_{one}", lang),
            key="rules_name",
        )
        if st.button(t("board.rules_take", lang), key="rules_take"):
            entry = build_entry(viewer, "export", subject_kind="rules", subject_id=name)
            record(store, entry, clock=utc_now)
            content = ("\ufeff" + read_rule_table(store, name)).encode()
            file = ReadyFile(f"{name}.csv", "text/csv", content)
            show_file(file, t("board.rules_ready", lang), t("audit.download", lang, name=file.name))
        with st.form(key="rules_put", border=False):
            given = st.file_uploader(t("board.rules_file", lang), ["csv"], key="rules_file")
            if st.form_submit_button(t("board.rules_put", lang), type="primary") and given is not None:
                _put(store, viewer, name, given.getvalue(), lang)
        if st.button(t("board.rules_default", lang), key="rules_default"):
            _put(store, viewer, name, None, lang)


def _put(store: Store, viewer: Viewer, name: str, content: bytes | None, lang: Language) -> None:
    try:
        replace_rules(store, viewer, name, None if content is None else content.decode("utf-8-sig"), clock=utc_now)
    except (ShapanError, UnicodeDecodeError) as error:
        # The sentence names row and value: it is for whoever keeps the table, as the command line's are.
        st.error(t("board.rules_bad", lang))
        st.code(str(error), language=None, wrap_lines=True)
        return
    put_note(PAGE, "done", t("board.rules_done", lang))
    st.rerun()
