"""Placeholder of the wall page until it is written."""

import streamlit as st

from data.runtime import get_store

st.set_page_config(layout="wide")
st.write(get_store().path.stem)
