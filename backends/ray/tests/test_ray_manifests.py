"""The manifests in the documentation: YAML with the fields that Ray and KubeRay require."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

FOLDER = Path(__file__).parents[3] / "docs" / "deploy"


def documents(name: str) -> dict[str, Any]:
    return {each.get("kind", name): each for each in yaml.safe_load_all((FOLDER / name).read_text())}


def check_cluster(spec: dict[str, Any]) -> None:
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"].startswith("REGISTRY/")
        assert container["resources"]["limits"]["memory"]
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
        assert mounted == {volume["name"] for volume in group["template"]["spec"].get("volumes", ())}
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_kuberay_cluster_and_its_servers() -> None:
    found = documents("kuberay.yaml")
    assert found.keys() == {"RayCluster", "Deployment", "Service"}
    check_cluster(found["RayCluster"]["spec"])
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert (
        labels
        == found["Deployment"]["spec"]["selector"]["matchLabels"]
        == found["Service"]["spec"]["selector"]
    )


def test_kuberay_service_names_the_deployment_of_this_package() -> None:
    service = documents("kuberay-serve.yaml")["RayService"]["spec"]
    check_cluster(service["rayClusterConfig"])
    (application,) = yaml.safe_load(service["serveConfigV2"])["applications"]
    module, _, name = application["import_path"].partition(":")
    assert callable(getattr(import_module(module), name))
    assert int(application["args"]["num_replicas"]) > 0


@pytest.mark.parametrize("name", ["head", "gpu"])
def test_cluster_file_of_ray_up(name: str) -> None:
    found = documents("ray-up.yaml")["ray-up.yaml"]
    assert found["head_node_type"] == "head"
    node = found["available_node_types"][name]
    assert node.get("min_workers", 0) <= node["max_workers"] <= found["max_workers"]
    assert any("promptvision-ray" in command for command in found["setup_commands"])
    assert found["worker_start_ray_commands"][-1].startswith("ray start --address=$RAY_HEAD_IP:6379")
