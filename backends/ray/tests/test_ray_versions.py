"""Differences of versions between nodes, and settings, without a cluster."""

from __future__ import annotations

import subprocess
import sys

import pytest

from promptvision.plugin import Settings, SetupError
from promptvision_ray.connection import connect
from promptvision_ray.plugin import promptvision_checks
from promptvision_ray.serve import check_shared
from promptvision_ray.versions import differences, own_versions


def test_each_node_that_differs_is_named_with_both_versions() -> None:
    own = {"python": "3.11.7", "promptvision": "0.2.0", "promptvision-sam": "0.1.0"}
    found = differences(own, {"n1": own, "n2": {"python": "3.11.7", "promptvision": "0.1.0"}, "n3": None})
    assert found == [
        "node n2: promptvision 0.1.0 (here 0.2.0), promptvision-sam missing (here 0.1.0)",
        "node n3 does not answer, or has no promptvision-ray",
    ]
    assert {"python", "ray", "promptvision", "promptvision-ray"} <= own_versions().keys()


def test_address_of_ray_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    settings = Settings.from_mapping({"RAY_ADDRESS": "ray://10.0.0.1:10001", "PROMPTVISION_EXECUTOR": "ray"})
    with pytest.raises(SetupError, match=r"Ray Client, which cannot be used here; run promptvision"):
        connect(settings)
    (check,) = promptvision_checks()
    assert (check(settings).state, check(settings).fix) == (
        "fail",
        "run promptvision on a node of the cluster and set RAY_ADDRESS to HOST:6379",
    )
    assert check(Settings()).seen == "not in use"


def test_replicas_of_ray_serve_need_shared_stores() -> None:
    postgres = "postgresql+psycopg://db/vision"
    check_shared(Settings(conversations=postgres, images="s3://bucket"))
    for settings in (Settings(), Settings(conversations=postgres, images="memory:")):
        with pytest.raises(SetupError, match="replicas need one"):
            check_shared(settings)


def test_ray_is_imported_by_the_first_call_only() -> None:
    code = (
        "import sys, promptvision_ray.executor as e, promptvision_ray.plugin, promptvision_ray.commands;"
        "from promptvision.testing import make_worker;"
        "print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
