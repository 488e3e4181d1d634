"""Language adapters: a small bottleneck of each language's own in every block of the shared core.

Bottleneck adapters are from Houlsby et al. 2019 (arXiv 1902.00751); one for each language, trained from the
start, from X-MOD (Pfeiffer et al. 2022, arXiv 2205.06266). The weights of all languages are stacked in one
tensor and each row of a batch selects its own by index, so a batch of mixed languages takes two batched
matrix products: no loop over languages and nothing the device has to report back to the host.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class LanguageAdapter(nn.Module):
    """x + up_l(gelu(down_l(norm(x)))) for the language l of each row.

    All languages start from the same ``down`` and from ``up`` = 0: every adapter is the identity and the model
    equals its core. That start is also the prior from which the deviation penalty measures.

    Args:
        languages: number of languages.
        width: size of the hidden vectors.
        bottleneck: size of the vectors between the two projections.
    """

    def __init__(self, languages: int, width: int, bottleneck: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, bias=False)
        prior = torch.randn(width, bottleneck) * width**-0.5
        # A frozen parameter, not a buffer: it never changes, so processes need not send it to each other.
        self.prior = nn.Parameter(prior, requires_grad=False)
        self.down = nn.Parameter(prior.repeat(languages, 1, 1))
        self.up = nn.Parameter(torch.zeros(languages, bottleneck, width))

    def forward(self, x: Tensor, languages: Tensor) -> Tensor:
        """Adapt each row by its language.

        Args:
            x: hidden vectors, [rows, length, width].
            languages: language index of each row, [rows]; -1 leaves the row as the core made it.

        Returns:
            As ``x``.
        """
        index = languages.clamp(min=0)
        known = (languages >= 0).to(self.up.dtype)[:, None, None]
        down = self.down.index_select(0, index)
        up = self.up.index_select(0, index) * known
        return x + torch.bmm(functional.gelu(torch.bmm(self.norm(x), down)), up)

    def deviation(self) -> Tensor:
        """Squared distance of each language's weights from the start, in units of their prior variance, [languages].

        The prior variance of a weight is one over the number of its inputs, that of a usual initialisation.
        """
        width, bottleneck = self.prior.shape
        down = (self.down - self.prior).square().sum(dim=(1, 2)) * width
        up = self.up.square().sum(dim=(1, 2)) * bottleneck
        return down + up
