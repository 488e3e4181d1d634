"""Language adapters: a small bottleneck of each language's own in every block of the shared core.

Bottleneck adapters are from Houlsby et al. 2019 (arXiv 1902.00751); one for each language, trained from the
start, from X-MOD (Pfeiffer et al. 2022, arXiv 2205.06266). The weights of all languages are stacked in one
tensor. Where each row is of one language it selects its own weights by index, and two batched matrix products do
them all; where rows hold several languages, or are so short that weights are larger than the vectors they are for,
the tokens are sorted by language and multiplied group by group. Either way there is no loop over languages and
nothing the device has to report back to the host.

A gate may decide how much of the language's path is added to the core's: one number for each language and block,
or one for each token, computed from it. Gates are open at the start; the adapters are the identity then, so the
model begins as its core either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.model.grouping import Groups, group, grouped_product, per_token

Gate = Literal["none", "static", "input"]
Activation = Literal["gelu", "relu2"]

_OPEN: Final = 3.0
"""Initial logit of a gate: 95 % open."""


class LanguageAdapter(nn.Module):
    """x + gate_l(x) * up_l(gelu(down_l(norm(x)))) for the language l of each row.

    All languages start from the same ``down`` and from ``up`` = 0: every adapter is the identity and the model
    equals its core. That start is also the prior from which the deviation penalty measures.

    Args:
        languages: number of languages.
        width: size of the hidden vectors.
        bottleneck: size of the vectors between the two projections.
        gate: none; static, one number for each language; input, sigmoid of a linear function of the token's vector,
            its bias the language's own.
        capacities: how many of the bottleneck's dimensions each language may use, from 0 to ``bottleneck``; None
            gives all to all.
        activation: gelu, with a LayerNorm before it; or squared ReLU with an RMSNorm, the form of the transformer's own
            feed-forward layer, which stock architectures can hold as a layer of theirs.
    """

    def __init__(
        self,
        languages: int,
        width: int,
        bottleneck: int,
        gate: Gate = "none",
        capacities: Sequence[int] | None = None,
        activation: Activation = "gelu",
    ) -> None:
        super().__init__()
        self.activation = activation
        self.norm = nn.LayerNorm(width, bias=False) if activation == "gelu" else nn.RMSNorm(width, eps=1e-6)
        prior = torch.randn(width, bottleneck) * width**-0.5
        # A frozen parameter, not a buffer: it never changes, so processes need not send it to each other.
        self.prior = nn.Parameter(prior, requires_grad=False)
        self.down = nn.Parameter(prior.repeat(languages, 1, 1))
        self.up = nn.Parameter(torch.zeros(languages, bottleneck, width))
        self.gate_bias = None if gate == "none" else nn.Parameter(torch.full((languages,), _OPEN))
        self.gate_weight = nn.Parameter(torch.zeros(width)) if gate == "input" else None
        self.usable: nn.Parameter | None = None
        if capacities is not None:
            ranks = torch.tensor(list(capacities))[:, None]
            usable = (torch.arange(bottleneck)[None] < ranks).float()
            self.usable = nn.Parameter(usable, requires_grad=False)
        self._origin: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, languages: Tensor, groups: Groups | None = None) -> Tensor:
        """Adapt each token by its language.

        Args:
            x: hidden vectors, [rows, length, width].
            languages: language index of each row, [rows], or of each token, [rows, length]; -1 leaves it as the core
                made it.
            groups: the tokens by language, as :meth:`groups` gives them; worked out here when not given.

        Returns:
            As ``x``.
        """
        index = languages.clamp(min=0)
        normed = self.norm(x)
        groups = groups or self.groups(languages, x.shape[1])
        path = self._by_row(normed, languages, index) if groups is None else self._by_group(normed, groups)
        gate = self.gate(normed, index)
        return x + (path if gate is None else path * gate.to(path.dtype))

    def groups(self, languages: Tensor, length: int) -> Groups | None:
        """Tokens by language where that is the better way to multiply, else None; decided by sizes alone.

        Args:
            languages: language index of each row, [rows], or of each token, [rows, length].
            length: tokens of a row.
        """
        if languages.ndim == 1:
            if length >= self.prior.shape[1]:
                return None
            # Copying a row's weights, width * bottleneck values, moves more than sorting its length * width.
            languages = languages[:, None].expand(-1, length)
        return group(languages, len(self.up))

    def _by_row(self, normed: Tensor, languages: Tensor, index: Tensor) -> Tensor:
        """The language's path where each row has one language, with weights copied for each row."""
        known = (languages >= 0).to(self.up.dtype)[:, None, None]
        down = self.down.index_select(0, index)
        up = self.up.index_select(0, index) * known
        inner = self._activate(torch.bmm(normed, down))
        if self.usable is not None:
            inner = inner * self.usable.index_select(0, index)[:, None].to(inner.dtype)
        return torch.bmm(inner, up)

    def _by_group(self, normed: Tensor, groups: Groups) -> Tensor:
        """The language's path, with tokens sorted by language."""
        inner = self._activate(grouped_product(groups.sort(normed), self.down, groups.ends))
        inner = inner * groups.known.to(inner.dtype)
        if self.usable is not None:
            inner = inner * self.usable.index_select(0, groups.languages).to(inner.dtype)
        return groups.unsort(grouped_product(inner, self.up, groups.ends), len(normed))

    def _activate(self, x: Tensor) -> Tensor:
        return functional.gelu(x) if self.activation == "gelu" else functional.relu(x).square()

    def folded(self, language: int) -> tuple[Tensor, Tensor]:
        """The weights of one language, [width, bottleneck] and [bottleneck, width], with its gate and capacity in them.

        Raises:
            ValueError: the gate depends on the token, so that no weights hold it.
        """
        if self.gate_weight is not None:
            raise ValueError("gates that each token decides cannot be folded into weights")
        up = self.up[language].detach()
        if self.gate_bias is not None:
            up = up * torch.sigmoid(self.gate_bias[language].detach())
        if self.usable is not None:
            up = up * self.usable[language][:, None]
        return self.down[language].detach(), up

    def gate(self, normed: Tensor, index: Tensor) -> Tensor | None:
        """How open the language's path is, [rows, 1 or length, 1]; None without gates.

        Args:
            normed: normalised hidden vectors, [rows, length, width].
            index: language of each row, [rows], or of each token, [rows, length].
        """
        if self.gate_bias is None:
            return None
        logit = per_token(self.gate_bias.index_select(0, index.flatten()).view_as(index))
        if self.gate_weight is not None:
            logit = logit + (normed @ self.gate_weight.to(normed.dtype))[..., None]
        return torch.sigmoid(logit)

    def openness(self) -> Tensor | None:
        """Gate of each language at the mean of the input, [languages]; None without gates."""
        return None if self.gate_bias is None else torch.sigmoid(self.gate_bias)

    def deviation(self) -> Tensor:
        """Squared distance of each language's weights from the start, in units of their prior variance, [languages].

        The prior variance of a weight is one over the number of its inputs, that of a usual initialisation.
        """
        width, bottleneck = self.prior.shape
        down_start, up_start = self._origin or (self.prior, None)
        down = (self.down - down_start).square().sum(dim=(1, 2)) * width
        up = (self.up if up_start is None else self.up - up_start).square().sum(dim=(1, 2)) * bottleneck
        return down + up

    def start_from(self, new: Tensor) -> None:
        """Let the weights that some languages have now be the start that their deviation counts from.

        Args:
            new: which languages, bool [languages]; the others keep their start, at first the common prior. It is not
                part of the model's tensors: whoever resumes a run sets it again.
        """
        chosen = new.to(self.down.device).nonzero()[:, 0]
        self.set_start(chosen, self.down.detach()[chosen], self.up.detach()[chosen])

    def set_start(self, languages: Tensor, down: Tensor, up: Tensor) -> None:
        """Set the start that the deviation of some languages counts from.

        Args:
            languages: J indices, int64 [J].
            down: their inner projections, [J, width, bottleneck].
            up: their outer ones, [J, bottleneck, width].
        """
        if self._origin is None:
            self._origin = self.prior.detach().repeat(len(self.down), 1, 1), torch.zeros_like(self.up.detach())
        for start, rows in zip(self._origin, (down, up), strict=True):
            start[languages.to(start.device)] = rows.to(start.device)

    def start(self, languages: Tensor) -> tuple[Tensor, Tensor]:
        """What :meth:`set_start` was given for some languages, int64 [J]; the common prior where it was not called."""
        width, bottleneck = self.prior.shape
        if self._origin is None:
            count = len(languages)
            return self.prior.detach().repeat(count, 1, 1), self.up.new_zeros(count, bottleneck, width)
        return self._origin[0][languages.to(self.up.device)], self._origin[1][languages.to(self.up.device)]


def capacities(train_tokens: Sequence[int], bottleneck: int, power: float) -> list[int]:
    """Bottleneck dimensions of each language by its amount of text.

    The largest language gets all of them, the others a share of (n_l / n_max)^power, at least one.

    Args:
        train_tokens: training tokens that exist of each language, n_l.
        bottleneck: dimensions there are.
        power: 0 gives all to all; 0.5 makes them follow the square root of the text, as the deviation from a prior
            that n_l examples can pay for does.
    """
    largest = max(train_tokens, default=1) or 1
    return [max(1, min(bottleneck, round(bottleneck * (tokens / largest) ** power))) for tokens in train_tokens]
