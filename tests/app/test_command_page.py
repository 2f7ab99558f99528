"""The commander's page on the sample: what was planted is said in the right words; zones; files."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from datetime import date, timedelta
from datetime import time as time_of_day
from typing import Any

import openpyxl
import pypdf
import pytest
import shapely
from docx import Document
from shapely.geometry.base import BaseGeometry

from data.queries import find_zone_measures, find_zone_records
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from data.zones import ZoneDraft, find_today, open_zone
from gis.errors import NotAllowedError, RefusedError
from i18n import LANGUAGES, Language, t
from incidents.zone_effect import Effect
from sample import SampleCommunity
from tests.fixtures.command_page import (
    COMMANDER,
    VIEWS,
    check,
    open_page,
    press,
    read_text,
    situation,
    store,
    without_zones,
)
from ui.command_data import Question, Situation, find_situation, find_zone_states
from ui.command_decisions import find_decisions, find_outline
from ui.command_form import build_outline
from ui.command_map import build_map
from ui.command_words import say_effect, say_luck, say_numbers
from ui.report_files import build_docx, build_pdf, build_xlsx, find_fonts
from ui.reports import Report, build_report

__all__ = ["situation", "store", "without_zones"]  # fixtures
HOSTILE = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example")'


def plant(store: Store, planted: dict[str, Any], *, starts: str | None = None, **values: Any) -> str:
    """A zone over what was planted."""
    cells = shapely.union_all([shapely.Polygon(cell["polygon"]) for cell in planted["cells"]])
    draft = {
        "name": planted["key"], "kind": "beat", "reason": "试验用的理由",
        "review_on": find_today(utc_now) + timedelta(weeks=12),
        "geometry": cells if cells.is_valid else cells.buffer(0),
        "starts_on": None if starts is None else date.fromisoformat(starts),
    }  # fmt: skip
    return open_zone(store, COMMANDER, ZoneDraft(**{**draft, **values}), clock=utc_now)


# What was planted is said in the right words


def test_the_places_that_stay_are_the_planted_ones(situation: Situation, sample_community: SampleCommunity) -> None:
    truth = sample_community.truth
    planted = [*truth["hot_places"], *truth["repeat_addresses"], truth["patrol_moved"]["to"]]
    cells = {p["key"]: shapely.union_all([shapely.Polygon(c["polygon"]) for c in p["cells"]]) for p in planted}
    lasting = [one for one in situation.places if one.standing is not None and one.standing.trend == "persistent"]
    assert len(lasting) >= 4
    for place in lasting:
        shape = place.hot.geometry.buffer(25)
        assert any(shapely.intersects(shape, cell) for cell in cells.values()), place.hot.name
        assert place.hot.q <= 0.05
    assert situation.places[0].verdict == "as_usual"  # it stays as it is: hot for its homes, usual for itself


def test_the_change_that_worked_is_told_from_the_one_that_moved(
    store: Store, sample_community: SampleCommunity, situation: Situation
) -> None:
    truth = sample_community.truth
    plant(store, truth["patrol_worked"], starts=truth["patrol_worked"]["to"])
    moved = truth["patrol_moved"]["from"]
    # Whoever draws a beat draws the street, not the 25 m cells of an incident.
    plant(store, moved, starts=moved["to"], geometry=shapely.Point(moved["centre"]).buffer(65))
    states = {one.row["name"]: one for one in find_zone_states(store, COMMANDER)}
    assert {name: one.effect.verdict for name, one in states.items() if one.effect} == {
        "patrol-worked": "worked", "patrol-moved-from": "moved",
    }  # fmt: skip
    worked = states["patrol-worked"].effect
    assert worked is not None
    assert re.search(r"加权转移差（含周边）-\d+\.\d 起，97\.5% 区间 .* e 检验 p 0\.\d+", say_numbers(worked, "zh"))
    text = read_text(open_page("meeting"))
    assert "有效：开始后" in text
    assert "转移了：开始后" in text
    assert "patrol-moved-from：警情转移到周边，要调整措施" in text
    english = read_text(open_page("meeting", "en"))
    assert "It worked: " in english
    assert "It moved: " in english
    decisions = find_decisions(situation, find_zone_states(store, COMMANDER), today=find_today(utc_now))
    assert decisions[0].reason == "moved"
    assert len(decisions) <= 5


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_it_rests_on(store: Store, view: str, lang: Language) -> None:
    text = read_text(open_page(view, lang))
    assert ("不给任何人打分" if lang == "zh" else "no person is scored") in text
    assert ("流动人口从不作为依据" if lang == "zh" else "floating population is never an input") in text


def test_the_meeting_counts_and_says_how_likely_by_luck(situation: Situation) -> None:
    text = read_text(open_page("meeting"))
    place = situation.places[0]
    assert (
        f"近 52 周 {place.hot.count} 起，按户数和面积均摊约 {place.hot.expected:.1f} 起（碰巧的可能不到千分之一）"
        in text
    )
    assert f"全社区近 12 周 {situation.n} 起" in text
    assert place.change is not None
    assert f"近 12 周 {place.change['count']} 起，前 12 周 {place.change['last']} 起" in text


def test_luck_is_said_with_as_many_digits_as_it_carries() -> None:
    assert [say_luck(p, "en") for p in (0.0004, 0.012, 0.44)] == [
        "less than 1 in 1,000 by luck", "about 1.2% likely by luck", "about 44% likely by luck",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verdict", ["too_early", "too_few", "worked", "worked_unsure", "moved", "worse", "unclear"])
def test_every_outcome_has_its_sentence(verdict: str, lang: Language, store: Store) -> None:
    class _Answer:
        figures = {"local": {"p": 0.01}, "ring": {"p": 0.2}}  # noqa: RUF012

    effect = Effect(verdict, 50, 12, 364.0, 182.0, 25.0, "lot", 60.0, 9, 8, 7.0, _Answer())  # type: ignore[arg-type]
    said = say_effect(effect, lang)
    assert "12" in said or verdict == "too_early"
    assert said.endswith(t("command.compared_lot", lang))


# From a place to its incidents and to a zone


def test_from_a_place_to_its_incidents_and_to_a_zone(store: Store, situation: Situation) -> None:
    page = press(open_page("bench"), "command-place-1")
    text = read_text(page)
    assert "不列报警人" in text
    names = {str(value) for value in store.read("SELECT reporter_name FROM incidents")["reporter_name"].dropna()}
    phones = {str(value) for value in store.read("SELECT reporter_phone FROM incidents")["reporter_phone"].dropna()}
    assert names
    assert not any(value in text for value in names | phones)
    press(page, "command_patrol")
    name = page.text_input[0]
    assert name.value == "东区13幢" == situation.places[0].hot.name
    assert page.text_area[0].value.startswith("近 52 周")
    page.button[0].click()
    check(page.run())
    (row,) = find_zone_records(store, COMMANDER).to_dict("records")
    assert (row["name"], row["kind"], row["source"]) == ("东区13幢", "repeat_alarm", "analysis")
    assert row["owner_account_id"] == "demo-commander"
    assert row["geom"].contains(situation.places[0].hot.geometry)
    assert "已开设“东区13幢”" in read_text(page)
    decisions = find_decisions(situation, find_zone_states(store, COMMANDER), today=find_today(utc_now))
    assert all(one.place is None or one.place.hot.name != "东区13幢" for one in decisions)


def test_a_drawn_zone_is_measured_continued_and_closed(store: Store, situation: Situation) -> None:
    page = press(open_page("zones"), "command_new")
    house = situation.buildings.index[situation.buildings["zone"] == "东区"][0]
    page.multiselect(key="command_houses").select(house)
    check(page.run())
    page.text_input[0].input("东区一带")
    page.text_area[0].input("夜间电动车被盗多")
    begin, end = page.time_input
    begin.set_value(time_of_day(22))
    end.set_value(time_of_day(2))
    page.button[0].click()
    check(page.run())
    (zone,) = find_zone_states(store, COMMANDER)
    assert zone.row["source"] == "drawn"
    assert (zone.row["weekdays"], zone.row["hours_from"], zone.row["weight"]) == ("1234567", time_of_day(22), 1)
    assert "每天 22:00–次日 02:00" in read_text(page)
    assert zone.geometry.contains(situation.buildings.geometry[house])
    text_of = {one.label: one for one in page.text_area}
    text_of["做了什么"].input("每晚两次徒步巡逻")
    check(next(one for one in page.button if one.label == "保存").click().run())
    assert find_zone_measures(store, COMMANDER)["text"].tolist() == ["每晚两次徒步巡逻"]
    next(one for one in page.text_area if one.label == "结果").input("起数回到平常")
    check([one for one in page.button if one.label == "结束"][-1].click().run())
    assert find_zone_records(store, COMMANDER)["status"].tolist() == ["closed"]
    assert "起数回到平常" in read_text(page)


def test_houses_and_their_neighbours_become_one_outline() -> None:
    one, near, far = (shapely.box(x, 0, x + 20, 10) for x in (0, 40, 300))
    assert build_outline([]) is None
    assert build_outline([one, near]).geom_type == "Polygon"
    assert build_outline([one, far]).geom_type == "MultiPolygon"
    assert build_outline([one, far]).contains(shapely.union_all([one, far]))


def test_the_lot_gives_each_zone_its_day(store: Store, sample_community: SampleCommunity) -> None:
    for planted in sample_community.truth["hot_places"][:2]:
        plant(store, planted)
    page = open_page("zones")
    check(next(one for one in page.button if one.label == "抽签").click().run())
    rows = find_zone_records(store, COMMANDER)
    assert rows["lot_id"].nunique() == 1
    assert rows["starts_on"].nunique() == 2
    assert "已抽签" in read_text(page)


def test_few_incidents_hatch_the_map(store: Store) -> None:
    few = find_situation(store, COMMANDER, Question(4, ("fire",), "night"))
    assert few is not None
    assert few.n < 30
    svg = build_map(few, (), title="x")
    assert '<path class="g f"' in svg
    assert 'class="h"' not in svg
    whole = find_situation(store, COMMANDER, Question())
    assert whole is not None
    assert '<path class="g"' in build_map(whole, (), title="x")


def test_an_officer_may_and_others_may_not(store: Store) -> None:
    assert "有什么变化" in [one.value for one in open_page("meeting", role=Role.OFFICER).subheader]
    for role in (Role.GRID_WORKER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(NotAllowedError):
            find_zone_states(store, Viewer(role))


# Files


def build(store: Store, situation: Situation) -> Report:
    return build_report(store, COMMANDER, situation, now=utc_now())


def read_docx(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def squeeze(text: str) -> str:
    """Without what a line break or the space between 东区 and 13 may be."""
    return re.sub(r"\s+", "", text)


def read_pdf(content: bytes) -> str:
    """The words of a PDF as a reader copies them, page numbers left out."""
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    return squeeze("".join(re.sub(r"\n\d+ / \d+\s*$", "", page) for page in pages))


def test_the_three_files_say_the_same(store: Store, situation: Situation, sample_community: SampleCommunity) -> None:
    truth = sample_community.truth
    plant(store, truth["patrol_worked"], starts=truth["patrol_worked"]["to"])
    began = time.process_time()
    report = build(store, situation)
    docx, pdf, xlsx = build_docx(report), build_pdf(report), build_xlsx(report)
    assert time.process_time() - began < 5
    text = read_docx(docx)
    for said in (
        "万户新村警情研判报告", "数据截至 2026-11-15", "不给任何人打分", "流动人口从不作为输入", "方法：25 米方格 Gi*",
        "有效：开始后", situation.places[0].hot.name, "演示数据",
    ):  # fmt: skip
        assert said in text, said
    assert pdf.startswith(b"%PDF-")
    (pages,) = re.findall(rb"/Type/Pages/Count (\d+)", pdf)
    assert 1 <= int(pages) <= 12
    names = {name.decode().lower() for name in re.findall(rb"/FontName/[A-Z]{6}\+([\w-]+)", pdf)}
    assert len(re.findall(rb"/FontFile[23] ", pdf)) == len(names) > 0  # each is embedded
    assert all(name.startswith(find_fonts()[0].replace(" ", "").lower()) for name in names)  # and none other steps in
    said = read_pdf(pdf)
    lines = [report.title, *report.facts, *(line for part in report.parts for line in (part.title, *part.lines))]
    cells = [text for table in report.tables for row in (table.heads, *table.rows) for text in row]
    assert len(lines) > 25
    assert len(cells) > 100
    assert [text for text in (*lines, *cells) if squeeze(text) not in said] == []
    book = openpyxl.load_workbook(io.BytesIO(xlsx))
    assert len(book.sheetnames) == 1 + len(report.tables) == 4
    assert book.worksheets[2]["B2"].value == situation.places[0].hot.name


def test_hostile_names_are_harmless_on_the_page_and_in_files(
    store: Store, situation: Situation, sample_community: SampleCommunity
) -> None:
    planted = sample_community.truth["hot_places"][0]
    plant(store, planted, name=HOSTILE, reason=FORMULA, partners="#panic() $x$ \\ ]")
    for view in VIEWS:
        page = open_page(view)
        assert HOSTILE not in "".join(one.proto.body for one in page.get("html"))
        assert HOSTILE not in "\n".join(one.value for kind in ("markdown", "caption") for one in getattr(page, kind))
    svg = build_map(situation, find_zone_states(store, COMMANDER), title=HOSTILE)
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    report = build(store, situation)
    assert HOSTILE in read_docx(build_docx(report))  # as words
    with zipfile.ZipFile(io.BytesIO(build_docx(report))) as archive:
        assert b"<script" not in archive.read("word/document.xml")
    assert squeeze(HOSTILE) in read_pdf(build_pdf(report))
    assert squeeze(FORMULA) in read_pdf(build_pdf(report))
    sheet = openpyxl.load_workbook(io.BytesIO(build_xlsx(report))).worksheets[3]
    assert (sheet["A2"].value, sheet["G2"].value) == (HOSTILE, f"'{FORMULA}")
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


def test_without_a_chinese_font_the_pdf_is_refused_with_a_sentence(store: Store, situation: Situation) -> None:
    with pytest.raises(RefusedError, match=r"no Chinese font, expected one of Noto Sans CJK SC.*fonts-noto-cjk"):
        build_pdf(build(store, situation), fonts=())


def test_a_report_that_was_made_is_in_the_log(store: Store) -> None:
    press(open_page("report"), "command_report_docx")
    rows = store.read("SELECT detail FROM audit_log WHERE action = 'export' AND subject_kind = 'report'")
    detail = json.loads(rows["detail"].iloc[-1])
    assert (detail["format"], detail["weeks"]) == ("docx", 12)
    assert detail["incidents"] > 0


def test_an_outline_holds_what_it_is_about(situation: Situation) -> None:
    for place in situation.places:
        outline: BaseGeometry = find_outline(place, situation)
        assert outline.is_valid
        own = situation.rows.geometry[place.inside & situation.in_period]
        assert shapely.intersects(outline, own.to_numpy()).all()
