"""Loss and tokens of each language, added up without asking the device for anything until a line is logged."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.distributed import World

FloatArray = npt.NDArray[np.float64]

_SAVED = ("window", "window_seen", "interval", "evaluated", "seen")


class Tally:
    """Sums over training, by language.

    ``window`` is [languages, 2] with the summed loss in nats and the number of predicted tokens since the last
    log line; ``interval`` is the same since the last decision on the mixture, ``evaluated``
    since the last held-out evaluation. ``window_seen`` and ``seen`` are
    [languages] with the tokens read since the last line and in all, padding left out.

    Args:
        languages: number of languages.
        device: where the loss is computed.
    """

    def __init__(self, languages: int, device: torch.device) -> None:
        self._languages = languages
        self._device_sums = torch.zeros(languages, 2, dtype=torch.float64, device=device)
        self._host_seen = np.zeros(languages, dtype=np.float64)
        self.window: FloatArray = np.zeros((languages, 2))
        self.interval: FloatArray = np.zeros((languages, 2))
        self.evaluated: FloatArray = np.zeros((languages, 2))
        self.window_seen: FloatArray = np.zeros(languages)
        self.seen: FloatArray = np.zeros(languages)

    def add_loss(self, losses: Tensor, languages: Tensor) -> None:
        """Count the loss of each predicted token.

        Args:
            losses: nats, [N].
            languages: language index of each, [N].
        """
        pair = torch.stack((losses.detach().double(), torch.ones_like(losses, dtype=torch.float64)), dim=1)
        self._device_sums.index_add_(0, languages, pair)

    def add_seen(self, languages: npt.NDArray[Any], segments: npt.NDArray[np.int32]) -> None:
        """Count the tokens of some rows.

        Args:
            languages: of each row, [B], or of each token, [B, L].
            segments: document of each token, [B, L]; negative for padding.
        """
        inside = segments >= 0
        if languages.ndim == 1:
            self._host_seen += np.bincount(languages, inside.sum(axis=1), minlength=self._languages)
        else:
            self._host_seen += np.bincount(languages[inside], minlength=self._languages)

    def collect(self, world: World) -> None:
        """Bring together what the processes have counted; all must call it."""
        seen = torch.from_numpy(self._host_seen).to(self._device_sums.device, copy=True)
        both = world.sum(torch.cat((self._device_sums.flatten(), seen))).cpu().numpy()
        losses = both[: -self._languages].reshape(self.window.shape)
        self.window += losses
        self.interval += losses
        self.evaluated += losses
        self.window_seen += both[-self._languages :]
        self.seen += both[-self._languages :]
        self._device_sums.zero_()
        self._host_seen[:] = 0

    def next_window(self) -> None:
        """Begin a new log line."""
        self.window = np.zeros_like(self.window)
        self.window_seen = np.zeros_like(self.window_seen)

    def next_interval(self) -> FloatArray:
        """What was counted since the last decision, [languages, 2]; begins the next interval."""
        done, self.interval = self.interval, np.zeros_like(self.interval)
        return done

    def next_evaluated(self) -> FloatArray:
        """What was counted since the last held-out evaluation, [languages, 2]; begins anew."""
        done, self.evaluated = self.evaluated, np.zeros_like(self.evaluated)
        return done

    def window_totals(self) -> tuple[float, float]:
        """Tokens read and tokens predicted since the last line."""
        return float(self.window_seen.sum()), float(self.window[:, 1].sum())

    def mean_loss(self) -> float:
        """Nats per predicted token since the last line; not a number when nothing was predicted."""
        return mean(self.window.sum(axis=0))

    def state(self) -> dict[str, Any]:
        """What :meth:`load_state` needs, after :meth:`collect`; floats survive JSON to the last bit."""
        return {name: getattr(self, name).tolist() for name in _SAVED}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        for name in _SAVED:
            if name in state:
                setattr(self, name, np.array(state[name], dtype=np.float64))


def mean(pair: FloatArray) -> float:
    """Sum over count of a pair [2], or not a number when the count is zero."""
    return float(pair[0] / pair[1]) if pair[1] else float("nan")
