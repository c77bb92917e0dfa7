"""Make the shipped files of a fitted mention model: int8 ONNX, the tokenizer, and labels.json still to be calibrated.

    python -m nlp.training.export MODEL.pt [MODEL.pt ...] [--to nlp/models/mention]

Of several models of one line of descent the mean is taken, weight by weight (Wortsman et al. 2022).
Weights become int8 per output channel, activations are scaled as they come (dynamic). Weights keep to 7 bits
(reduce_range): processors without VNNI overflow otherwise. Nodes are fused first, for speed, but for the norms.
"""

# pyright: reportMissingImports=false

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

from nlp.mention_labels import HEADS
from nlp.mention_model import FOLDER
from nlp.training.model import MentionModel, tokenizer

TIMES_ROOT = ".times_root"  # ends the name of a norm's scale that is multiplied by the root of its width


def uncalibrated() -> dict[str, Any]:
    """Return what labels.json says before anything is chosen: probabilities as they come, the likeliest label."""
    heads = {
        head.name: {
            "labels": head.labels,
            "temperature": 1.0,
            "weights": [0.5 if head.any else 1.0] * len(head.labels),
            "at_least": 0.0,
        }
        for head in HEADS
    }
    return {"heads": heads, "overall": heads["sentiment"]}


def export(model: MentionModel, path: Path) -> None:
    """Write the model to path as int8 ONNX: ids and kinds in, scores of heads and of tags out."""
    model.eval()
    ids = torch.tensor([[101, 2023, 102, 3231, 102, 0], [101, 2023, 2003, 102, 3231, 102]])
    kinds = torch.tensor([[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]])
    with tempfile.TemporaryDirectory() as folder:
        whole, fused = Path(folder) / "whole.onnx", Path(folder) / "fused.onnx"
        both = {0: "texts", 1: "pieces"}
        torch.onnx.export(
            model,
            (ids, kinds),
            str(whole),
            input_names=["ids", "kinds"],
            output_names=["scores", "tags"],
            dynamic_axes={"ids": both, "kinds": both, "scores": {0: "texts"}, "tags": both},
            opset_version=17,
            dynamo=False,
        )
        config = model.encoder.config
        made = optimizer.optimize_model(
            str(whole), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=1
        )
        made.save_model_to_file(str(fused))
        known = {"DefaultTensorType": TensorProto.FLOAT}  # shapes are not inferred past fused nodes
        quantize_dynamic(
            fused, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8, extra_options=known
        )
    made = onnx.load(path)
    with_plain_norms(made.graph)
    onnx.save(made, path)


def with_plain_norms(graph: onnx.GraphProto) -> None:
    """Write each sum of layer and skipped layer that is normalised as single steps, for speed.

    onnxruntime (1.32) works through SkipLayerNormalization a number at a time, through plain steps many at a time. The
    deviation is told by the sum of squares, not their mean, so that it does not put the steps together again.
    """
    weights = {one.name: one for one in graph.initializer}
    made: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "SkipLayerNormalization":
            made.append(node)
            continue
        layer, skipped, scale, shift, bias = node.input
        width = weights[scale].dims[0]
        [epsilon] = [one.f for one in node.attribute if one.name == "epsilon"]
        name = node.output[0]
        whole, total, mean, centred, squares, spread, deviation, even, scaled = (f"{name}.{n}" for n in range(9))
        for constant, value in (
            (f"{name}.epsilon", [width * epsilon]),
            (f"{scale}{TIMES_ROOT}", np.sqrt(width) * numpy_helper.to_array(weights[scale])),
        ):
            graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), constant))
        made += [
            helper.make_node("Add", [layer, bias], [whole]),
            helper.make_node("Add", [whole, skipped], [total]),
            helper.make_node("ReduceMean", [total], [mean], axes=[-1]),
            helper.make_node("Sub", [total, mean], [centred]),
            helper.make_node("ReduceSumSquare", [centred], [squares], axes=[-1]),
            helper.make_node("Add", [squares, f"{name}.epsilon"], [spread]),
            helper.make_node("Sqrt", [spread], [deviation]),
            helper.make_node("Div", [centred, deviation], [even]),
            helper.make_node("Mul", [even, f"{scale}{TIMES_ROOT}"], [scaled]),
            helper.make_node("Add", [scaled, shift], [name]),
        ]
        graph.initializer.remove(weights[scale])
    del graph.node[:]
    graph.node.extend(made)


def mean(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights of several models."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--to", type=Path, default=FOLDER)
    told = parser.parse_args()
    model = MentionModel()
    model.load_state_dict(mean([torch.load(path, weights_only=True) for path in told.models]))
    told.to.mkdir(parents=True, exist_ok=True)
    export(model, told.to / "model.onnx")
    tokenizer().save(str(told.to / "tokenizer.json"))
    (told.to / "labels.json").write_text(json.dumps(uncalibrated(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
