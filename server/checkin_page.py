"""The phone's page of a check-in server: one large button, words for people of seventy, nothing from anywhere else."""

from __future__ import annotations

import json
from html import escape

from i18n import Language, section, t

_WORDS = (
    *("phone_points", "phone_no_points", "phone_card", "phone_card_none", "phone_code", "phone_do", "phone_locating"),
    *(
        "phone_no_position",
        "phone_saved",
        "phone_sent",
        "phone_waiting",
        "phone_offline",
        "phone_photo",
        "phone_card_bad",
    ),
    *("phone_hours", "phone_points_each", "phone_choose", "phone_code_bad", "phone_photo_needed", "phone_forget"),
    *("phone_busy", "phone_set_aside"),
)


def build_phone_page(lang: Language) -> str:
    """The page in a language; its words for the script are data beside it."""
    words = section("checkins", lang)
    given = {name.removeprefix("phone_"): words[f"checkins.{name}"] for name in _WORDS}
    code, other = ("zh-CN", "en") if lang == "zh" else ("en", "zh")
    data = json.dumps(given, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="{code}"><head><meta charset="utf-8">'
        f"<title>{escape(t('checkins.phone_title', lang))}</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="stylesheet" href="/phone.css"></head><body><main>'
        f"<h1>{escape(t('checkins.phone_title', lang))}</h1>"
        '<p id="line" class="line" role="status"></p>'
        f'<label for="point">{escape(t("checkins.phone_points", lang))}</label><select id="point"></select>'
        '<p id="facts" class="facts"></p>'
        f'<label for="card">{escape(t("checkins.phone_card", lang))}</label>'
        '<input id="card" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="300">'
        f'<label for="code">{escape(t("checkins.phone_code", lang))}</label>'
        '<input id="code" inputmode="numeric" autocomplete="off" maxlength="8">'
        f'<div id="photo-part" hidden><label for="photo">{escape(t("checkins.phone_photo", lang))}</label>'
        '<input id="photo" type="file" accept="image/*" capture="environment"></div>'
        f'<button id="do" type="button">{escape(t("checkins.phone_do", lang))}</button>'
        '<div id="result" class="result" role="alert" hidden></div><ol id="log"></ol>'
        f"<p class=small>{escape(t('checkins.phone_privacy', lang))}</p>"
        f'<nav><a href="/?lang={other}">{escape(t("door.other_language", lang))}</a>'
        f'<button id="forget" type="button" class="plain">{escape(t("checkins.phone_forget", lang))}</button></nav>'
        f'</main><script id="words" type="application/json">{data}</script>'
        '<script src="/phone.js" type="module"></script></body></html>'
    )
