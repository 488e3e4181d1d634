from __future__ import annotations

import time

import pytest

from pipeline.sources.html import declared_charset, visible_text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("plain  text\n\n with   gaps", "plain text\nwith gaps"),
        ("a<b>b</b>c", "abc"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<td>a</td><td>b</td>", "a b"),
        ("<html><head><title>t</title></head><body>x</body>", "x"),
        ("<script>var a = '<p>no</p>';</script>yes", "yes"),
        ("<SCRIPT src=a>no</SCRIPT >yes", "yes"),
        ("before<style>p {}</style>after", "before\nafter"),
        ("<!-- a > comment -->yes", "yes"),
        ("<!-- never closed <p>no</p>", ""),
        ("<script>never closed <p>no</p>", ""),
        ('<a title="a > b" href="x">link</a>', "link"),
        ("<a title='it\"s > b'>link</a>", "link"),
        ('<p class="broken>text</p>', "text"),
        ("caf&eacute; &amp; &#1590; &lt;b&gt;", "café & ض <b>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<!DOCTYPE html><?xml version='1'?>x", "x"),
        ("<p>שלום</p><div>नमस्ते</div>", "שלום\nनमस्ते"),
        ("x<unfinished", "x"),
        ("", ""),
    ],
)
def test_visible_text(page: str, text: str) -> None:
    assert visible_text(page) == text


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!--", "<script>", "<a '", '<a "', "<a \"'>", "<", "<p", "&#", "</", "<svg>", "<a \"<b '", "<a b='>"],
)
def test_time_is_linear_on_hostile_pages(piece: str) -> None:
    page = piece * (1_000_000 // len(piece))
    started = time.process_time()
    visible_text(page)
    assert time.process_time() - started < 5


def test_declared_charset() -> None:
    assert declared_charset(b'<meta charset="windows-1251">') == "windows-1251"
    assert declared_charset(b'<META http-equiv=x content="text/html; charset=Shift_JIS">') == "Shift_JIS"
    assert declared_charset(b"<p>charset=x</p>") is None
