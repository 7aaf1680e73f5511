"""Convert a sound, without wganx: python convert_onnx.py FOLDER in.wav out.wav speaker=anna"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

folder, source, out, *chosen = sys.argv[1:]
card = json.loads(Path(folder, "card.json").read_text(encoding="utf-8"))
given, (sound, rate) = dict(pair.split("=", 1) for pair in chosen), soundfile.read(source, dtype="float32")
if sound.ndim > 1 or rate != card["output"]["rate_hz"]:
    sys.exit(f"{source} has to be one channel of {card['output']['rate_hz']:g} Hz: resample it, or mix it down")
inputs = {"source": sound[None, None]}
for port in card["inputs"][1:]:
    name = port["name"]  # a label by its class, or a number such as intensity
    value = port["classes"].index(given[name]) if port["classes"] else float(given.get(name, port["signal"]["usual"]))
    inputs[name] = np.full(1, value, dtype=port["dtype"])
(made,) = onnxruntime.InferenceSession(Path(folder, "whole.onnx")).run(None, inputs)
soundfile.write(out, made[0, 0], rate)
