"""What networks are shown of a sound, and how it becomes a sound again.

description -> waveform, spectrogram (linear, mel), phase -> griffin_lim
"""

from wganx_audio.representations.description import Representation, describe, representation_of
from wganx_audio.representations.moments import fit_moments, spread_runs

__all__ = ["Representation", "describe", "fit_moments", "representation_of", "spread_runs"]
