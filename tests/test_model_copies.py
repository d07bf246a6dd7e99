"""Copies of real torch modules: same results, shared or separate storage, and nothing copied back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from promptvision.models.copies import copy_model, modules_of, private_view, replace_tensors


class Tied(torch.nn.Module):
    """Two layers with one weight, a buffer, and a layer that is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.second = torch.nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.norm = torch.nn.BatchNorm1d(4)
        self.again = self.norm
        self.eval()

    def forward(self, values: torch.Tensor) -> Any:
        return self.again(self.second(self.first(values)))


@dataclass(frozen=True)
class Loaded:
    """What a loader may return."""

    model: torch.nn.Module
    tokenizer: object
    parts: tuple[dict[str, torch.nn.Module], ...] = ()


class Ops(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Lists the operations that run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def pointers(model: torch.nn.Module) -> list[int]:
    return [tensor.data_ptr() for tensor in (*model.parameters(), *model.buffers())]


def test_a_copy_computes_the_same_with_tensors_of_its_own() -> None:
    torch.manual_seed(1)
    model, values = Tied(), torch.randn(2, 4)
    wanted, before = model(values), pointers(model)
    made = copy_model(model, torch.Tensor.clone)
    assert torch.equal(made(values), wanted)
    assert made.second.weight is made.first.weight
    assert made.again is made.norm
    assert not set(pointers(made)) & set(before)
    assert pointers(model) == before
    assert [p.requires_grad for p in made.parameters()] == [p.requires_grad for p in model.parameters()]


def test_each_tensor_is_placed_once() -> None:
    placed: list[torch.Tensor] = []

    def place(tensor: torch.Tensor) -> torch.Tensor:
        placed.append(tensor)
        return tensor.clone()

    model = Tied()
    copy_model(Loaded(model, None, ({"again": model},)), place)
    assert len(placed) == len([*model.parameters(), *model.buffers()]) == 8


def test_objects_that_hold_modules_are_rebuilt_and_the_rest_is_shared() -> None:
    model, other = Tied(), torch.nn.Linear(2, 2)
    loaded = Loaded(model, object(), ({"other": other, "same": model},))
    made = copy_model(loaded, torch.Tensor.clone)
    assert isinstance(made, Loaded)
    assert made.tokenizer is loaded.tokenizer
    assert made.model is not model
    assert made.parts[0]["same"] is made.model
    assert loaded.model is model
    assert modules_of(loaded) == [model, other]
    assert copy_model("a name", torch.Tensor.clone) == "a name"


def test_a_view_shares_storage_but_may_put_its_tensors_elsewhere() -> None:
    model = Tied()
    view = private_view(model)
    assert pointers(view) == pointers(model)
    view.first.weight.data = torch.zeros(4, 4)
    assert model.first.weight.abs().sum() > 0
    assert pointers(view)[1:] == pointers(model)[1:]


def test_dropping_the_copy_on_the_device_copies_nothing_back() -> None:
    """On the meta device a copy to main memory is an error, and any operation would be listed."""
    master = Tied()
    made = copy_model(master, lambda tensor: tensor.to("meta"))
    assert {tensor.device.type for tensor in made.parameters()} == {"meta"}
    with Ops() as ops:
        del made
        again = copy_model(master, lambda tensor: tensor.to("meta"))
    assert {tensor.device.type for tensor in again.parameters()} == {"meta"}
    assert {name for name in ops.names if "copy" in name} == {"aten._to_copy.default"}
    assert ops.names.count("aten._to_copy.default") == 8


def test_tensors_are_replaced_in_place() -> None:
    model = Tied()
    before, values = pointers(model), torch.randn(2, 4)
    wanted = model(values)
    replace_tensors(Loaded(model, None), torch.Tensor.clone)
    assert not set(pointers(model)) & set(before)
    assert torch.equal(model(values), wanted)
    assert model.second.weight is model.first.weight


@pytest.mark.parametrize("model", [3, None, [1, 2], {"a": "b"}, object()])
def test_what_holds_no_module_is_returned_itself(model: object) -> None:
    assert copy_model(model, torch.Tensor.clone) is model
    assert modules_of(model) == []
