"""Codes of the log in words of both languages; what has no word yet stands for itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from data.audit import ACTIONS, AuditReport
from i18n import Language, section, t, term

_ROLE_KEYS = frozenset({"role"})
# The sentences of data/audit.py, which the command line prints, and what the page says instead.
_PROBLEMS = (
    (r"the key .* is gone", "key"),
    (r"row \d+ is missing: row (?P<next>\d+) follows", "missing"),
    (r"row \d+ does not follow", "order"),
    (r"row \d+ is not as it was written", "changed"),
    (r"when row \d+ was written the head was gone", "head_gone_then"),
    (r"the head .* is gone or not as it was written", "head"),
    (r"rows (?P<first>\d+) to (?P<last>\d+) are missing at the end", "cut"),
    (r"row \d+ is not the one that the head names", "head_other"),
)


def list_actions(lang: Language) -> dict[str, str]:
    """Every action with its word, by word."""
    return dict(sorted(((action, t(f"audit.action_{action}", lang)) for action in ACTIONS), key=lambda pair: pair[1]))


def list_kinds(lang: Language) -> dict[str, str]:
    """Every kind of subject with its word."""
    head = "audit.kind_"
    return {key.removeprefix(head): text for key, text in section("audit", lang).items() if key.startswith(head)}


def say_actor(actor: str, lang: Language) -> str:
    """Who did it: an account by its name, the machine's own actors by a word."""
    return section("audit", lang).get(f"audit.someone_{actor}") or actor


def say_subject(kind: object, subject_id: object, lang: Language) -> str:
    """What it was done to."""
    if not isinstance(kind, str):
        return ""
    word = section("audit", lang).get(f"audit.kind_{kind}") or kind
    return f"{word} {subject_id}" if isinstance(subject_id, str) else word


def say_detail(detail: str, lang: Language) -> str:
    """Figures and codes of a row."""
    values: Mapping[str, object] = json.loads(detail)
    parts = [
        f"{_say_name(key, lang)} {say_value(key, value, lang)}"
        for key, value in values.items()
        if value is not None and value != [] and key != "incident"
    ]
    return " · ".join(parts)


def _say_name(key: str, lang: Language) -> str:
    return section("audit", lang).get(f"audit.detail_{key}") or key


def say_value(key: str, value: object, lang: Language) -> str:
    """One value of a row's detail."""
    if isinstance(value, list):
        return ", ".join(say_value(key, one, lang) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{_say_name(str(name), lang)} {say_value(name, one, lang)}" for name, one in value.items())
    if value is None:
        return "–"
    if key.startswith("may_"):  # of a responder: yes and no are of decisions
        return t(f"kinds.may_{value}", lang)
    if key in _ROLE_KEYS:
        return term("role", value, lang)
    if key == "subject" and isinstance(value, str) and ":" in value:
        kind, subject_id = value.split(":", 1)
        return say_subject(kind, subject_id, lang)
    return section("audit", lang).get(f"audit.value_{value}") or str(value)


def say_reason(reason: object, incident_id: object, lang: Language) -> str:
    """Why: an open incident by its id, and what was typed."""
    incident = t("audit.incident_reason", lang, incident=incident_id) if isinstance(incident_id, str) else ""
    return " · ".join(text for text in (incident, reason) if isinstance(text, str) and text)


def say_problem(report: AuditReport, lang: Language) -> str:
    """What is wrong with the chain."""
    for pattern, name in _PROBLEMS:
        if match := re.match(pattern, report.problem):
            return t(f"audit.problem_{name}", lang, **match.groupdict())
    return t("audit.problem_other", lang)
