"""Video-GoBench: what can be learnt by watching alone? The core knows video, episodes, shards and scores."""

__version__ = "0.1.0"
