"""Where games come from: self-play, SGF archives, the released tars; each gives Episodes or counted Rejections."""

from gobench_go.sources.mixed import make_source
from gobench_go.sources.options import configure_sources

__all__ = ["configure_sources", "make_source"]
