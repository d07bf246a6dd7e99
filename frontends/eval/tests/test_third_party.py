"""An evaluator of a third party's plugin, through the command."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

from PIL import Image

from promptvision.testing import Program, write_plugin

PLUGIN = '''
from promptvision.plugin import EvalCase, Evaluator, Scores, hookimpl, mean_metric


class Lightness:
    """Grey images as a test of convert_to_bw: the mean lightness of the result."""

    def __init__(self, setup):
        self._images = sorted(setup.data.glob("*.png"))
        self.conditions = {"data": setup.data.name}

    def cases(self):
        for image in self._images:
            yield EvalCase(id=image.stem, calls=({"image_url": image},), image=image)

    def predict(self, case, outputs):
        histogram = outputs[0].open(outputs[0].fields["bw_image_url"]).convert("L").histogram()
        return {"lightness": sum(at * count for at, count in enumerate(histogram)) / sum(histogram)}

    def score(self, examples):
        values = [each.prediction["lightness"] for each in examples]
        return Scores(metrics=(mean_metric("lightness", values, unit="", scale=1.0),), per_case=tuple(values))

    def draw(self, example):
        return []


@hookimpl
def promptvision_evaluators():
    return [
        Evaluator(
            name="lightness",
            operation="convert_to_bw",
            summary="a folder of PNG files",
            accepts=lambda data: data.is_dir(),
            create="promptvision_lightness:Lightness",
        )
    ]
'''


def test_its_metric_is_printed_and_reported(tmp_path: Path) -> None:
    data = tmp_path / "grey"
    data.mkdir()
    for name, level in (("dark", 50), ("light", 150)):
        Image.new("RGB", (8, 8), (level, level, level)).save(data / f"{name}.png")
    site = write_plugin(tmp_path / "site", "lightness", PLUGIN)
    kept = {"promptvision", "bw", "eval", "lightness"}
    others = {point.name for point in entry_points(group="promptvision")} - kept
    variables = {"PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others))}
    program = Program(tmp_path / "home", variables, path=[site])
    page = tmp_path / "page.html"
    ended = program.run("eval", "convert_to_bw", "--data", data, "--json", "--report", page)
    assert ended.code == 0, ended.err
    (tool,) = json.loads(ended.out)["tools"]
    (metric,) = tool["metrics"]
    assert (metric["name"], metric["value"], metric["interval"]) == ("lightness", 100, [50, 150])
    assert "lightness" in page.read_text("utf-8")
    assert "2/2" in ended.err
    assert program.run("eval", "convert_to_bw", "--data", data).code == 0
    wrong = program.run("eval", "make_tea", "--data", data)
    assert (wrong.code, "nothing scores 'make_tea'" in wrong.err) == (1, True)
