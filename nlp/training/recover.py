"""Make a checkpoint to go on training from out of the shipped model, whose own checkpoints need not be kept.

    python -m nlp.training.recover TO/model.pt [--model nlp/models/mention]

int8 weights times their scales. Embeddings of pieces and places, which were never fitted, are those of the base.
Scores differ from the shipped model's by the rounding of its activations.
"""

# pyright: reportMissingImports=false

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from nlp.mention_model import FOLDER
from nlp.training.export import TIMES_ROOT
from nlp.training.model import MentionModel

PARTS = ("query", "key", "value")  # of attention, side by side in one fused matrix


def recovered(path: Path) -> dict[str, torch.Tensor]:
    """Return the state of the model that model.onnx at this path was exported from, as far as int8 has kept it."""
    graph = onnx.load(str(path)).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}

    def weights(name: str) -> np.ndarray:
        zero = held[f"{name}_zero_point"].astype(np.float32)
        return (held[f"{name}_quantized"].astype(np.float32) - zero) * held[f"{name}_scale"]

    found = {name: value for name, value in held.items() if name.endswith((".weight", ".bias"))}
    for name, value in held.items():
        if name.endswith(TIMES_ROOT):
            found[name.removesuffix(TIMES_ROOT)] = value / np.sqrt(value.size)
    for name in ("token_type_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"):
        found[f"encoder.embeddings.{name}"] = weights(f"encoder.embeddings.{name}")
    found["heads.weight"] = weights("heads.weight_Transposed").T
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.name.endswith("/MatMul_quant"):
            layer = node.name.removeprefix("/").removesuffix("/MatMul_quant").replace("/", ".")
            found[f"{layer}.weight"] = weights(node.input[1].removesuffix("_quantized")).T
        if node.op_type == "QAttention":
            number = node.name.removeprefix("Attention_").removesuffix("_quant")
            whole, bias = weights(f"Attention_{number}_qkv_weight"), held[f"Attention_{number}_qkv_bias"]
            for part, weight, shift in zip(PARTS, np.split(whole, 3, axis=1), np.split(bias, 3), strict=True):
                found[f"encoder.encoder.layer.{number}.attention.self.{part}.weight"] = weight.T
                found[f"encoder.encoder.layer.{number}.attention.self.{part}.bias"] = shift
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in found.items()}


def main() -> None:
    """Read the command line and recover."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("to", type=Path)
    parser.add_argument("--model", type=Path, default=FOLDER)
    told = parser.parse_args()
    model = MentionModel()
    missing, unknown = model.load_state_dict(recovered(told.model / "model.onnx"), strict=False)
    embedded = {f"encoder.embeddings.{name}_embeddings.weight" for name in ("word", "position")}
    if set(missing) != embedded or unknown:
        raise SystemExit(f"{told.model}: lacks {sorted(set(missing) - embedded)}, has {unknown} too much")
    told.to.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), told.to)


if __name__ == "__main__":
    main()
