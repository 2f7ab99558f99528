"""The page that explains /api/v1, made from its own description: no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from i18n import Language, t
from server.pages import build_page

Schema = Mapping[str, Any]
_SCHEMA = "openapi.json"
_EXAMPLE = """curl -X POST {url} \\
  -H "Authorization: Bearer $KEY" -H "Idempotency-Key: 20261123-000123" -H "Content-Type: application/json" \\
  -d '{{"source_no": "20261123000123", "received_at": "2026-11-23T14:30:00+08:00", "category": "theft.ebike",
       "lon": 120.1749, "lat": 33.3886, "crs": "GCJ02"}}'"""


_STYLE = """
main{width:min(100%,70rem)}
section{margin-top:2.5rem}
table{border-collapse:collapse;width:100%;margin:.6rem 0}
td{border-top:1px solid #2d4a6a;padding:.4rem .6rem;vertical-align:top}
td:first-child{width:14rem}
pre{overflow:auto;background:#101f32;padding:1rem;border-radius:.6rem}
"""


def build_api_page(openapi: Schema, lang: Language, *, is_drill: bool = False) -> HTMLResponse:
    """The whole interface on one page, in one language."""
    operations = "".join(
        _build_operation(method.upper(), path, operation, openapi, lang)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    url = openapi["servers"][0]["url"] + "/incidents"
    body = (
        f"<style>{_STYLE}</style><p>{escape(t('api.text', lang))}</p><p>{escape(t('api.key', lang))}</p>"
        f"<pre>{escape(_EXAMPLE.format(url=url))}</pre>"
        f'<p><a href="{_SCHEMA}">{_SCHEMA}</a></p>{operations}'
    )
    other = "en" if lang == "zh" else "zh"
    return build_page(t("api.title", lang), body, lang=lang, other=f"docs?lang={other}", is_drill=is_drill)


def _build_operation(method: str, path: str, operation: Schema, openapi: Schema, lang: Language) -> str:
    name = operation["operationId"]
    rows = [
        (one["name"], one.get("required", False), one.get("description", ""), one["schema"])
        for one in operation.get("parameters", ())
    ]
    rows += list(_list_fields(operation, openapi))
    fields = "".join(
        f"<tr><td><code>{escape(field)}</code>{'*' if is_needed else ''}</td>"
        f"<td>{escape(_explain(field, text, lang))}{_list_values(schema, openapi)}</td></tr>"
        for field, is_needed, text, schema in rows
    )
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td>"
        f"<td>{escape(_explain(f'answer_{status}', one['description'], lang))}</td></tr>"
        for status, one in operation["responses"].items()
    )
    return (
        f"<section><h2><code>{method} {escape(openapi['servers'][0]['url'] + path)}</code></h2>"
        f"<p>{escape(_explain(f'does_{name}', operation['summary'], lang))}</p>"
        f"<table>{fields}</table><table>{answers}</table></section>"
    )


def _list_fields(operation: Schema, openapi: Schema) -> Iterator[tuple[str, bool, str, Schema]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if content is None:
        return
    schema = next(_resolve(one, openapi) for one in (*content.get("oneOf", ()), content) if "$ref" in one)
    for field, one in schema["properties"].items():
        yield field, field in schema.get("required", ()), one.get("description", ""), one


def _resolve(schema: Schema, openapi: Schema) -> Schema:
    found: Schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    return found


def _list_values(schema: Schema, openapi: Schema) -> str:
    """The words that a field may hold, where it may hold only some."""
    for one in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        known = _resolve(one, openapi)
        if "items" in known:
            known = _resolve(known["items"], openapi)
        if "enum" in known:
            return "<br>" + " ".join(f"<code>{escape(str(value))}</code>" for value in known["enum"])
    return ""


def _explain(key: str, english: str, lang: Language) -> str:
    """What the description says, in the reader's language."""
    return english if lang == "en" else t(f"api.{key.lower().replace('-', '_')}", lang)
