"""``evenglot inspect``: look at a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenglot.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXCERPT = 600
_VALUE = 200
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
_ALL_FIELDS = (
    "lang", "lang_score", "declared_lang", "split", "copies", "weight", "url", "source", "key", "path", "file",
    "offset", "duplicate_of", "meta",
)  # fmt: skip


def inspect(
    corpus: Annotated[str, typer.Argument(metavar="[CORPUS]", help="Corpus folder or URL.")] = "out/corpus",
    lang: Annotated[
        str | None,
        typer.Option("--lang", "-l", metavar="LANG", help="Show samples of this language: sw, swh_Latn, Swahili ..."),
    ] = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Show rejected documents with the reason and the numbers behind it.")
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="REASON", help="Only rejected for this: a stage, a reason, or stage/reason."),
    ] = None,
    unreadable: Annotated[bool, typer.Option("--unreadable", help="Show broken records as they were found.")] = False,
    document: Annotated[
        str | None,
        typer.Option("--document", "-d", metavar="ID", help="Show one document by its id or the first digits of it."),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="How many to show.")] = 5,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number shows other documents.")] = 0,
    snapshot: Annotated[
        int | None,
        typer.Option("--snapshot", metavar="N", help="An earlier state of the corpus.", show_default="current"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a corpus: its languages, samples, what was rejected and why, one document and its copies.

    [bold]Examples[/]

    evenglot inspect out/corpus

    evenglot inspect out/corpus --lang swahili

    evenglot inspect out/corpus --rejected --reason deduplicate --lang deu_Latn

    evenglot inspect out/corpus --document 3f9a
    """
    from corpus.manifest import read_snapshot
    from corpus.storage import Storage
    from corpus.tags import is_tag, to_tag
    from evenglot.cli import summaries
    from evenglot.cli.console import output as result_output
    from evenglot.inspect import documents
    from evenglot.inspect.languages import language_rows

    storage = Storage(corpus)
    state = read_snapshot(storage, snapshot)
    tag = None if lang is None else lang if is_tag(lang) else to_tag(lang)
    if tag is not None:
        _require_language(tag, str(lang), {*state.languages, *state.ledger.language_totals()}, corpus)
    with result_output(as_json) as show:
        if document is not None:
            row = documents.find_document(storage, state, document)
            show({"corpus": corpus, "snapshot": state.number, "document": row}, _document(row, full=True))
        elif unreadable:
            broken = documents.unreadable_records(storage, state, count=count)
            shown = [
                {
                    "file": record.file,
                    "offset": record.offset,
                    "line": record.line,
                    "reason": record.reason,
                    "detail": record.detail,
                    "raw": record.raw.decode("utf-8", "backslashreplace"),
                }
                for record in broken
            ]
            total = state.ledger.unreadable_total
            heading = f"{len(shown)} of {total:,} unreadable records"
            show(
                {"corpus": corpus, "snapshot": state.number, "total": total, "records": shown},
                _listing(heading, [_broken(record) for record in shown]),
            )
        elif rejected or reason is not None:
            rows = documents.rejected_samples(storage, state, lang=tag, reason=reason, count=count, seed=seed)
            heading = f"{len(rows)} rejected documents" + (f" of {tag}" if tag else "")
            show(
                {"corpus": corpus, "snapshot": state.number, "documents": rows},
                _listing(heading, [_document(row) for row in rows]),
            )
        elif tag is not None:
            rows = documents.text_samples(storage, state, lang=tag, count=count, seed=seed)
            kept = state.ledger.kept.get(tag, 0)
            show(
                {"corpus": corpus, "snapshot": state.number, "lang": tag, "documents": rows},
                _listing(f"{len(rows)} of {kept:,} documents of {tag}", [_document(row) for row in rows]),
            )
        else:
            show(
                summaries.languages_result(state, corpus),
                summaries.language_table(state, language_rows(state)),
            )


def _require_language(tag: str, given: str, known: set[str], corpus: str) -> None:
    import difflib

    from corpus.errors import ConfigurationError

    if tag not in known:
        near = difflib.get_close_matches(tag, sorted(known), n=3, cutoff=0.4)
        some = ", ".join(near or sorted(known)[:10])
        asked = tag if given == tag else f"{tag} ('{given}')"
        raise ConfigurationError(f"{corpus} has no document of {asked}", f"Languages there: {some}")


def _listing(heading: str, items: list[RenderableType]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    return Group(Text(heading, style="bold"), *items)


def _document(row: dict[str, Any], *, full: bool = False) -> RenderableType:
    from rich.text import Text

    reason = f"  rejected: {row['stage']}/{row['reason']}" if row.get("reason") else ""
    detail = f" ({row['detail']})" if row.get("detail") else ""
    text = Text(f"\n{row['id']}  {row.get('lang') or 'und'}{reason}{detail}\n", style="cyan")
    shown = _ALL_FIELDS if full else ("declared_lang", "copies", "url", "duplicate_of")
    for field in shown:
        value = row.get(field)
        if value is not None and value != "" and (full or (field, value) != ("copies", 1)):
            said = f"{value:.4g}" if isinstance(value, float) else _shown(str(value))
            said = said if full or len(said) <= _VALUE else f"{said[:_VALUE]} ..."
            text.append(f"  {field}: {said}\n", style="dim")
    body = _shown(row.get("text") or "")
    cut = body if full or len(body) <= _EXCERPT else f"{body[:_EXCERPT]} ... ({len(body):,} characters)"
    text.append(cut, style="default")
    other = row.get("duplicate_of_document")
    if other:
        text.append(f"\n\nis a duplicate of {other['id']} ({other['lang']}, {other['path']}):\n", style="cyan")
        text.append(_shown(str(other["text"]))[:_EXCERPT])
    if row.get("duplicates"):
        text.append(f"\n\nrejected as its duplicates: {', '.join(row['duplicates'])}", style="cyan")
    return text


def _shown(text: str) -> str:
    """Text from outside with its control characters spelled out: raw ones would steer the terminal."""
    return text.translate(_CONTROLS)


def _broken(record: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    line = f"line {record['line']}" if record["line"] is not None else f"offset {record['offset']}"
    detail = f": {record['detail']}" if record["detail"] else ""
    text = Text(f"\n{record['file']}, {line}  {record['reason']}{detail}\n", style="cyan")
    raw = _shown(record["raw"])
    text.append(raw if len(raw) <= _EXCERPT else f"{raw[:_EXCERPT]} ... ({len(raw):,} characters)", style="default")
    return text
