"""The README and the guides by role: pictures exist and are small, both languages agree, and they quote the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from data.settings_store import StoreSettings
from i18n import Language, section

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IMAGES = sorted((ROOT / "docs" / "images").glob("*.png"))
PAIRS = sorted(path for path in DOCS if path.name.endswith(".zh-CN.md"))
MAX_IMAGE_BYTES = 350_000
# Two screens of a hosting site's page beside its pictures: about 45 lines of wrapped text each.
MAX_README_LINES = 90
_PICTURE = re.compile(r'!\[[^\]]*\]\(([^)]+)\)|<img [^>]*src="([^"]+)"')


def find_pictures(path: Path) -> list[Path]:
    """Pictures that a document shows."""
    shown = _PICTURE.findall(path.read_text(encoding="utf-8"))
    return [(path.parent / (markdown or html)).resolve() for markdown, html in shown]


def to_anchor(heading: str) -> str:
    """A heading's anchor as hosting sites make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def english_of(path: Path) -> Path:
    return path.with_name(path.name.replace(".zh-CN.md", ".md"))


def find_commands(path: Path) -> list[str]:
    """What a person is told to type: `make …` and `shapan …` inside code, without the remark behind it."""
    code = re.findall(r"```\n(.*?)```|`([^`\n]+)`", path.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block, inline in code for line in (block or inline).splitlines()]
    commands = [re.split(r"\s+#\s", line.strip())[0].strip() for line in lines]
    return [command for command in commands if re.match(r"(make|shapan|\.venv/bin/shapan|--)\b", command)]


def test_every_picture_exists_and_every_image_is_shown() -> None:
    shown = {picture for path in DOCS for picture in find_pictures(path)}
    assert sorted(str(picture) for picture in shown if not picture.is_file()) == []
    assert [image.name for image in IMAGES if image.resolve() not in shown] == []
    assert IMAGES


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_images_are_small_enough_for_a_readme(image: Path) -> None:
    assert image.stat().st_size <= MAX_IMAGE_BYTES
    with Image.open(image) as opened:
        opened.verify()
        assert opened.format == "PNG"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_anchors_lead_to_a_heading(path: Path) -> None:
    broken = []
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
        text = ((path.parent / target) if target else path).read_text(encoding="utf-8")
        if anchor not in {to_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}:
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.name)
def test_both_languages_have_the_same_shape_and_name_each_other(path: Path) -> None:
    english = english_of(path)
    texts = [one.read_text(encoding="utf-8") for one in (english, path)]
    assert f"]({path.name})" in texts[0]
    assert f"]({english.name})" in texts[1]
    levels = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in texts]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("path", [path for path in PAIRS if path.name.startswith(("README", "guide", "true"))])
def test_both_languages_show_the_same_pictures_each_in_its_own(path: Path) -> None:
    def name_all(one: Path) -> list[str]:
        return [picture.name.split(".")[0] for picture in find_pictures(one)]

    assert name_all(path) == name_all(english_of(path))
    assert [picture.name for picture in find_pictures(path) if ".en." in picture.name] == []


def test_readmes_name_the_same_commands() -> None:
    english, chinese = (find_commands(ROOT / name) for name in ("README.md", "README.zh-CN.md"))
    assert english == chinese
    assert {"make run", "make test"} <= set(english)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readmes_are_two_screens_long(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize(("guide", "lang"), [("true-scale.md", "en"), ("true-scale.zh-CN.md", "zh")])
def test_true_scale_quotes_every_stamp(guide: str, lang: Language) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    stamps = {key: value for key, value in section("table", lang).items() if re.fullmatch(r"table\.scale_[a-z]+", key)}
    assert len(stamps) == 5
    assert [value for value in stamps.values() if value.replace("{n}", "N") not in text] == []


@pytest.mark.parametrize(("guide", "lang"), [("guide-officer.md", "en"), ("guide-officer.zh-CN.md", "zh")])
def test_officers_guide_names_the_buttons_as_they_are(guide: str, lang: Language) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    table = section("table", lang)
    buttons = ("whole", "north", "oblique", "visitor", "tour")
    assert [table[f"table.{name}"] for name in buttons if table[f"table.{name}"] not in text] == []


def test_glossary_names_what_the_store_keeps() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    schema = (ROOT / "data" / "migrations" / "0001_community.sql").read_text(encoding="utf-8")
    comments = re.findall(r"COMMENT ON TABLE \w+ IS '(?:[^']|'')*'", schema)
    chinese = {word for comment in comments for word in re.findall(r"[\u4e00-\u9fff]{2,}", comment)}
    assert chinese
    assert sorted(word for word in chinese if word not in glossary) == []


@pytest.mark.parametrize(
    ("guide", "words"), [("security.md", ("hours", "days")), ("security.zh-CN.md", ("小时", "天"))]
)
def test_security_says_how_long_each_kind_of_data_is_kept(guide: str, words: tuple[str, str]) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    for name, value in vars(StoreSettings()).items():
        if name.startswith("retention_"):
            assert f"| `{name}` | {value} {words[name.endswith('_days')]} |" in text
