"""Before any work: what the domain wants to compile, and a first sample made and thrown away."""

from __future__ import annotations

from gobench.build.recipes import BuildConfig
from gobench.build.stages import Drawn, Studio
from gobench.canonical import dumps
from gobench.errors import BuildError
from gobench.types import Domain, Episode, Source

TRIAL_UNITS = 16


def warm(domain: Domain) -> None:
    """Let the domain compile what it needs, once and before workers start."""
    prepare = getattr(domain, "warm", None)
    if prepare is not None:
        prepare()


def trial(domain: Domain, config: BuildConfig, source: Source) -> Drawn | None:
    """Draw a first sample, so that what cannot be built is told before hours of work; None if there is none.

    Raises:
        UsageError: the codec cannot store pictures of this size.
        BuildError: the record is not plain data, or not what the domain declares.
    """
    units = range(min(source.units, TRIAL_UNITS))
    episodes = (item for unit in units for item in source.unit(unit) if isinstance(item, Episode))
    first = next(episodes, None)
    if first is None:
        return None
    studio = Studio(domain, config)
    drawn = studio.sample(0, 0, "train", first.record)
    studio.codec.check_size(drawn.clip.height, drawn.clip.width)
    try:
        dumps(drawn.record)
    except (TypeError, ValueError) as error:
        raise BuildError(f"the domain's records are not plain data: {error}.") from error
    odd = sorted(set(domain.features()) ^ set(drawn.record))
    if odd:
        raise BuildError(
            f"the domain's features and its records differ in the keys {odd}: a fault of the domain."
        )
    return drawn
