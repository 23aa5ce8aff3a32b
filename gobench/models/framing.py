"""The protocol of ``cmd:`` models: both sides send a header's length, the header, and frames.

=========================  =================================================================================
4 bytes                    length of the header, unsigned, little endian
header                     JSON, an object; "shape": [B, T, H, W, 3] where frames follow
B x T x H x W x 3 bytes    the frames, uint8
=========================  =================================================================================

The parent asks, the child answers each time:

===========  ===========================================================  ===================================
op           asks                                                         answer
===========  ===========================================================  ===================================
"hello"      "protocol"                                                   any of frame_size, max_frames,
                                                                          context_keys, name, kind, video_only,
                                                                          parameters, trained_on, provenance;
                                                                          at least one, or {"ok": true}
"begin"      "public": a task's settings                                  {}
"generate"   "shape", "n", "seeds" (texts of digits, 64 bits each),       "shape" and frames
             "context" (a list of objects, or null); frames
"bye"        nothing                                                      none: the child ends
===========  ===========================================================  ===================================

An answer {"error": "..."} says why there is none.

The program runs in a process group of its own, which ends with the parent: also the programs that a wrapper script
starts, unless they leave the group (``setsid``). A wrapper best hands over with ``exec python my_client.py``.
"""

from __future__ import annotations

import json
import struct

from gobench.types import Json, Record

PROTOCOL = "gobench-cmd-1"
LENGTH = struct.Struct("<I")
MOST_HEADER = 1 << 20  # bytes of a child's header


class GarbledError(Exception):
    """The child's bytes are no message; the text says how."""


def pack(header: Json) -> bytes:
    """The length and the header as bytes."""
    text = json.dumps(header, ensure_ascii=True).encode()
    return LENGTH.pack(len(text)) + text


def header_length(data: bytes) -> int:
    """The length in 4 bytes; raises GarbledError for one that cannot be."""
    (length,) = LENGTH.unpack(data)
    if not 2 <= length <= MOST_HEADER:
        raise GarbledError(
            f"began its answer with {data!r} where the length of a header belongs (4 bytes, 2 to {MOST_HEADER}): "
            "does it print to stdout? Only answers go there, everything else to stderr"
        )
    return int(length)


def header(data: bytes) -> Record:
    """The object in a header's bytes; raises GarbledError for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GarbledError(f"sent a header that is not JSON ({error}): {data[:80]!r}") from None
    if not isinstance(found, dict):
        raise GarbledError(f"sent a header that is not a JSON object: {data[:80]!r}")
    return found


def shape_of(found: Record) -> tuple[int, ...]:
    """The shape in an answer's header; raises GarbledError where there is none."""
    shape = found.get("shape")
    if found.get("dtype", "uint8") not in ("uint8", "|u1", "u1"):
        raise GarbledError(f"answered with {found['dtype']} instead of uint8: convert to values 0 to 255")
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise GarbledError(f"answered without a shape such as [1, 1, 256, 256, 3]: {str(found)[:80]}")
    return tuple(shape)
