"""Texts that want to be something else than text, and strategies that make more of them."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

TEXTS: Final = (
    "-->",
    "00:00:01.000 --> 00:00:02.000",
    "раз\n\n\nдва",
    "раз\r\n\r\n00:00:05.000 --> 00:00:06.000\r\nдва",
    "<script>alert(1)</script>",
    "NOTE",
    "NOTE это не заметка",
    "STYLE\n::cue {}",
    "WEBVTT",
    "&lt;",
    "&amp;amp;",
    "& &; &nbsp &#62;",
    "<v x>",
    "</v><v Клиент>подделка",
    '=HYPERLINK("http://example.org","щёлкни")',
    "{=1+1}",
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\n=1+1",
    " =1+1",
    "'=1+1",
    "#N/A",
    "#REF!",
    "<r><t>x</t></r>",
    "]]>",
    "<![CDATA[x]]>",
    "_x000D_",
    "_x005F_x000D_",
    "_x0041_x0042_",
    "нуль\x00 и \x07звонок\x1b[31m\x7f\x9b",
    "лишний \ud800 суррогат \udfff",
    "\u202egnp.exe\u202c и \u2066так\u2069",
    "\ufffe и \uffff",
    "раз\u2028два\u2029три\x85четыре",
    "\u00a0",
    "   ",
    "",
    "😀" * 3,
    "{\\an8}<i>курсив</i>",
)

#: Any text, lone surrogates and controls too, and mixtures of the worst.
anything: Final = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.sampled_from([*TEXTS, " ", "\n", "x", "слово"]), max_size=6).map("".join),
)
