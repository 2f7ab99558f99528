"""Pages: the wall is the first thing that a visitor sees."""

import streamlit as st

from i18n import t
from ui.session import get_language
from ui.wall import show_wall

st.set_page_config(page_title=t("wall.page_title", get_language()), layout="wide", initial_sidebar_state="collapsed")
show_wall()
