"""A run's model, written for use elsewhere and read back to confirm that it computes the same."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from corpus.errors import ConfigurationError, InputError
from corpus.storage import write_errors
from trainer.continual.trained import Trained, read_trained
from trainer.export.native import save_native
from trainer.export.own import Stock, as_stock
from trainer.export.xmod import as_xmod, fits
from trainer.foreign.loading import library, quiet
from trainer.foreign.model import ForeignModel
from trainer.model.language_model import Inputs, LanguageModel
from trainer.model.transformer import Transformer

Form = Literal["safetensors", "transformers"]
CORE: Final = "core"
"""In place of a language: the model without adapters."""
_TOLERANCE: Final = 1e-4
_LENGTHS: Final = (9, 6)
"""Tokens of the documents that the exported model is compared on."""


def export(
    run: str | Path,
    output: str | Path,
    form: Form,
    *,
    language: str | None = None,
    special: Mapping[str, int] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Write the model of a run's last checkpoint into a new folder.

    Args:
        run: the run's folder.
        output: folder to be made.
        form: what to write.
        language: the one whose adapters are built in, ``core`` for none; None where the form holds all languages.
        special: ids of bos, eos and pad, for the stock configuration.
        files: content of the tokenizer's files by name.

    Returns:
        ``output``, ``architecture``, ``languages`` it holds, ``parameters``, and, for ``transformers``, ``difference``:
        the largest one between its logits and the run's on a row of two documents.

    Raises:
        InputError: there is no run, or the folder exists and is not empty.
        ConfigurationError: the model cannot be expressed so; the message says why and what can be done.
    """
    trained = read_trained(run, finished=False)
    folder = Path(output)
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{output} exists and is not empty", "Name another folder, or remove it")
    _check_language(trained, language, form)
    model = trained.model().eval()
    with write_errors(str(output)):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if form == "safetensors":
                save_native(trained, folder)
                found: dict[str, Any] = {"architecture": type(model).__name__, "languages": trained.languages}
            else:
                found = _stock(trained, model, language, folder, special or {})
            for name, content in (files or {}).items():
                (folder / name).write_bytes(content)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return {"output": str(output), "step": trained.state["step"], **found}


def _check_language(trained: Trained, language: str | None, form: Form) -> None:
    if language is None:
        return
    if form == "safetensors":
        raise ConfigurationError("--to safetensors holds all languages", "Leave --language out")
    if language != CORE and language not in trained.languages:
        known = ", ".join(trained.languages)
        raise ConfigurationError(f"the run has no language '{language}'", f"Choose one of: {known}, or {CORE}")


def _stock(
    trained: Trained, model: LanguageModel, language: str | None, folder: Path, special: Mapping[str, int]
) -> dict[str, Any]:
    """Write a model of ``transformers`` and compare it with the run's."""
    index = None if language in (None, CORE) else trained.languages.index(str(language))
    held: list[str] = [] if index is None else [str(language)]
    if isinstance(model, ForeignModel):
        if language == CORE or not model.adapters():
            held, index = [], None
            _save_base(model, folder)
        elif fits(model):
            held, index = trained.languages, index or 0
            default = trained.languages[index] if language is not None else None
            _write(as_xmod(model, trained.languages, default), folder, model.kind)
        else:
            raise ConfigurationError(
                f"no architecture of transformers is a {type(model.base).__name__} with language adapters",
                "Export the base alone (`--language core`), or all of it with `--to safetensors` (`trainer.load`); "
                "models of the XLM-R kind are exported as X-MOD",
            )
    else:
        assert isinstance(model, Transformer)
        if language is None and (model.adapters() or trained.config.model.norm_gains):
            raise ConfigurationError(
                "the model has weights of each language's own, and the architecture it is exported to has room for one",
                f"Name it: `--language {trained.languages[0]}` (one of {len(trained.languages)}), or `--language core`",
            )
        rows = trained.token_rows.get(str(language)) if index is not None else None
        _write(as_stock(model, index, trained.row_tokens, special, rows), folder, "causal")
    (folder / "README.md").write_text(_readme(trained, held, masked=_masked(trained, model)), encoding="utf-8")
    return _compared(trained, model, index, folder, held)


def _masked(trained: Trained, model: LanguageModel) -> bool:
    """Whether an own model reads from both sides only, which its stock configuration does not say."""
    return isinstance(model, Transformer) and trained.config.objective.kind == "masked"


def _save_base(model: ForeignModel, folder: Path) -> None:
    base: Any = model.detach()
    with quiet(library()):
        base.save_pretrained(folder)


def _write(stock: Stock, folder: Path, kind: str) -> None:
    transformers = library()
    config = transformers.AutoConfig.for_model(stock.model_type, **stock.settings)
    auto = transformers.AutoModelForMaskedLM if kind == "masked" else transformers.AutoModelForCausalLM
    with quiet(transformers):
        built = auto.from_config(config, dtype=torch.float32)
        missing, unknown = built.load_state_dict(stock.tensors, strict=False)
        own = {id(value) for name, value in built.named_parameters(remove_duplicate=False) if name in stock.tensors}
        lost = [name for name in missing if id(built.get_parameter(name)) not in own]
        if lost or unknown:
            raise ConfigurationError(
                f"{type(built).__name__} of the installed transformers has other weights than expected: "
                f"{', '.join([*lost, *unknown][:3])}",
                "Export with `--to safetensors`, or with another version of transformers",
            )
        built.save_pretrained(folder)


@torch.no_grad()
def _compared(
    trained: Trained, model: LanguageModel, index: int | None, folder: Path, held: list[str]
) -> dict[str, Any]:
    """What was written, with the largest difference of its logits on a row of documents."""
    transformers = library()
    masked = isinstance(model, ForeignModel) and model.kind == "masked"
    auto = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
    with quiet(transformers):
        stock: Any = auto.from_pretrained(folder, dtype=torch.float32).eval()
    length = sum(_LENGTHS)
    tokens = int(stock.config.vocab_size) - 1 - torch.arange(length)[None] % (stock.config.vocab_size // 2)
    inputs = Inputs(
        tokens=tokens,
        segments=torch.tensor([[number for number, size in enumerate(_LENGTHS) for _ in range(size)]]).int(),
        positions=torch.cat([torch.arange(size) for size in _LENGTHS])[None].int(),
        languages=torch.tensor([-1 if index is None else index]),
        bidirectional=torch.tensor([masked]),
        select=torch.arange(length - 1 if masked else length),
    )
    if isinstance(model, ForeignModel) and not held:
        expected = _scores(model.base, inputs, {})
    else:
        expected = model(inputs).logits[:, : stock.config.vocab_size]
    named = {"lang_ids": torch.tensor([index])} if stock.config.model_type == "xmod" else {}
    found = _scores(stock, inputs, named)
    if masked and len(expected) < len(found):
        found = found[1:]
    difference = float((found - expected).abs().max())
    if not difference <= _TOLERANCE * max(1.0, float(expected.abs().max())):
        raise ConfigurationError(
            f"the exported {type(stock).__name__} differs from the run's model by {difference:.2g} in its logits",
            "This is a defect, or a version of transformers that computes otherwise; use `--to safetensors`",
        )
    count = sum(value.numel() for value in stock.parameters())
    return {
        "architecture": type(stock).__name__,
        "languages": held,
        "parameters": count,
        "difference": difference,
    }


def _scores(stock: nn.Module, inputs: Inputs, named: Mapping[str, Tensor]) -> Tensor:
    """Logits of a stock model for each document by itself, [L, V]."""
    parts = torch.split(inputs.tokens, list(_LENGTHS), dim=1)
    return torch.cat([stock(input_ids=part, **named).logits[0] for part in parts])


def _readme(trained: Trained, held: list[str], *, masked: bool) -> str:
    """What a reader of the folder has to know."""
    languages = ", ".join(held) if held else "all languages share the weights"
    text = f"""# A model trained with evenglot

Step {trained.state["step"]}, objective {trained.config.objective.kind}, languages: {languages}.

Text is tokenised with the corpus's tokenizer "{trained.tokenizer}"; every document begins with its bos token.
"""
    if masked:
        text += """
The model was trained to fill masks, reading from both sides, and predicts each hidden token at the position BEFORE it.
This architecture reads from the left unless it is told otherwise: pass a 4-D attention mask of ones (bool,
[batch, 1, length, length]), and take the logits one position before each mask.
"""
    return text
