"""What a section is made of; the templates know how to show each kind and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from markupsafe import Markup

from evenglot.report.names import LanguageName

Cell = str | Markup | LanguageName


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    label: str
    look: Literal["text", "number", "chart", "language", "name"] = "number"
    """``name`` is a language with its autonym, or any other text that names the row."""
    hint: str = ""
    """Shown when the pointer rests on the heading."""
    axis: Markup | None = None
    """Scale drawn in the heading of a chart column."""
    minor: bool = False
    """Left out on narrow screens."""

    @property
    def classes(self) -> str:
        """Classes of its cells, as short as hundreds of rows deserve."""
        letter = {"text": "t", "number": "n", "chart": "c", "language": "l", "name": "k"}[self.look]
        return f"{letter}{' m' if self.minor else ''}"


@dataclass(frozen=True)
class Group:
    """Rows under one subheading; an empty title has none."""

    title: str
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Table:
    """A table whose cells may hold small charts that share the scale of their column's heading."""

    columns: Sequence[Column]
    groups: Sequence[Group]
    caption: str = ""
    key: Markup | None = None
    """How to read the chart, with the marks themselves."""
    folded: str = ""
    """When set, the table is hidden behind this line until it is opened."""
    kind: ClassVar[str] = "table"

    @property
    def rows(self) -> int:
        """Number of rows in all groups."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def scrolls(self) -> bool:
        """Whether the table is long enough for a box of its own with a fixed heading."""
        return self.rows > (22 if self.searchable else 60)

    @property
    def searchable(self) -> bool:
        """Whether rows are languages, and many enough that a search field helps."""
        return self.rows > 12 and any(column.look == "language" for column in self.columns)


@dataclass(frozen=True)
class Figure:
    """One chart with its caption."""

    svg: Markup
    caption: str = ""
    note: str = ""
    scroll: bool = False
    """Keeps its width on narrow screens and scrolls instead."""
    narrow: bool = False
    """Does not need the whole width."""
    labels: bool = False
    """Leaves room at the right for labels of lines."""
    key: Markup | None = None
    """How to read the chart, with the marks themselves."""
    small: Markup | None = None
    """Another drawing of the same, shown instead on narrow screens."""
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Panel:
    """One small multiple."""

    language: LanguageName
    value: str
    svg: Markup


@dataclass(frozen=True)
class Panels:
    """Small multiples on one common scale."""

    panels: Sequence[Panel]
    caption: str
    key: Markup | None = None
    shared: Markup | None = None
    """Drawing that the panels refer to."""
    note: str = ""
    kind: ClassVar[str] = "panels"


@dataclass(frozen=True)
class Tile:
    """A number to read first."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Numbers side by side."""

    tiles: Sequence[Tile]
    kind: ClassVar[str] = "tiles"


@dataclass(frozen=True)
class Facts:
    """Names and values, such as versions."""

    rows: Sequence[tuple[str, str]]
    caption: str = ""
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Source:
    """A long text such as a recipe, folded away."""

    title: str
    text: str
    kind: ClassVar[str] = "source"


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Equation:
    """The ledger: what was read on the left, where it went on the right."""

    total: tuple[str, str]
    terms: Sequence[tuple[str, str]]
    closes: bool
    kind: ClassVar[str] = "equation"


@dataclass(frozen=True)
class Matrix:
    """Counts of rows against columns, shaded by their share of the row."""

    rows: Sequence[LanguageName]
    columns: Sequence[LanguageName]
    cells: Sequence[Sequence[tuple[str, int, str]]]
    """Per row and column: text, shade from 0 to 10, title."""
    caption: str
    row_label: str
    column_label: str
    kind: ClassVar[str] = "matrix"


@dataclass(frozen=True)
class HeatMap:
    """A square of values between the same things down and across."""

    title: str
    names: Sequence[tuple[str, str]]
    """Of rows and columns: what they are called, and what is shown when the pointer rests on it."""
    cells: Sequence[Sequence[tuple[str, str, str]]]
    """Per row and column: text, class of its shade, title."""


@dataclass(frozen=True)
class HeatMaps:
    """Several squares on one scale that diverges around 0."""

    maps: Sequence[HeatMap]
    caption: str
    low: str
    """Value of the darkest shade below 0."""
    high: str
    """Value of the darkest shade above 0."""
    note: str = ""
    kind: ClassVar[str] = "heatmaps"


@dataclass(frozen=True)
class HeatCell:
    """One cell of a heat table."""

    text: str
    shade: int
    """From 0, nothing, to 10."""
    tip: str


@dataclass(frozen=True)
class HeatRow:
    """One language of a heat table."""

    language: LanguageName
    total: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True)
class Heat:
    """Languages down, reasons across, shaded; readable with hundreds of languages."""

    columns: Sequence[tuple[str, Sequence[str]]]
    """Headings in groups: (group, columns)."""
    groups: Sequence[tuple[str, Sequence[HeatRow]]]
    """Rows under subheadings; an empty one is left out."""
    caption: str
    total: str
    """Heading of the rows' totals."""
    short: bool = False
    """Whether the columns' headings are a character or two, which need no room to stand upright."""
    tone: Literal["a", "h"] = "h"
    """Of the shades: ``h`` for what the reader should worry about, ``a`` for what is just there."""
    kind: ClassVar[str] = "heat"

    @property
    def width(self) -> int:
        """Columns in all."""
        return sum(len(names) for _, names in self.columns)

    @property
    def rows(self) -> int:
        """Rows in all groups."""
        return sum(len(rows) for _, rows in self.groups)


@dataclass(frozen=True)
class Parent:
    """The natural document that a synthetic one was made from."""

    language: LanguageName
    text: str
    cut: bool
    id: str


@dataclass(frozen=True)
class Quote:
    """A piece of a document, as it is."""

    text: str
    cut: bool
    language: LanguageName
    facts: Sequence[tuple[str, str]]
    """Names and values shown under the text."""
    verdict: str = ""
    """Stage and reason of a rejected one; empty for a kept one."""
    detail: str = ""
    """The numbers that decided."""
    parent: Parent | None = None
    """Shown beside the text."""


@dataclass(frozen=True)
class QuoteGroup:
    """Quotes of one language or one reason."""

    heading: LanguageName | str
    summary: str
    quotes: Sequence[Quote]
    open: bool = False


@dataclass(frozen=True)
class Quotes:
    """Groups of quotes, each folded."""

    groups: Sequence[QuoteGroup]
    caption: str
    searchable: bool = False
    kind: ClassVar[str] = "quotes"


@dataclass(frozen=True)
class Missing:
    """What is not there yet and the commands that make it."""

    text: str
    commands: Sequence[str]
    kind: ClassVar[str] = "missing"


Block = Table | Figure | Panels | Tiles | Facts | Source | Note | Equation | Matrix | HeatMaps | Heat | Quotes | Missing


@dataclass(frozen=True)
class Section:
    """A chapter of the report."""

    id: str
    title: str
    short: str
    """Its name in the row of links."""
    finding: str
    """One sentence, from the data."""
    blocks: Sequence[Block] = field(default_factory=tuple)
