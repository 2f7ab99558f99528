"""
Files of a report: docx (python-docx), PDF (typst) and xlsx, made on the server, fetching nothing.

What was typed by people reaches typst as data, never as markup, and a document only as text of a run.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt

from data.cell_files import write_book
from data.cells import clean, guard
from layers.paper import FONTS, find_fonts, print_paper
from ui.reports import Report

DOCX, PDF, XLSX = "docx", "pdf", "xlsx"
MIME = {
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    PDF: "application/pdf",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_TEMPLATE = """
#let report = json(bytes(sys.inputs.content))
#set document(title: report.title)
#set page(paper: "a4", margin: 2cm, numbering: "1 / 1")
#set text(font: json(bytes(sys.inputs.fonts)), size: 10.5pt, lang: "zh", region: "cn")
#set par(justify: true, leading: 0.8em)
#set table(stroke: 0.5pt + luma(140), inset: 4pt)
#align(center, text(size: 17pt, weight: "bold", report.title))
#for fact in report.facts [#text(size: 9pt, fill: luma(70), fact) #linebreak()]
#for part in report.parts {
  heading(level: 1, part.title)
  for line in part.lines { par(line) }
  if part.table != none {
    if part.table.title != part.title { text(size: 9pt, weight: "bold", part.table.title) }
    set text(size: 8pt)
    set par(justify: false)
    table(
      columns: part.table.heads.len(),
      table.header(..part.table.heads.map(strong)),
      ..part.table.rows.flatten(),
    )
  }
}
"""

_DENSE = (("margin: 2cm", "margin: 1.2cm"), ("size: 10.5pt", "size: 8.5pt"), ("leading: 0.8em", "leading: 0.5em"))


def build_pdf(report: Report, *, fonts: tuple[str, ...] | None = None, is_dense: bool = False) -> bytes:
    """
    The report as PDF, its font embedded; `is_dense` for what has to stand on one page.

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know: the file would be full of empty boxes.
    """
    content = {
        "title": report.title,
        "facts": list(report.facts),
        "parts": [
            {
                "title": part.title,
                "lines": list(part.lines),
                "table": None
                if part.table is None or not part.table.rows
                else {
                    "title": part.table.title,
                    "heads": list(part.table.heads),
                    "rows": [list(row) for row in part.table.rows],
                },
            }
            for part in report.parts
        ],
    }
    template = _TEMPLATE
    for usual, dense in _DENSE if is_dense else ():
        template = template.replace(usual, dense)
    return print_paper(template, content, fonts=fonts)


def build_docx(report: Report) -> bytes:
    """The report as a document that can be edited."""
    document = Document()
    font = (find_fonts() or FONTS[3:4])[0]
    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        style.font.name = font
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    document.styles["Normal"].font.size = Pt(10.5)
    document.core_properties.title = clean(report.title)
    document.add_heading(clean(report.title), 0)
    for fact in report.facts:
        document.add_paragraph(clean(fact)).runs[0].font.size = Pt(9)
    for part in report.parts:
        document.add_heading(clean(part.title), 1)
        for line in part.lines:
            document.add_paragraph(clean(line))
        if part.table is None or not part.table.rows:
            continue
        grid = document.add_table(rows=1, cols=len(part.table.heads), style="Table Grid")
        for cells, row in ((grid.rows[0].cells, part.table.heads), *((None, row) for row in part.table.rows)):
            for cell, text in zip(cells or grid.add_row().cells, row, strict=True):
                cell.text = clean(text)
                for run in cell.paragraphs[0].runs:
                    run.font.size = Pt(8)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def build_xlsx(report: Report) -> bytes:
    """The tables, a sheet each, every cell text that no spreadsheet runs; the facts stand in the first."""
    facts: list[Sequence[str]] = [[report.title], *([fact] for fact in report.facts)]
    tables = [(f"{n} {table.title}", [table.heads, *table.rows]) for n, table in enumerate(report.tables, start=1)]
    sheets = [(f"0 {report.title}", facts), *tables]
    return write_book((name, ([guard(text) for text in line] for line in lines)) for name, lines in sheets)


BUILD = {DOCX: build_docx, PDF: build_pdf, XLSX: build_xlsx}
