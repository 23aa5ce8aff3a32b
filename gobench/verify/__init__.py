"""Is a finished folder what its build wrote? run.py goes through it, shard.py and pictures.py look closely."""

from gobench.verify.run import Verification, verify

__all__ = ["Verification", "verify"]
