from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from promptvision.plugin import ModelPool, Settings
from promptvision_transformers_llm.plugin import MODEL, promptvision_llm_providers, promptvision_models

HEAVY = ("torch", "transformers", "llguidance", "tokenizers", "numpy")


def test_plugin_and_planner_import_nothing_heavy() -> None:
    code = (
        "import sys, promptvision_transformers_llm.plugin, promptvision_transformers_llm.provider; "
        "sys.exit(bool({*sys.modules} & {*sys.argv[1:]}))"
    )
    assert subprocess.run([sys.executable, "-c", code, *HEAVY], check=False).returncode == 0


def test_weights_that_are_missing_are_named_with_their_command(tmp_path: Path) -> None:
    (factory,) = promptvision_llm_providers()
    reason = factory.unavailable(Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)}))
    assert reason == (
        "model 'qwen3-0.6b' is not downloaded (1.51 GB); run `promptvision models pull qwen3-0.6b`"
    )


def test_planner_is_made_with_the_pool_of_the_process(checkpoint: Path, pool: ModelPool) -> None:
    (factory,) = promptvision_llm_providers()
    settings = Settings.from_mapping({"PROMPTVISION_MODEL_QWEN3_0_6B": str(checkpoint)})
    assert factory.unavailable(settings) is None
    planner = factory.make(settings, pool)
    assert planner.name == "transformers_llm"
    assert pool.loaded() == []


def test_weights_are_pinned_and_their_files_are_enough_to_load() -> None:
    (spec,) = promptvision_models()
    assert spec is MODEL
    assert len(spec.revision) == 40
    assert {file.path for file in spec.files} >= {"model.safetensors", "config.json", "tokenizer.json"}
    assert spec.license == "Apache-2.0"
