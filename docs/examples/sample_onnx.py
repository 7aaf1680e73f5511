"""Sample pictures from an exported generator, without wganx: python sample_onnx.py FOLDER grid.png [label=class ...]"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

folder, out, *chosen = sys.argv[1:]
card = json.loads(Path(folder, "card.json").read_text(encoding="utf-8"))
given, rng, inputs = dict(pair.split("=", 1) for pair in chosen), np.random.default_rng(0), {}
for port in card["inputs"]:
    name, classes = port["name"], port["classes"]
    inputs[name] = rng.standard_normal((64, *port["shape"][1:]), dtype=np.float32)
    if classes:  # the class that was asked for; else all of them in turn
        index = classes.index(given[name]) if name in given else np.arange(64) % len(classes)
        inputs[name] = np.full(64, index, dtype=np.int64)
(made,) = onnxruntime.InferenceSession(Path(folder, "generator.onnx")).run(None, inputs)
pixels = ((made + 1) * 127.5).round().astype(np.uint8)  # 64 pictures (channel, height, width)
lines = [np.concatenate(list(pixels[start : start + 8]), axis=2) for start in range(0, 64, 8)]
Image.fromarray(np.concatenate(lines, axis=1).transpose(1, 2, 0).squeeze()).save(out)
