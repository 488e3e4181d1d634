"""Which scripts a language tag allows."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.script.unicode import SCRIPT_IDS


@dataclass(frozen=True)
class ScriptRule:
    """What text under a tag may be written in."""

    accepted: frozenset[str]
    """ISO 15924 codes of single scripts."""
    evidence: frozenset[str] = frozenset()
    """Those of which some must be there, since the others alone would be another language."""


# ISO 15924 codes that name several scripts, or a variant of one.
_COMPOSITE: dict[str, ScriptRule] = {
    "Hans": ScriptRule(frozenset({"Hani", "Bopo"})),
    "Hant": ScriptRule(frozenset({"Hani", "Bopo"})),
    "Hanb": ScriptRule(frozenset({"Hani", "Bopo"})),
    "Jpan": ScriptRule(frozenset({"Hani", "Hira", "Kana"}), frozenset({"Hira", "Kana"})),
    "Hrkt": ScriptRule(frozenset({"Hira", "Kana"})),
    "Kore": ScriptRule(frozenset({"Hang", "Hani"}), frozenset({"Hang"})),
    "Hang": ScriptRule(frozenset({"Hang", "Hani"}), frozenset({"Hang"})),
    "Jamo": ScriptRule(frozenset({"Hang"})),
    "Aran": ScriptRule(frozenset({"Arab"})),
    "Cyrs": ScriptRule(frozenset({"Cyrl"})),
    "Geok": ScriptRule(frozenset({"Geor"})),
    "Latf": ScriptRule(frozenset({"Latn"})),
    "Latg": ScriptRule(frozenset({"Latn"})),
    "Syre": ScriptRule(frozenset({"Syrc"})),
    "Syrj": ScriptRule(frozenset({"Syrc"})),
    "Syrn": ScriptRule(frozenset({"Syrc"})),
}


def script_rule(tag: str) -> ScriptRule | None:
    """The scripts that a tag such as ``srp_Cyrl`` or ``jpn_Jpan`` allows; None where it names none (``und``)."""
    script = tag.partition("_")[2]
    if script in _COMPOSITE:
        return _COMPOSITE[script]
    if script in SCRIPT_IDS and script != "Zyyy":
        return ScriptRule(frozenset({script}))
    return None
