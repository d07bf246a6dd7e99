"""Whole evaluations with installed tools, in this process: figures, resuming, failures and comparison."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from eval_data import write_balls
from PIL import Image, ImageDraw

from promptvision.plugin import ChatReply, EvalOutput, InputError, SetupError, ToolCall, UserError
from promptvision.testing import LLMServer
from promptvision_eval import session, targets
from promptvision_eval.document import Request
from promptvision_eval.session import EvalSession

pytestmark = pytest.mark.usefixtures("home")


def make_request(operation: str, data: Path, *tools: str, **fields: Any) -> Request:
    values = {
        "evaluator": "",
        "limit": None,
        "seed": 0,
        "resamples": 20,
        "arguments": {},
        "options": {},
        **fields,
    }
    return Request(operation=operation, data=data, tools=tools, **values)


def run(request: Request, *, is_fresh: bool = False) -> dict[str, Any]:
    document, _ = asyncio.run(EvalSession(request, is_fresh=is_fresh).run())
    return document


def figures(document: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    (tool,) = document["tools"]
    return [(metric["name"], metric["value"], metric["interval"]) for metric in tool["metrics"]]


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_balls(tmp_path_factory.mktemp("coco") / "balls")


def test_detection_and_the_report(balls: Path, tmp_path: Path) -> None:
    request = make_request("detect_objects", balls, "opencv_detect", options={"prompts": "each"})
    document, write = asyncio.run(EvalSession(request).run())
    (tool,) = document["tools"]
    by_name = {metric["name"]: metric for metric in tool["metrics"]}
    assert by_name["AP50"]["value"] > 60  # it finds coloured balls
    assert by_name["AP"]["interval"][0] <= by_name["AP"]["value"] <= by_name["AP"]["interval"][1]
    (published,) = by_name["AP"]["published"]
    assert published["value"] == "56.7 %"
    assert "zero-shot" in published["remark"]
    assert published["differences"] == [
        "model: none here, grounding-dino-base published",
        "images: 3 here, 5000 published",
        "prompts: each here, all published",
        "box_threshold: 0.45 here, 0 published",
    ]
    assert tool["peak_bytes"] > 1e6
    write(tmp_path / "page" / "report.html")
    page = (tmp_path / "page" / "report.html").read_text("utf-8")
    assert page.count("data:image/webp;base64,") in (
        2,
        4,
    )  # labels and detections of each that is not the best
    assert "http" not in page.replace("https://github.com/IDEA-Research", "")
    assert "promptvision eval detect_objects --data" in page
    assert "images: 3 here, 5000 published" in page
    assert "<script" not in page


def test_all_classes_in_one_call(balls: Path) -> None:
    document = run(make_request("detect_objects", balls, "opencv_detect", limit=1, resamples=0))
    assert document["tools"][0]["conditions"]["prompts"] == "all"
    assert document["tools"][0]["conditions"]["images"] == "1"


def test_segmentation_of_coco_and_of_mask_pairs(balls: Path, tmp_path: Path) -> None:
    by_name = {name: value for name, value, _ in figures(run(make_request("segment_objects", balls)))}
    assert by_name["mIoU"] > 50
    assert {"boundary mIoU", "boundary F", "AP", "boundary AP"} <= set(by_name)
    image, mask = Image.new("RGB", (80, 60), "white"), Image.new("L", (80, 60), 0)
    for canvas, fill in ((image, "red"), (mask, 255)):
        ImageDraw.Draw(canvas).ellipse((20, 15, 60, 45), fill=fill)
    for name in ("a", "b"):
        image.save(tmp_path / f"{name}.jpg", quality=95)
        mask.save(tmp_path / f"{name}.png")
    Image.new("L", (80, 60), 0).save(tmp_path / "b.png")  # nothing is labelled
    document = run(make_request("segment_objects", tmp_path, "opencv_segment"))
    assert document["evaluator"] == "mask-pairs"
    assert document["tools"][0]["done"] == 1
    for kind, file in (("images_test", "a.jpg"), ("masks_test", "a.png")):
        (tmp_path / "set" / kind).mkdir(parents=True)
        (tmp_path / "set" / kind / file).write_bytes((tmp_path / file).read_bytes())
    options = {"images": "images_test", "masks": "masks_test"}
    named = make_request(
        "segment_objects", tmp_path / "set", "opencv_segment", evaluator="mask-pairs", options=options
    )
    assert figures(run(named)) == figures(document)
    assert {name: value for name, value, _ in figures(document)}["mIoU"] > 50


def test_an_interrupted_run_continues_to_the_same_figures(
    balls: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request("detect_objects", balls, "opencv_detect")
    whole = run(request)
    log = home / "eval" / "coco-detection" / "opencv_detect.jsonl"
    log.unlink()

    class Interrupted(targets.ToolTarget):
        calls = 0

        async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
            Interrupted.calls += 1
            if Interrupted.calls == 3:
                raise KeyboardInterrupt
            return await super().call(values)

    with monkeypatch.context() as patch:
        patch.setattr(session, "ToolTarget", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(request)
    assert len(log.read_text().splitlines()) == 2
    with log.open("a") as file:
        file.write('{"key": "cut off by a power fai')
    resumed = run(request)
    assert resumed["tools"][0]["from_log"] == 2
    assert figures(resumed) == figures(whole)
    again = run(request)
    assert again["tools"][0]["from_log"] == 3
    assert figures(again) == figures(whole)
    assert run(request, is_fresh=True)["tools"][0]["from_log"] == 0


def test_another_image_argument_or_setting_is_predicted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_balls(tmp_path / "balls", 2)
    request = make_request("detect_objects", data, "opencv_detect", resamples=0)
    run(request)
    (data / "val2017" / "1.png").write_bytes((data / "val2017" / "2.png").read_bytes())
    assert run(request)["tools"][0]["from_log"] == 1
    other = make_request(
        "detect_objects", data, "opencv_detect", resamples=0, arguments={"box_threshold": 0.9}
    )
    assert run(other)["tools"][0]["from_log"] == 0
    assert run(other)["tools"][0]["conditions"]["box_threshold"] == "0.9"
    monkeypatch.setenv("PROMPTVISION_CALL_TIMEOUT_S", "200")
    assert run(request)["tools"][0]["from_log"] == 0


def test_a_failed_image_does_not_stop_the_rest(tmp_path: Path) -> None:
    data = write_balls(tmp_path / "balls")
    (data / "val2017" / "2.png").write_bytes(b"not an image")
    document, write = asyncio.run(
        EvalSession(make_request("detect_objects", data, "opencv_detect", resamples=0)).run()
    )
    (tool,) = document["tools"]
    assert (tool["done"], tool["failed"]) == (2, 1)
    assert "image" in tool["failures"]["2"]
    write(tmp_path / "report.html")
    assert "1 examples failed" in (tmp_path / "report.html").read_text("utf-8")


def test_the_offline_planner_on_sentences(tmp_path: Path) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text(
        "# plain\nfind the red ball => detect prompt=red ball\nmake it black and white => bw\n"
        "remove the car => inpaint target=car; prompt=\ntell me a riddle about rockets => bw\n"
    )
    document = run(make_request("planner", file, "offline"))
    values = {name: value for name, value, _ in figures(document)}
    assert values["right"] == 75
    assert values["slot accuracy"] == 100
    assert document["tools"][0]["plugin"] == "promptvision"


def test_an_llm_on_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("find the ball => detect prompt=ball\nmake it black and white => bw\nhello => -\n")
    script: list[ChatReply | str] = [
        ChatReply(tool_calls=(ToolCall(id="call_1", name="detect_objects", arguments='{"prompt": "ball"}'),)),
        "I found one ball.",
        ChatReply(tool_calls=(ToolCall(id="call_1", name="detect_objects", arguments='{"prompt": "it"}'),)),
        "Done.",
        "Hello!",
    ]
    with LLMServer(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("LLM_NAME", "first")
        request = make_request("planner", file, "openai")
        (tool,) = run(request)["tools"]
        server.assert_used_up()
        assert '"annotated_image_url": "img_2"' in server.bodies[1]["messages"][-1]["content"]
        assert run(request)["tools"][0]["from_log"] == 3
        monkeypatch.setenv("LLM_NAME", "second")
        server.reset(otherwise="Done.")
        assert run(request)["tools"][0]["from_log"] == 0
    values = {metric["name"]: metric["value"] for metric in tool["metrics"]}
    assert values["right"] == pytest.approx(200 / 3)
    assert values["wrong action"] == pytest.approx(100 / 3)
    assert values["slot accuracy"] == 100
    assert (tool["plugin"], tool["conditions"]["model"]) == ("openai", "first")


def test_edits_keep_what_lies_outside_the_mask(tmp_path: Path) -> None:
    image, mask = Image.new("RGB", (64, 48), "#d8e0e8"), Image.new("L", (64, 48), 0)
    ImageDraw.Draw(image).rectangle((20, 15, 40, 30), fill="red")
    ImageDraw.Draw(mask).rectangle((18, 13, 42, 32), fill=255)
    image.save(tmp_path / "a.png")
    mask.save(tmp_path / "m.png")
    (tmp_path / "list.jsonl").write_text(json.dumps({"image": "a.png", "mask": "m.png", "prompt": ""}))
    document, write = asyncio.run(
        EvalSession(make_request("inpaint_image", tmp_path, "opencv_inpaint", resamples=2)).run()
    )
    by_name = {metric["name"]: metric for metric in document["tools"][0]["metrics"]}
    assert by_name["unchanged outside the mask"]["value"] == 100
    assert "infinite" in by_name["PSNR outside the mask"]["note"]
    assert by_name["SSIM outside the mask"]["value"] == pytest.approx(1)
    assert "models pull alexnet-lpips" in by_name["LPIPS"]["note"]
    assert "models pull inception-v3-fid" in by_name["FID"]["note"]
    write(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8").count("data:image/webp") == 3


@pytest.mark.parametrize(
    ("operation", "fields", "error", "words"),
    [
        ("rotate_image", {}, UserError, "nothing scores 'rotate_image'; it can score: caption_image"),
        ("detect_objects", {"evaluator": "voc"}, UserError, "no evaluator 'voc'; use one of: coco-detection"),
        ("extract_text", {}, InputError, "has no layout that scores extract_text"),
        (
            "detect_objects",
            {"options": {"size": "1"}},
            UserError,
            "no option 'size'; its options are: images",
        ),
        ("detect_objects", {"options": {"prompts": "some"}}, InputError, "use all or each"),
        ("detect_objects", {"options": {"images": "docs"}}, InputError, "docs does not hold 1.png"),
        ("detect_objects", {"arguments": {"colour": 1}}, UserError, "has no argument 'colour'"),
        (
            "detect_objects",
            {"arguments": {"box_threshold": "x"}},
            UserError,
            "-a box_threshold=x: Input should",
        ),
        ("detect_objects", {"tools": ("yolo",)}, UserError, "no tool 'yolo' of detect_objects; use one of"),
        ("detect_objects", {"tools": ("grounding_dino",)}, SetupError, "promptvision models pull"),
    ],
)
def test_errors_say_what_to_do(
    balls: Path, operation: str, fields: dict[str, Any], error: type[Exception], words: str
) -> None:
    tools = fields.pop("tools", ("opencv_detect",) if operation == "detect_objects" else ())
    with pytest.raises(error, match=words):
        run(make_request(operation, balls, *tools, **fields))
