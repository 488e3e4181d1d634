"""A model of ``transformers`` as the core that all languages share, with a language adapter in each of its layers.

The base is left as it is: adapters are put in by hooks, which state dicts do not know, so that a checkpoint holds the
base under ``base.`` with its own names and the adapters beside it, and :meth:`ForeignModel.detach` gives the base
back. In layers that end with a norm the adapter comes before that norm, as in X-MOD (Pfeiffer et al. 2022, arXiv
2205.06266), in others it follows the layer. It is the identity at the start, so the model begins as its base.

The head sees only the selected positions: scores of a vocabulary of 250,000 for all tokens would cost more than the
layers. It is the base's own forward method that calls it, so whatever the base does to its scores is done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from corpus.errors import ConfigurationError
from trainer.config import ModelConfig
from trainer.foreign.anatomy import Anatomy, anatomy
from trainer.foreign.loading import Kind, from_description, from_hub
from trainer.foreign.masks import masks_for
from trainer.foreign.probe import position_offset
from trainer.model.adapters import LanguageAdapter, capacities
from trainer.model.language_model import Inputs, LanguageModel, Outputs
from trainer.model.noise import SILENT, Noise, kept_rows


@dataclass
class _Pass:
    """What the hooks of one forward pass read and leave behind."""

    inputs: Inputs
    noise: Noise
    keep: Collection[int]
    select: Tensor
    inner: dict[int, Tensor] = field(default_factory=dict)
    hidden: Tensor | None = None


class ForeignModel(LanguageModel):
    """The base with its adapters.

    Args:
        base: a model with a head for ``kind``.
        described: its configuration, for the checkpoint.
        kind: whether it fills masks, read from both sides, or predicts the next token, read from the left.
        config: the adapters' size, gates and capacities; whether the base is trained.
        languages: number of languages that have adapters.
        train_tokens: training tokens of each language, for ``adapter_power``; None gives all adapters the same size.

    Raises:
        ConfigurationError: the architecture is not known, or does not keep documents of one row apart.
    """

    def __init__(
        self,
        base: nn.Module,
        described: Mapping[str, Any],
        kind: Kind,
        config: ModelConfig,
        languages: int,
        train_tokens: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        found = anatomy(base)
        self.base = base
        self.described = dict(described)
        self.kind: Kind = kind
        self.languages = languages
        self.offset = position_offset(base, found.backbone, kind)
        # Past the base's own names: registered a second time, its weights would be in a checkpoint twice.
        object.__setattr__(self, "blocks", found.layers)
        object.__setattr__(self, "embedding", found.embedding)
        base.requires_grad_(config.train_core)
        bottleneck = found.width // 4 if config.adapter is None else config.adapter
        ranks = None
        if config.adapter_power:
            ranks = capacities(train_tokens or [1] * languages, bottleneck, config.adapter_power)
        self.layer_adapters = nn.ModuleList(
            LanguageAdapter(languages, found.width, bottleneck, config.gate, ranks)
            for _ in range(len(found.layers) if bottleneck else 0)
        )
        settings: Any = base.config
        if hasattr(settings, "layer_norm_eps"):
            for adapter in self.adapters():
                adapter.norm.eps = float(settings.layer_norm_eps)  # X-MOD has one for all norms
        self._tied = _tied(base)
        self._depths = _depths(base, found)
        self._embedded = _embedded(base)
        self._pass: _Pass | None = None
        self._hooks: list[Any] = []
        self._attach(found.backbone, found.last_norms)
        self.register_state_dict_post_hook(_without_tied)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_with_tied)  # type: ignore[no-untyped-call]

    def forward(self, inputs: Inputs, noise: Noise = SILENT, keep: Collection[int] = ()) -> Outputs:
        """Hidden vectors of all tokens and the scores of the selected ones.

        A model that fills masks scores a hidden token where it stands, one position after the selected one.

        Args:
            inputs: B rows of L tokens.
            noise: what is left out; nothing unless training. The base's own dropout is beside it.
            keep: numbers of the layers, from 0, whose output is to be among the outputs.

        Raises:
            ConfigurationError: the rows are longer than the base has positions.
        """
        self._check_length(inputs.tokens.shape[1])
        select = inputs.select + 1 if self.kind == "masked" else inputs.select
        current = self._pass = _Pass(inputs, noise, keep, select)
        try:
            scored = self.base(
                input_ids=inputs.tokens,
                attention_mask=masks_for(self.base.config, inputs.segments, inputs.bidirectional),
                position_ids=inputs.positions.long() + self.offset,
            )
        finally:
            self._pass = None
        assert current.hidden is not None
        return Outputs(current.hidden, scored.logits[0], current.inner)

    def depth(self, name: str) -> int:
        """Layers above a parameter, by its name; what comes before the layers counts as below the lowest."""
        head, _, rest = name.partition(".")
        if head == "layer_adapters":
            return len(self.blocks) - 1 - int(rest.partition(".")[0])
        return self._depths[rest]

    def decays(self, name: str) -> bool:
        """Whether a parameter has weight decay; embeddings have none under the name of the head that shares them."""
        return super().decays(name) and name not in self._embedded

    def detach(self) -> nn.Module:
        """Take the adapters out again; the base, with its weights as they are now."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        return self.base

    def _attach(self, backbone: nn.Module, last_norms: Sequence[nn.Module | None]) -> None:
        """Put adapters and outlets into the base."""
        for number, (layer, norm) in enumerate(zip(self.blocks, last_norms, strict=True)):
            if self.layer_adapters and norm is not None:
                self._hooks.append(norm.register_forward_pre_hook(self._before_norm(number)))
            follows = bool(self.layer_adapters) and norm is None
            self._hooks.append(layer.register_forward_hook(self._after_layer(number, follows), with_kwargs=True))
        self._hooks.append(backbone.register_forward_hook(self._select))

    def _before_norm(self, number: int) -> Any:
        def adapt(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
            if self._pass is None:
                return None
            return (self.layer_adapters[number](given[0], self._pass.inputs.languages), *given[1:])

        return adapt

    def _after_layer(self, number: int, adapts: bool) -> Any:
        def after(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
            current = self._pass
            if current is None:
                return None
            x = output[0] if isinstance(output, tuple) else output
            if adapts:
                x = self.layer_adapters[number](x, current.inputs.languages)
            kept = kept_rows(len(x), current.noise.depth[number], x.device) if current.noise.depth else None
            if kept is not None:
                before = given[0] if given else named["hidden_states"]
                # As in the project's own transformer, except that the rows left out are computed nevertheless.
                added = (x - before).index_select(0, kept)
                x = before.index_add(0, kept, added, alpha=len(x) / len(kept))
            if number in current.keep:
                current.inner[number] = x
            return (x, *output[1:]) if isinstance(output, tuple) else x

        return after

    def _select(self, module: nn.Module, given: tuple[Any, ...], output: Any) -> Any:
        """Hand the head only what it is to score."""
        if self._pass is None:
            return None
        self._pass.hidden = output.last_hidden_state
        output.last_hidden_state = output.last_hidden_state.flatten(0, 1).index_select(0, self._pass.select)[None]
        return output

    def _check_length(self, length: int) -> None:
        longest = getattr(self.base.config, "max_position_embeddings", None)
        if longest is not None and length + self.offset > longest:
            raise ConfigurationError(
                f"rows have {length} tokens, but the base of the model has {longest - self.offset} positions",
                f"Set sampler.row_tokens to {longest - self.offset} or less",
            )


def foreign_model(
    config: ModelConfig,
    kind: Kind,
    languages: int,
    train_tokens: Sequence[int] | None,
    described: Mapping[str, Any] | None,
) -> ForeignModel:
    """The model that a recipe with a base describes.

    Args:
        config: the recipe's ``train.model`` section.
        kind: what is learnt.
        languages: number of languages that have adapters.
        train_tokens: training tokens of each language.
        described: configuration of the base, as a checkpoint holds it; the weights are then random, to be replaced
            by the checkpoint's, and neither folder nor hub is needed. None loads the base.
    """
    assert config.base is not None
    if described is None:
        base, described = from_hub(config.base, config.revision, kind)
    else:
        base = from_description(described, kind)
    return ForeignModel(base, described, kind, config, languages, train_tokens)


def _tied(base: nn.Module) -> dict[str, str]:
    """Second names of weights that have two, with the first."""
    first: dict[int, str] = {}
    tied = {}
    for name, value in base.named_parameters(remove_duplicate=False):
        known = first.setdefault(id(value), name)
        if known != name:
            tied[f"base.{name}"] = f"base.{known}"
    return tied


def _depths(base: nn.Module, found: Anatomy) -> dict[str, int]:
    """Layers above each parameter of the base, by its name.

    What the backbone registers before its layers, as the embeddings, is below them; its last norm and the head, which
    may be registered first, are above.
    """
    count = len(found.layers)
    level: dict[int, int] = {}
    for number, layer in enumerate(found.layers):
        level |= {id(value): count - 1 - number for value in layer.parameters()}
    first = next(iter(level), None)
    for value in found.backbone.parameters():
        if id(value) == first:
            break
        level[id(value)] = count
    return {name: level.get(id(value), 0) for name, value in base.named_parameters(remove_duplicate=False)}


def _embedded(base: nn.Module) -> set[str]:
    """Names of the embeddings' weights, their second names in a head among them."""
    rows = {id(module.weight) for module in base.modules() if isinstance(module, nn.Embedding)}
    return {f"base.{name}" for name, value in base.named_parameters(remove_duplicate=False) if id(value) in rows}


def _without_tied(model: nn.Module, state: dict[str, Tensor], prefix: str, metadata: Any) -> None:
    """Leave out second names: safetensors holds each weight once."""
    assert isinstance(model, ForeignModel)
    for name in model._tied:
        state.pop(prefix + name, None)


def _with_tied(model: nn.Module, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
    """Give second names back what the first ones hold."""
    assert isinstance(model, ForeignModel)
    for name, first in model._tied.items():
        if prefix + first in state:
            state[prefix + name] = state[prefix + first]
