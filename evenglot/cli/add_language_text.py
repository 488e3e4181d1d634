"""What ``add-language`` reads from its flags and says at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.errors import ConfigurationError
from corpus.tags import english_name
from evenglot.continual.config import AddLanguageConfig


def settings_of(**given: Any) -> AddLanguageConfig:
    """The settings that flags give.

    Raises:
        ConfigurationError: one of them does not fit.
    """
    try:
        return AddLanguageConfig.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:1])
        flag = f"--{where.replace('_', '-')}: " if where else ""
        said = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigurationError(f"{flag}{said}", "`evenglot add-language --help` shows what it takes") from error


def added_table(found: Mapping[str, Any]) -> Table:
    """Held-out bits per byte of each language before and after."""
    table = Table(box=None, pad_edge=False, header_style="bold", title="Held-out bits per byte", title_justify="left")
    table.add_column("language")
    table.add_column("name")
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right")
    after: Mapping[str, float] = found["after"]
    for lang in found["old"]:
        if lang in found["before"] and lang in after:
            before = found["before"][lang]
            same = "equal" if before == after[lang] else f"{after[lang] - before:+.4f}"
            table.add_row(lang, english_name(lang), f"{before:.4f}", f"{after[lang]:.4f}", same)
    for lang in found["new"]:
        for label, before in found["before_new"][lang].items():
            change = f"{after[lang] - before:+.4f}" if lang in after else ""
            shown = f"{after[lang]:.4f}" if lang in after else ""
            table.add_row(lang, f"{english_name(lang)}, new, {label}", f"{before:.4f}", shown, change, style="bold")
    return table


def added_text(found: Mapping[str, Any], output: str) -> RenderableType:
    """The result for people."""
    starts = "; ".join(f"{lang} from {', '.join(tags)}" for lang, tags in found["start"].items())
    lines = [f"\nstart: {starts}", f"{found['steps']:,} steps, {found['tokens']:,} tokens"]
    vocabulary = found["vocabulary"]
    if vocabulary["after"] > vocabulary["before"]:
        for lang, by_tokenizer in found["fertility"].items():
            shown = " -> ".join(f"{value:.2f}" for value in by_tokenizer.values() if value is not None)
            lines.append(f"{vocabulary['after'] - vocabulary['before']:,} new pieces; {lang} tokens per word: {shown}")
    held = "equal to the bit" if found["old_parameters_equal"] else "changed"
    lines.append(f"old languages' parameters: {held}")
    lines.append(f"run: {output}")
    return Group(added_table(found), Text("\n".join(lines)))
