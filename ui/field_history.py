"""Every field of a register at a place: its value, when, by whom and how it was last verified, and what was changed."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from data.queries import Place, find_field_facts, find_proposals
from data.store import Store
from data.viewer import Viewer
from gis.errors import NotAllowedError
from i18n import Language, t, term
from layers.freshness import FRESH_DAYS, OLD_DAYS
from ui.tables import format_time, show_style, show_table
from ui.task_words import find_now, to_rows

_TERMS = {"use": "use", "kind": "site_kind"}
_UNIT_USES = frozenset({"dwelling", "shop", "office", "storage", "other"})


def show_field_history(store: Store, viewer: Viewer, place: Place, lang: Language) -> None:
    """The fields of a building, home or site, and of the home's rental; folded away until somebody asks."""
    subjects: list[tuple[str, str]] = [(place.kind, place.id)] if place.kind in ("building", "unit", "site") else []
    subjects += [("rental", str(one["rental_id"])) for one in place.rentals] if place.kind == "unit" else []
    if not subjects:
        return
    show_style()
    with st.expander(t("round.fields", lang), key="field_history"):
        st.caption(t("round.fields_text", lang, fresh=FRESH_DAYS, old=OLD_DAYS))
        for kind, subject_id in subjects:
            try:
                _show_subject(store, viewer, kind, subject_id, lang)
            except NotAllowedError:
                st.caption(t("desk.not_your_grid", lang))


def _show_subject(store: Store, viewer: Viewer, kind: str, subject_id: str, lang: Language) -> None:
    now = find_now(store)
    st.markdown(f"**{t(f'round.register_{kind}', lang)}**")
    show_table(
        [t(f"round.head_{name}", lang) for name in ("field", "value", "age", "when", "who", "how")],
        [
            [
                t(f"board.field_{row['field']}", lang), _say_value(kind, row["field"], row["value"], lang),
                say_age(row["verified_utc"], now, lang),
                format_time(row["verified_utc"]) if row["verified_utc"] else "–",
                row["by"] or "–", t(f"round.how_{row['how'] or 'never'}", lang),
            ]
            for row in to_rows(find_field_facts(store, viewer, kind, subject_id))
        ],
        narrow=frozenset({0, 1, 2, 3}),
    )  # fmt: skip
    changes = to_rows(find_proposals(store, viewer, with_decided=True, subject_id=subject_id))
    if changes:
        st.caption(t("round.changes", lang))
        show_table(
            [t(f"round.head_{name}", lang) for name in ("when", "field", "change", "who", "became")],
            [
                [
                    format_time(row["seen_utc"]), t(f"board.field_{row['field']}", lang),
                    f"{_say_value(kind, row['field'], row['old_value'], lang)} → "
                    f"{_say_value(kind, row['field'], row['new_value'], lang)}",
                    row["proposed_by_name"] or "–", t(f"round.became_{row['state']}", lang),
                ]
                for row in changes
            ],
            narrow=frozenset({0, 1}),
        )  # fmt: skip


def say_age(at: datetime | None, now: datetime, lang: Language) -> str:
    """How old what is known is, in a word beside the colours of the layer: fresh, ageing, old, never verified."""
    if at is None:
        return t("round.age_never", lang)
    days = (now - at).days
    word = "fresh" if days <= FRESH_DAYS else "ageing" if days <= OLD_DAYS else "old"
    return t(f"round.age_{word}", lang)


def _say_value(kind: str, field: str, value: object, lang: Language) -> str:
    if value is None:
        return "–"
    if kind == "rental" and field == "colour":
        return t(f"tasks.colour_{value}", lang)
    if kind == "unit" and field == "use":
        return t(f"pack.use_{value}", lang) if value in _UNIT_USES else str(value)
    return term(_TERMS[field], str(value), lang) if field in _TERMS else str(value)
