"""No string that somebody reads on a screen stands in the code: it comes from the catalogue, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCREEN_PACKAGES = ("ui", "layers", "server")
MODULES = [path for package in SCREEN_PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
BROWSER_FILES = [path for package in SCREEN_PACKAGES for path in sorted((ROOT / package).rglob("*.[jch]s*"))]
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")

# Streamlit's functions whose first argument is no text for a reader: names, paths, keys, commands to type.
NOT_TEXT = frozenset(
    {"get", "pop", "setdefault", "component", "Page", "columns", "container", "fragment", "cache_data", "switch_page"}
    | {"cache_resource", "set_option", "get_option", "code"}
)
TEXT_KEYWORDS = frozenset(
    {"label", "help", "placeholder", "body", "text", "title", "caption", "page_title", "options", "message", "icon"}
)
_MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>|&\w+;|:material/\w+:", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]{2,}")
_TEXT_BETWEEN_TAGS = re.compile(r">\s*[A-Za-z]{2,}[^<>{}]*</")


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def find_docstrings(tree: ast.Module) -> set[int]:
    """Ids of the constants that are docstrings, of attributes too."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def find_strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """String constants, the fixed parts of f-strings included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def find_chinese(path: Path) -> list[str]:
    """Chinese string constants of a module."""
    tree = parse(path)
    docstrings = find_docstrings(tree)
    return [
        f"{path.name}:{node.lineno}: {node.value!r}"
        for node in find_strings(tree)
        if id(node) not in docstrings and CJK.search(str(node.value))
    ]


def find_shown_literals(path: Path) -> list[str]:
    """Literals with words given to `st.…(…)`, and words between tags of HTML."""
    tree = parse(path)
    docstrings = find_docstrings(tree)
    shown: list[ast.Constant] = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if is_streamlit(call.func) and isinstance(call.func, ast.Attribute) and call.func.attr not in NOT_TEXT:
            arguments = [*call.args[:1], *(k.value for k in call.keywords if k.arg in TEXT_KEYWORDS)]
            shown += [text for argument in arguments for text in find_own_strings(argument)]
    words = [node for node in shown if _WORD.search(_MARKUP.sub(" ", str(node.value)))]
    html = [n for n in find_strings(tree) if id(n) not in docstrings and _TEXT_BETWEEN_TAGS.search(str(n.value))]
    return [f"{path.name}:{node.lineno}: {node.value!r}" for node in (*words, *html)]


def is_streamlit(function: ast.expr) -> bool:
    """Whether a call's function begins with `st.`."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name) and function.id == "st"


def find_own_strings(argument: ast.expr) -> Iterator[ast.Constant]:
    """Strings of an argument, but not those inside a call such as `t("key")` or an index."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument
    elif not isinstance(argument, ast.Call | ast.Subscript | ast.Lambda):
        for child in ast.iter_child_nodes(argument):
            if isinstance(child, ast.expr):
                yield from find_own_strings(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_chinese_in_code(path: Path) -> None:
    assert find_chinese(path) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_for_the_screen_in_code(path: Path) -> None:
    assert find_shown_literals(path) == []


def test_no_chinese_in_what_the_browser_runs() -> None:
    assert [str(p.relative_to(ROOT)) for p in BROWSER_FILES if CJK.search(p.read_text(encoding="utf-8"))] == []


def test_no_text_in_what_the_browser_runs() -> None:
    """A script sets text from the catalogue that it was given, never from a literal with words."""
    literal = re.compile(
        r"\.(?:textContent|innerText|title|placeholder)\s*=\s*[\"'`]([^\"'`]*[A-Za-z]{2,}[^\"'`]*)[\"'`]"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in BROWSER_FILES
        for match in literal.findall(path.read_text(encoding="utf-8"))
        if "${" not in match
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'st.button("Search")',
        'st.write(f"{n} buildings here")',
        'st.text_input(t("wall.search"), placeholder="type here")',
        'st.sidebar.selectbox("Layer", names)',
        "st.html(\"<div class='a'>Rentals</div>\")",
        'st.write("yes" if ready else "not yet")',
        'html = f"<b>Units</b>{n}"',
    ],
)
def test_the_rule_finds_what_it_should(tmp_path: Path, source: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert find_shown_literals(path) != []


@pytest.mark.parametrize(
    "source",
    [
        'st.button(t("wall.search"), key="search")',
        'st.session_state.get("camera north")',
        'st.html("<style>.a { color: red }</style>")',
        "st.html(f\"<div class='card wide'>{text}</div>\")",
        'st.set_page_config(layout="wide")',
        '"""A docstring with <b>bold words</b>."""',
        'raise ValueError("a sentence for the log")',
    ],
)
def test_the_rule_leaves_the_rest_alone(tmp_path: Path, source: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert find_shown_literals(path) == []
