"""
A component without a picture: what Streamlit's own widgets say in English is said in the page's language.

Streamlit has no catalogue of its own. A box for files says "Upload", an empty list "No results", and when the server is
restarted a dialogue asks whether `streamlit run` was stopped by accident. The browser's half looks only inside those
widgets, and changes only what is written here word for word. A test holds these words against the installed Streamlit.
"""

from __future__ import annotations

import streamlit as st

from i18n import LANGUAGES, Language, t

# Streamlit's words by our key; `{…}` stands for whatever Streamlit puts there.
OWN_WORDS: dict[str, str] = {
    "upload": "Upload",
    "add_files": "Add files",
    "drop_file": "Drag and drop a file here",
    "drop_files": "Drag and drop files here",
    "per_file": "{size} per file{rest}",
    "not_allowed": "{type} files are not allowed.",
    "choose_one": "Choose an option",
    "choose_some": "Choose options",
    "no_results": "No results",
    "open": "Open",
    "clear_value": "Clear value",
    "clear_all": "Clear all",
    "select_all": "Select all",
    "selected_values": "Selected values",
    "choose_date": "Choose date",
    "choose_date_in": "Choose date, {month}",
    "choose_range": "Choose date range",
    "clear_date": "Clear date",
    "clear_dates": "Clear dates",
    "last_month": "Previous month",
    "next_month": "Next month",
    "year_of": "year, {label}",
    "month_of": "month, {label}",
    "day_of": "day, {label}",
    "date_keys": "Use arrow keys to navigate dates. Enter to select. Escape to close.",
    "clear_time": "Clear time",
    "hours": "Hours must be 0–23.",
    "minutes": "Minutes must be 0–59.",
    "more": "Increment",
    "less": "Decrement",
    "show_password": "Show password",
    "hide_password": "Hide password",
    "close": "Close",
    "lost": "Connection error",
    "lost_text": "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:",
}

_JS = r"""
const WIDGETS = [
  "stFileUploader", "stSelectbox", "stMultiSelect", "stDateInput", "stTimeInput", "stNumberInput", "stTextInput",
  "stDialog",
];
const INSIDE = [...WIDGETS.map((name) => `[data-testid^="${name}"]`), '[role="listbox"]'].join(",");
const CLOSE = '[data-testid="stDialog"] [role="dialog"] > button';
const NAMES = ["aria-label", "placeholder", "title"];

function build(words) {
  const plain = new Map(), patterns = [];
  for (const [from, to] of words) {
    if (!from.includes("{")) plain.set(from, to);
    else {
      const exact = from.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
      patterns.push([new RegExp(`^${exact.replace(/\{(\w+)\}/g, "(?<$1>.*)")}$`), to]);
    }
  }
  return (text) => {
    const said = text.trim();
    if (plain.has(said)) return plain.get(said);
    for (const [pattern, to] of patterns) {
      const found = pattern.exec(said);
      if (found) return to.replace(/\{(\w+)\}/g, (_, name) => found.groups[name] ?? "");
    }
    return null;
  };
}

function start() {
  const words = { translate: () => null };
  const sayText = (node) => {
    const said = node.parentElement?.closest(INSIDE) && words.translate(node.data);
    if (said && said !== node.data) node.data = said;
  };
  const sayNames = (element) => {
    if (!element.closest(INSIDE)) return;
    for (const name of NAMES) {
      const before = element.getAttribute(name);
      const said = before && words.translate(before);
      if (said && said !== before) element.setAttribute(name, said);
    }
  };
  const sayAll = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return sayText(root);
    if (root.nodeType !== Node.ELEMENT_NODE || root.closest(".shapan-table")) return;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = root; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) sayText(node);
      else sayNames(node);
    }
    // The wall says by itself that the server is away, and goes on showing what it knows: nothing is laid over it.
    if (document.querySelector(".shapan-table")) root.querySelector(CLOSE)?.click();
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(sayAll);
      else if (type === "characterData") sayText(target);
      else sayNames(target);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: NAMES });
  words.set = (pairs) => {
    words.translate = build(pairs);
    sayAll(document.body);
  };
  return words;
}

export default function ({ data }) {
  window.shapanWords ??= start();
  const print = JSON.stringify(data.words);
  if (window.shapanWords.print === print) return;
  window.shapanWords.print = print;
  window.shapanWords.set(data.words);
}
"""

_mount = st.components.v2.component(
    "shapan_words", html='<i hidden class="sh-words"></i>', js=_JS, isolate_styles=False
)


def build_words(lang: Language) -> list[tuple[str, str]]:
    """What is said of a widget, by Streamlit or by us in the other language, and what is said instead."""
    pairs = []
    for key, own in OWN_WORDS.items():
        said = t(f"streamlit.{key}", lang)
        spoken = [own, *(t(f"streamlit.{key}", other) for other in LANGUAGES)]
        pairs += [(word, said) for word in dict.fromkeys(spoken) if word != said]
    return pairs


def show_words(lang: Language) -> None:
    """Mount it once on a page."""
    _mount(key="words", data={"words": build_words(lang)})
