"""The ``train`` section of a recipe, a module for each part of it. Importing this package loads no torch."""

from trainer.config.late_start import LateStartConfig
from trainer.config.model import PRESETS, AttentionWay, ModelConfig, Preset, Shape
from trainer.config.noise import DropoutConfig, LayerDropConfig
from trainer.config.objective import GoldfishConfig, ObjectiveConfig
from trainer.config.optimiser import BatchGrowthConfig, MuonConfig, OptimiserConfig, ScheduleConfig
from trainer.config.penalties import (
    EvidenceStrengthConfig,
    LanguageLossConfig,
    RegulariserConfig,
    StrengthScheduleConfig,
)
from trainer.config.run import AverageConfig, CheckpointConfig, EarlyStopConfig, HeldoutConfig, LogConfig
from trainer.config.train import TrainConfig

__all__ = [
    "PRESETS",
    "AttentionWay",
    "AverageConfig",
    "BatchGrowthConfig",
    "CheckpointConfig",
    "DropoutConfig",
    "EarlyStopConfig",
    "EvidenceStrengthConfig",
    "GoldfishConfig",
    "HeldoutConfig",
    "LanguageLossConfig",
    "LateStartConfig",
    "LayerDropConfig",
    "LogConfig",
    "ModelConfig",
    "MuonConfig",
    "ObjectiveConfig",
    "OptimiserConfig",
    "Preset",
    "RegulariserConfig",
    "ScheduleConfig",
    "Shape",
    "StrengthScheduleConfig",
    "TrainConfig",
]
