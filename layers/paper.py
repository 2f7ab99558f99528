"""Paper: PDF made on the server with typst, fetching nothing; its Chinese font is embedded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from gis.errors import RefusedError

# By preference: Debian's Noto, then what Windows and macOS bring.
FONTS = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "Noto Serif CJK SC", "Microsoft YaHei", "SimSun", "SimHei"),
    *("PingFang SC", "Songti SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
)


@lru_cache(maxsize=1)
def find_fonts() -> tuple[str, ...]:
    """Chinese fonts of this machine among those that we know, the preferred first."""
    import typst  # 7 MB, which a server that prints nothing never needs

    known = set(typst.Fonts().families())
    return tuple(font for font in FONTS if font in known)


def print_paper(
    template: str, content: Mapping[str, Any] | Sequence[Any], *, fonts: tuple[str, ...] | None = None
) -> bytes:
    """
    A template of ours filled with `content`, which it finds as JSON in `sys.inputs.content`, as PDF.

    What was typed by people reaches the template as data, never as markup.

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know: the file would be full of empty boxes.
    """
    usable = find_fonts() if fonts is None else fonts
    if not usable:
        raise RefusedError(
            f"This machine has no Chinese font, expected one of {', '.join(FONTS)}. Install fonts-noto-cjk on the "
            "server (on Windows: the Chinese language pack)."
        )
    inputs = {"content": json.dumps(content, ensure_ascii=False), "fonts": json.dumps(list(usable))}
    import typst

    made: bytes = typst.compile(template.encode(), sys_inputs=inputs)
    return made
