"""Streaming of layers: the result of the module, and a clear error without the required libraries."""

from __future__ import annotations

import sys

import pytest

from promptvision.errors import SetupError
from promptvision.models.offload import stream
from promptvision.models.placement import Placement

LIBRARIES = {Placement.GROUP: "diffusers", Placement.SEQUENTIAL: "accelerate"}


@pytest.mark.parametrize("placement", LIBRARIES)
def test_streamed_module_computes_what_it_computes_resident(placement: Placement) -> None:
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).eval()
    values = torch.arange(8.0).reshape(2, 4)
    with torch.inference_mode():
        expected = module(values)
        with stream([module], "cpu", placement):
            streamed = module(values)
    assert torch.equal(streamed, expected)


@pytest.mark.parametrize(("placement", "library"), LIBRARIES.items())
def test_missing_library_is_named_with_what_installs_it(
    placement: Placement, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SetupError, match=library) as refused, stream([torch.nn.ReLU()], "cpu", placement):
        pass
    assert refused.value.hint == "pip install 'promptvision[offload]'"
