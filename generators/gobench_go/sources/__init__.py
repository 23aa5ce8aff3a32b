"""Where games come from: self-play, SGF archives and the released tars."""

from gobench_go.sources.mixed import make_source
from gobench_go.sources.options import configure_sources

__all__ = ["configure_sources", "make_source"]
