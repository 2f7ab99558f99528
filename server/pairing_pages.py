"""Plain pages of the second screen and the tablet: a frame, the words of their language, and their own script."""

from __future__ import annotations

import json
from html import escape

from starlette.responses import HTMLResponse

from data.queries import get_info
from data.store import Store
from i18n import Language, section, t
from server.pages import HEADERS

_STRINGS = ("surfaces", "inside")


def build_surface_page(store: Store, name: str, *, lang: Language) -> HTMLResponse:
    """
    The page `second` or `tablet`.

    What it says is in its data, nothing in a script: the policy of our pages forbids inline ones.
    """
    info = get_info(store)
    strings = {key: text for one in _STRINGS for key, text in section(one, lang).items()}
    layers = {key: text for key, text in section("wall", lang).items() if key.startswith("wall.layer_")}
    other = "en" if lang == "zh" else "zh"
    data = {
        "lang": lang,
        "strings": {**strings, **layers, **_name_terms(lang)},
        "community": {"name": info.name, "synthetic": info.synthetic, "drill": info.drill},
        "other": f"/{name}?lang={other}",
    }
    said = json.dumps(data, ensure_ascii=False)
    title = t(f"surfaces.{name}_title", lang)
    html = (
        f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">'
        '<link rel="stylesheet" href="/assets/surfaces/surfaces.css">'
        '<link rel="stylesheet" href="/assets/inside/inside.css"></head>'
        f'<body class="sf-{escape(name)}"><main id="surface" data-page="{escape(said)}"></main>'
        f'<script type="module" src="/assets/surfaces/{escape(name)}.js"></script></body></html>'
    )
    return HTMLResponse(html, headers=HEADERS)


def _name_terms(lang: Language) -> dict[str, str]:
    """Uses of buildings and units, by their key in the catalogue."""
    return {key: text for key, text in section("terms", lang).items() if key.startswith("terms.use.")}
