"""
Plain pages of our own, without Streamlit: they must work before sign-in, on a phone, and on a slow line.

Everything is in the one file that is sent: no script, no font, no picture from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

from i18n import Language, t

_STYLE = """
:root{color-scheme:dark}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#0b1420;color:#dbe7f5;
 font:17px/1.55 system-ui,"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif}
main{width:min(100%,30rem);padding:2rem 1.5rem 3rem}
h1{font-size:1.55rem;margin:0 0 .2rem;font-weight:650}
p{margin:.4rem 0 1rem;color:#9fb3cb}
label{display:block;margin:1.1rem 0 .35rem;color:#c3d3e6}
input,select{width:100%;min-height:3.2rem;padding:.6rem .9rem;font:inherit;color:inherit;background:#101f32;
 border:1.5px solid #2d4a6a;border-radius:.6rem}
input:focus,select:focus,button:focus-visible,a:focus-visible{outline:3px solid #5cb8e6;outline-offset:2px}
button,.button{display:block;width:100%;min-height:3.4rem;margin-top:1.6rem;padding:.7rem 1rem;font:inherit;
 font-weight:650;text-align:center;text-decoration:none;color:#06121f;background:#7cc4ee;border:0;border-radius:.6rem;cursor:pointer}
button.big{min-height:4.6rem;margin-top:.8rem;font-size:1.3rem}
.sent{border:1.5px solid #2d4a6a;border-radius:.8rem;padding:1rem 1.1rem;margin:1rem 0}
.sent h2{margin:0;font-size:1.25rem}
.sent .place{color:#fff;font-size:1.35rem;font-weight:650;margin:.3rem 0}
.drill{background:#ffbe54;color:#17100a;font-weight:800;font-size:1.2rem;text-align:center;padding:.5rem;border-radius:.4rem}
.sample{display:inline-block;border:1.5px solid #ffbe54;color:#ffbe54;font-weight:650;padding:.1rem .5rem;
 border-radius:.4rem}
.large{font-size:clamp(20px,2.1vw,44px)}
.large main{width:min(100%,34em)}
.large h1{font-size:1.9em}
.large .sent .place{font-size:2.1em;line-height:1.25}
.large .sent p{font-size:1.2em;color:#dbe7f5}
.large .note{font-size:1.15em}
.large [data-state=counted]{border:.12em solid #5fd0b4;background:#0e2a2b}
.large [data-state=pending]{border:.12em solid #b98a2f;background:#2a2312}
.large nav{font-size:.7em}
.second{color:#dbe7f5;background:#1b3350;font-weight:500}
.note{padding:.8rem 1rem;border-radius:.6rem;background:#3a2d12;border:1.5px solid #b98a2f;color:#ffe2a6}
.note::before{content:"! ";font-weight:700}
nav{margin-top:2rem;display:flex;gap:1.2rem;justify-content:space-between}
a{color:#8fccf2}
code{font-size:.95em;background:#101f32;padding:.1em .4em;border-radius:.3em}
"""
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def build_page(
    title: str,
    body: str,
    *,
    lang: Language,
    other: str,
    status: int = 200,
    go_on: str | None = None,
    again_s: int | None = None,
    is_drill: bool = False,
    is_sample: bool = False,
    is_large: bool = False,
) -> HTMLResponse:
    """
    A whole page.

    Parameters
    ----------
    title
        Plain text.
    body
        HTML, its values escaped.
    lang, other
        Language, and the address of this page in the other one.
    status
        Of the answer.
    go_on
        A path of ours that the browser goes on to by itself, at once or after `again_s`.
    again_s
        Seconds after which the browser asks for the page again.
    is_drill
        The store is a drill's: the page says so above all else.
    is_sample
        The people in it are invented: the page says so too.
    is_large
        For a screen that is read standing before it.
    """
    code = "zh-CN" if lang == "zh" else "en"
    when = f"{again_s or 0};url={escape(go_on)}" if go_on else str(again_s) if again_s else ""
    refresh = f'<meta http-equiv="refresh" content="{when}">' if when else ""
    drill = f'<p class="drill" role="note">{escape(t("table.drill", lang))}</p>' if is_drill else ""
    sample = f'<p class="sample" role="note">{escape(t("table.synthetic", lang))}</p>' if is_sample else ""
    large = ' class="large"' if is_large else ""
    html = (
        f'<!doctype html><html lang="{code}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<style>{_STYLE}</style></head><body{large}><main>{drill}{sample}<h1>{escape(title)}</h1>{body}"
        f"<nav><span>{escape(t('door.product', lang))}</span>"
        f'<a href="{escape(other)}">{escape(t("door.other_language", lang))}</a>'
        "</nav></main></body></html>"
    )
    return HTMLResponse(html, status_code=status, headers=HEADERS)


def build_form(action: str, fields: str, button: str, *, hidden: Mapping[str, str], second: str = "") -> str:
    """A form that posts to `action`; `fields` and `second` are HTML."""
    kept = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in hidden.items())
    return (
        f'<form method="post" action="{escape(action)}" autocomplete="on">{kept}{fields}'
        f"<button>{escape(button)}</button>{second}</form>"
    )


def build_field(name: str, label: str, *, kind: str = "text", autocomplete: str = "off", value: str = "") -> str:
    """One labelled field of a form."""
    return (
        f'<label for="{escape(name)}">{escape(label)}</label><input id="{escape(name)}" name="{escape(name)}" '
        f'type="{escape(kind)}" autocomplete="{escape(autocomplete)}" value="{escape(value)}" required '
        'autocapitalize="none" spellcheck="false" maxlength="200">'
    )


def build_note(text: str) -> str:
    """A sentence about what went wrong."""
    return f'<p class="note" role="alert">{escape(text)}</p>'
