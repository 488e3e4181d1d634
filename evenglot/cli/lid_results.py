"""What the commands of ``evenglot lid`` say at their end, for machines and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.schema import UNDETERMINED
from corpus.tags import english_name
from evenglot.cli.console import duration
from evenglot.cli.summaries import size
from pipeline.language_id.ensemble import Member
from pipeline.language_id.evaluate import Scores, score
from pipeline.language_id.judge import Duel, Verdicts, by_source, duel
from pipeline.language_id.own import TrainedModel
from pipeline.language_id.rows import RowAccount

_SHOWN: Final = 10
"""Confusions, sources, broken lines and labels named to people; JSON has more."""


def score_result(model: Member, verdicts: Verdicts, account: RowAccount, by: str | None) -> dict[str, Any]:
    """The result of ``lid score``."""
    scores = score(verdicts.gold, verdicts.predicted[0])
    result = {
        "model": model.describe(),
        "rows": account.as_dict(),
        "scored": scores.count,
        **_overall(scores),
        "undetermined": verdicts.predicted[0].count(UNDETERMINED),
        "unknown_to_model": _unknown(model, scores),
        "documents_per_cpu_second": _speed(verdicts, 0),
        "languages": _languages(scores),
        "confusions": _confusions(scores),
    }
    if by is not None:
        found = by_source(verdicts)
        result["by"] = {
            "field": by,
            "values": {
                value: {"rows": entry.count, "languages": len(entry.languages), **_overall(entry)}
                for value, entry in found.items()
            },
        }
    return result


def score_text(result: dict[str, Any]) -> RenderableType:
    """The result of ``lid score`` for people: languages by falling F1, the worst last."""
    parts: list[RenderableType] = [_language_table(result["languages"])]
    confusions = [
        f"  {pair['true']} taken for {pair['predicted']}: {pair['count']:,}" for pair in result["confusions"][:_SHOWN]
    ]
    if confusions:
        parts.append(Text("\n".join(["\nmost frequent confusions", *confusions])))
    if "by" in result:
        parts.append(_by_table(result["by"]))
    model = result["model"]
    lines = [
        "",
        f"model {model['name']} ({model['labels']} labels, licence {model['licence'] or 'unknown'})",
        f"accuracy {result['accuracy']:.4f}, macro F1 {result['macro_f1']:.4f} over {len(result['languages'])} "
        f"languages, {result['scored']:,} rows, {result['documents_per_cpu_second']:,.0f} rows per CPU second",
        *_unknown_lines(result["unknown_to_model"], "the model"),
        *_account_lines(result["rows"]),
    ]
    return Group(*parts, Text("\n".join(lines)))


def compare_result(models: Sequence[Member], verdicts: Verdicts, account: RowAccount) -> dict[str, Any]:
    """The result of ``lid compare``; ``shared`` counts the rows in languages that both models know."""
    first, second = verdicts.predicted
    both = set(models[0].tags) & set(models[1].tags)
    everything = duel(verdicts.gold, first, second)
    return {
        "models": [
            {
                **model.describe(),
                "unknown_to_model": _unknown(model, everything.first),
                "documents_per_cpu_second": _speed(verdicts, number),
            }
            for number, model in enumerate(models)
        ],
        "rows": account.as_dict(),
        "all": _duel(everything),
        "shared": _duel(duel(verdicts.gold, first, second, both)),
    }


def compare_text(result: dict[str, Any]) -> RenderableType:
    """The result of ``lid compare`` for people."""
    models = result["models"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for model in models:
        table.add_column(model["name"], justify="right", overflow="fold")
    table.add_row("labels", *(f"{model['labels']:,}" for model in models))
    table.add_row("licence", *(model["licence"] or "unknown" for model in models))
    table.add_row("rows per CPU second", *(f"{model['documents_per_cpu_second']:,.0f}" for model in models))
    lines = [""]
    for key, title in (("all", "all languages"), ("shared", "languages both know")):
        part = result[key]
        for name, figure in (("accuracy", "accuracy"), ("macro_f1", "macro F1")):
            table.add_row(f"{title}: {figure}", *(f"{side[name]:.4f}" for side in part["models"]))
        only = part["only_one_right"]
        lines.append(
            f"{title}: {part['rows']:,} rows in {part['languages']} languages, same label on {part['agreement']:.2%}; "
            f"only {models[0]['name']} right on {only[0]:,}, only {models[1]['name']} on {only[1]:,}, "
            f"p = {part['p_value']:.2g} (McNemar, {part['test']})"
        )
    for model in models:
        lines += _unknown_lines(model["unknown_to_model"], model["name"])
    return Group(table, Text("\n".join([*lines, *_account_lines(result["rows"])])))


def trained_result(found: TrainedModel, account: RowAccount, seconds: float) -> dict[str, Any]:
    """The result of ``lid train``."""
    card, scores = found.card, found.held_out
    return {
        "model": str(found.path),
        "card": str(found.path.with_suffix(".json")),
        "licence": card["licence"],
        "bytes": card["bytes"],
        "labels": card["labels"],
        "examples": card["training"]["examples"],
        "rows": account.as_dict(),
        "held_out": {
            "rows": scores.count,
            **_overall(scores),
            "languages": _languages(scores),
            "confusions": _confusions(scores),
        },
        "not_scored": list(found.not_scored),
        "seconds": round(seconds, 3),
    }


def trained_text(result: dict[str, Any]) -> RenderableType:
    """The result of ``lid train`` for people."""
    held = result["held_out"]
    lines = [""]
    if held["rows"]:
        lines.append(
            f"held out: {held['rows']:,} rows in {len(held['languages'])} languages, accuracy {held['accuracy']:.4f}, "
            f"macro F1 {held['macro_f1']:.4f}"
        )
    if result["not_scored"]:
        lines.append(f"too few groups to hold one out, so not scored: {_named(result['not_scored'])}")
    lines += [
        *_account_lines(result["rows"]),
        f"{result['model']}: {size(result['bytes'])}, licence {result['licence']}, in {duration(result['seconds'])}",
        f"It knows {_named(result['labels'])} and nothing else: text in any other language gets one of these labels.",
        f"next: evenglot lid score --input TEST.jsonl --model {result['model']}; with the model that ships: "
        f"--model evenglot,{result['model']}",
    ]
    return Group(_language_table(held["languages"]), Text("\n".join(lines)))


def _overall(scores: Scores) -> dict[str, float]:
    return {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "macro_recall": scores.macro_recall}


def _languages(scores: Scores) -> dict[str, dict[str, float | int]]:
    return {
        tag: {"precision": entry.precision, "recall": entry.recall, "f1": entry.f1, "support": entry.count}
        for tag, entry in scores.languages.items()
    }


def _confusions(scores: Scores) -> list[dict[str, str | int]]:
    return [{"true": true, "predicted": predicted, "count": count} for true, predicted, count in scores.confusions]


def _unknown(model: Member, scores: Scores) -> dict[str, int]:
    """Rows of each language that the model has no label for."""
    known = set(model.tags)
    return {tag: entry.count for tag, entry in scores.languages.items() if tag not in known}


def _speed(verdicts: Verdicts, number: int) -> float:
    return round(len(verdicts.gold) / max(verdicts.cpu_seconds[number], 1e-9), 1)


def _duel(found: Duel) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "languages": found.languages,
        "models": [_overall(found.first), _overall(found.second)],
        "agreement": found.agreement,
        "only_one_right": [found.only_first_right, found.only_second_right],
        "p_value": found.p_value,
        "test": found.test,
    }


def _language_table(languages: dict[str, dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("language")
    table.add_column("name")
    for heading in ("rows", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for tag, entry in sorted(languages.items(), key=lambda item: (-item[1]["f1"], item[0])):
        figures = (f"{entry[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(tag, english_name(tag), f"{entry['support']:,}", *figures)
    return table


def _by_table(by: dict[str, Any]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by["field"], overflow="fold")
    for heading in ("rows", "languages", "accuracy", "macro F1"):
        table.add_column(heading, justify="right")
    for value, entry in sorted(by["values"].items(), key=lambda item: (-item[1]["rows"], item[0])):
        table.add_row(
            value or "(none)",
            f"{entry['rows']:,}",
            f"{entry['languages']:,}",
            f"{entry['accuracy']:.4f}",
            f"{entry['macro_f1']:.4f}",
        )
    return Group(Text(""), table)


def _unknown_lines(unknown: dict[str, int], name: str) -> list[str]:
    if not unknown:
        return []
    frequent = [tag for tag, _ in Counter(unknown).most_common()]
    return [f"{name} does not know {_named(frequent)}: {sum(unknown.values()):,} rows, all counted as errors"]


def _account_lines(rows: dict[str, Any]) -> list[str]:
    """What was read but not used, if anything."""
    lines = []
    if rows["unlabelled"]:
        labels = [f"'{label}' {count:,}" if label else f"none {count:,}" for label, count in _first(rows)]
        more = rows["unlabelled_distinct"] - len(labels)
        rest = f" and {more:,} more" if more else ""
        lines.append(f"{rows['unlabelled']:,} rows left out, no language in their label: {', '.join(labels)}{rest}")
    if rows["without_text"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in rows["without_text"].items())
        lines.append(f"{sum(rows['without_text'].values()):,} rows left out, without text: {reasons}")
    if rows["broken"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in rows["broken"].items())
        lines.append(f"{sum(rows['broken'].values()):,} broken lines left out: {reasons}")
        lines += [
            f"  {bad['file']}{'' if bad['line'] is None else ':' + str(bad['line'])}: {bad['reason']}"
            for bad in rows["broken_lines"][:_SHOWN]
        ]
    return lines


def _first(rows: dict[str, Any]) -> list[tuple[str, int]]:
    return list(rows["unlabelled_labels"].items())[:_SHOWN]


def _named(tags: Sequence[str]) -> str:
    shown = ", ".join(tags[:_SHOWN])
    return shown if len(tags) <= _SHOWN else f"{shown} and {len(tags) - _SHOWN} more"
