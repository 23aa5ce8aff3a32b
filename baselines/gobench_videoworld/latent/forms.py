"""Which form is which class."""

from __future__ import annotations

from collections.abc import Mapping

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.latent.generic import Generic
from gobench_videoworld.latent.located import Located
from gobench_videoworld.latent.model import LatentModel
from gobench_videoworld.latent.pixel import Pixel

FORMS: Mapping[str, type[LatentModel]] = {"located": Located, "generic": Generic, "pixel": Pixel}


def latent_model(config: VideoWorldConfig) -> LatentModel:
    """The latent dynamics model that a config asks for, new, with torch's random state as it is."""
    return FORMS[config.latent.form](config)
