"""A model as a program of its own, any language, any framework: gobench evaluate "cmd:python examples/cmd_model.py"

Both sides send a header's length (4 bytes, little endian), the header (JSON), and frames as raw uint8 where the
header has a "shape". This model repeats the last frame; put yours into `continue_video`.
"""

import json
import struct
import sys

import numpy as np

answers, sys.stdout = sys.stdout.buffer, sys.stderr  # print() must not get between the answers


def continue_video(frames, n, seeds, context):
    """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3]."""
    return np.repeat(frames[:, -1:], n, axis=1)


def receive():
    (length,) = struct.unpack("<I", sys.stdin.buffer.read(4))
    header = json.loads(sys.stdin.buffer.read(length))
    shape = header.get("shape", [0])
    return header, np.frombuffer(sys.stdin.buffer.read(int(np.prod(shape))), np.uint8).reshape(shape)


def send(header, data=b""):
    text = json.dumps(header).encode()
    answers.write(struct.pack("<I", len(text)) + text + data)
    answers.flush()


while (message := receive())[0]["op"] != "bye":
    asked, frames = message
    if asked["op"] == "hello":  # at least one of these, or {"ok": true}
        send({"frame_size": [256, 256], "max_frames": 1, "context_keys": []})
    elif asked["op"] == "generate":
        video = continue_video(frames, asked["n"], [int(s) for s in asked["seeds"]], asked["context"])
        send({"shape": list(video.shape)}, np.ascontiguousarray(video, np.uint8).tobytes())
    else:
        send({})
