"""Is a finished folder what its build wrote?

finding.py    one thing that is wrong
run.py        ``verify``: files, manifest, parts, and all shards
job.py        the shards' checks as a job for worker processes
shard.py      one shard: its bytes, its records, its index
identity.py   fingerprints and splits of samples, from their records
pictures.py   stored pictures against drawn ones
repair.py     ``repair``: remove what is broken, for a build to make anew
"""

from gobench.verify.repair import repair
from gobench.verify.run import Verification, verify

__all__ = ["Verification", "repair", "verify"]
