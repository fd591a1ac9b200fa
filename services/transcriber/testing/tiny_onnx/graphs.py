"""Graphs put together node by node: the few words that the kinds of models are written in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FLOAT: Final = TensorProto.FLOAT
FLOAT16: Final = TensorProto.FLOAT16
INT64: Final = TensorProto.INT64
INT32: Final = TensorProto.INT32

_OPSET: Final = 17
_IR_VERSION: Final = 10
_HALF_KERNELS: Final = {4: 2, 8: 4}

Shape = Sequence[int | str]


class Graph:
    """A graph under construction; each method adds a node and gives its output's name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: Shape) -> str:
        """Declare an input."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, name: str, value: str, kind: int, shape: Shape) -> None:
        """Declare an output and what it is."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def constant(self, values: NDArray[np.generic]) -> str:
        """A tensor of fixed values."""
        name = f"constant-{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def integers(self, *values: int) -> str:
        """A tensor of whole numbers."""
        return self.constant(np.array(values, dtype=np.int64))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Any operator of ONNX with one output."""
        name = f"value-{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def part(self, value: str, axis: int, begin: int, end: int) -> str:
        """A stretch of an axis."""
        return self.add("Slice", value, self.integers(begin), self.integers(end), self.integers(axis))

    def scripted(self, frames: str, ear: NDArray[np.float32], logits: NDArray[np.float32], stride: int) -> str:
        """Features of shape (batch, features, time) to scores of shape (batch, frames, tokens): what the script says at each
        frame, and what the ear makes of the sound around it.
        """
        half = _HALF_KERNELS[stride]
        heard = self.add("Conv", frames, self.constant(ear), strides=[stride], pads=[half, half])
        scores = self.add("Transpose", heard, perm=[0, 2, 1])
        count = self.add("Slice", self.add("Shape", scores), self.integers(1), self.integers(2), self.integers(0))
        said = self.add("Slice", self.constant(logits), self.integers(0), count, self.integers(0))
        return self.add("Add", scores, said)

    def frames(self, lengths: str, stride: int) -> str:
        """How many frames so many features give."""
        before = self.add("Sub", lengths, self.integers(1))
        return self.add("Add", self.add("Div", before, self.integers(stride)), self.integers(1))

    def save(self, path: Path) -> None:
        """Check it and write it to a file."""
        graph = helper.make_graph(self._nodes, "tiny", self._inputs, self._outputs, self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="razgovor"
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def kernel(stride: int) -> int:
    """How many features an ear of this stride hears for each frame."""
    return 2 * _HALF_KERNELS[stride] + 1
