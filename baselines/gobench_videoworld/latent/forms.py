"""Which form is which class."""

from __future__ import annotations

from collections.abc import Mapping

from gobench.errors import UsageError
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.latent.generic import Generic
from gobench_videoworld.latent.located import Located
from gobench_videoworld.latent.model import LatentModel

FORMS: Mapping[str, type[LatentModel]] = {"located": Located, "generic": Generic}


def latent_model(config: VideoWorldConfig) -> LatentModel:
    """The latent dynamics model that a config asks for, new, with torch's random state as it is.

    Raises UsageError for a form that the tables have and nobody has built.
    """
    if config.latent.form not in FORMS:
        raise UsageError(
            f"the latent form {config.latent.form!r} is not built yet, and with it the sizes that end in -paper: take "
            f"--latent {' or '.join(FORMS)}; --paper-faithful has the paper's transformer at any other size."
        )
    return FORMS[config.latent.form](config)
