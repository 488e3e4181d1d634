from __future__ import annotations

from xml.etree import ElementTree

from evenglot.report.areas import areas


def test_layers_stand_on_each_other_and_fill_the_height() -> None:
    svg = areas(
        [100.0, 400.0],
        [("English", "accent", [0.75, 0.25]), ("Hebrew <", "c0", [0.25, 0.75])],
        rules=[(100.0, "focused"), (380.0, "by hand")],
    )
    root = ElementTree.fromstring(str(svg))
    english, hebrew = root.iter("polygon")
    assert english.get("points") == (
        "0.0,250.0 250.0,250.0 250.0,750.0 1000.0,750.0 1000.0,1000.0 250.0,1000.0 250.0,1000.0 0.0,1000.0"
    )
    assert hebrew.get("points", "").startswith("0.0,0.0 250.0,0.0 250.0,0.0 1000.0,0.0 1000.0,750.0 250.0,750.0")
    assert [node.text for node in root.iter("title")] == [
        "English: 37.5\u202f% of all tokens",
        "Hebrew <: 62.5\u202f% of all tokens",
    ]
    words = [node.text for node in root.iter("text")]
    assert words[0] == "share of the tokens"
    assert words[-2:] == ["focused", "by hand"]
    marks = [node for node in root.iter("line") if node.get("class") == "mark"]
    assert [node.get("x1") for node in marks] == ["25%", "95%"]
