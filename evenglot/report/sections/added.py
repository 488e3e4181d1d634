"""Languages added to a trained model: what they gained and what the others lost."""

from __future__ import annotations

from evenglot.report.added import Added, NewLanguage
from evenglot.report.blocks import Block, Cell, Column, Group, Section, Table
from evenglot.report.numbers import percent, plural, signed
from evenglot.report.sections.context import Context, listed

_TITLE = "Added languages"


def added(context: Context) -> Section | None:
    """Held-out bits per byte of every language before and after; None where the run is no such run."""
    run = context.facts.run
    found = None if run is None else run.added
    if found is None:
        return None
    blocks: list[Block] = [_new(context, found)]
    if found.old:
        blocks.append(_old(context, found))
    return Section("added", _TITLE, "Added", _finding(context, found), blocks)


def _finding(context: Context, found: Added) -> str:
    names = listed([context.name(one.lang).english for one in found.new])
    said = f"{names} came to {plural(len(found.old), 'language')}"
    if found.untouched and all(before == after for before, after in found.old.values()):
        return f"{said}, which are unchanged to the last bit."
    if not found.old:
        return f"{said}."
    worst = max(found.old, key=lambda lang: (found.old[lang][1] - found.old[lang][0], lang))
    change = found.old[worst][1] - found.old[worst][0]
    return f"{said}; {context.name(worst).english} changed most for the worse, by {signed(change)} bits per byte."


def _new(context: Context, found: Added) -> Table:
    def row(one: NewLanguage) -> list[Cell]:
        start = listed([tag if tag == "core" else context.name(tag).english for tag in one.start])
        return [
            context.name(one.lang),
            start,
            *(_bits(one.before.get(name)) for name in ("core", "nearest adapter")),
            _bits(one.after),
            " → ".join(f"{value:.2f}" for value in one.fertility),
        ]

    caption = "Bits per byte of held-out text, lower is better; before training under the core alone and under the old "
    caption += "language’s adapter that fits best."
    if found.mode == "open":
        caption += f" The core moved as well; {percent(found.replay)} of the rows were old languages’."
    if found.pieces:
        caption += f" {plural(found.pieces, 'piece was', 'pieces were')} added to the vocabulary."
    return Table(
        [
            Column("New language", "language"),
            Column("Started from", "text"),
            Column("Core"),
            Column("Nearest"),
            Column("After"),
            Column("Tokens per word", hint="In the old vocabulary, and with the added pieces"),
        ],
        [Group("", [row(one) for one in found.new])],
        caption=caption,
    )


def _old(context: Context, found: Added) -> Table:
    def row(lang: str) -> list[Cell]:
        before, after = found.old[lang]
        return [context.name(lang), _bits(before), _bits(after), "equal" if before == after else signed(after - before)]

    return Table(
        [Column("Language known before", "language"), Column("Before"), Column("After"), Column("Change")],
        context.groups(list(found.old), row),
        caption="The same held-out text in the same batches: equal means equal to the last bit.",
    )


def _bits(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
