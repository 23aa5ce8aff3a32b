"""Child processes behind pipes: models and engines that are programs of others.

Each lives in a process group of its own, is asked with a deadline, has its stderr drained, and is gone with its group
when it is ended, killed or forgotten, or when this process dies, however it dies.
"""

from gobench.children.child import Child, FloodError, GoneError, SilentError

__all__ = ["Child", "FloodError", "GoneError", "SilentError"]
