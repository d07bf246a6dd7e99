"""The answer to a turn, as one flat document."""

from __future__ import annotations

import json
from typing import Any

from promptvision.agent.reply import Reply, Step, image_ids, show_ids
from promptvision.conversations.turn import TurnStatus
from promptvision.tools import operations
from promptvision.types import ImageRef, MaskRef

A, B, C = "a" * 64, "b" * 64, "c" * 64


def step(operation: str, **result: Any) -> Step:
    return Step(
        operation=operation,
        tool="t",
        plugin="p",
        status="done" if result else "failed",
        arguments={"image_url": A},
        result=result or None,
        image_ids=(A, B, C),
    )


def reply(*steps: Step, **changes: Any) -> Reply:
    given: dict[str, Any] = {
        "text_response": "Done.",
        "image_url": A,
        "steps": steps,
        "images": ({"id": B, "handle": "img_2", "kind": "mask"},),
        "turn_id": "t",
        "conversation_id": "c",
        "prompt_id": "p",
        "status": TurnStatus.DONE,
        "planner": "offline",
        "notes": ("a note",),
    }
    return Reply(**{**given, **changes})


def image(image_id: str, kind: str) -> dict[str, str]:
    return {"id": image_id, "handle": "img_1", "kind": kind}


def test_result_fields_are_flat_and_the_later_step_counts() -> None:
    made = reply(
        step("detect_objects", success=True, message="one", prompt="cat", labels=["cat"], scores=None),
        step("inpaint_image"),
        step("detect_objects", success=True, prompt="dog"),
    )
    assert made.fields == {"prompt": "dog", "labels": ["cat"]}


def test_contract_fields_cannot_be_overwritten_by_a_tool() -> None:
    document = reply(step("odd", status="broken", text_response="mine", extra=1)).document()
    assert (document["status"], document["text_response"], document["extra"]) == ("done", "Done.", 1)


def test_document_has_exactly_the_fields_of_the_contract() -> None:
    document = reply(step("convert_to_bw", bw_image_url=B)).document()
    assert sorted(document) == [
        *("bw_image_url", "conversation_id", "image_url", "notes", "planner", "prompt_id"),
        *("status", "steps", "text_response", "turn_id"),
    ]
    assert sorted(document["steps"][0]) == [
        *("arguments", "cached", "details", "message", "models", "operation", "plugin", "result", "seconds"),
        *("status", "tool"),
    ]
    json.dumps(document)


def test_image_is_the_last_edit_else_the_last_image_made() -> None:
    images = (image(A, "edit"), image(B, "edit"), image(C, "annotated"))
    assert reply(images=images).image_id == B
    assert reply(images=images[2:]).image_id == C
    assert reply(images=()).image_id is None


def test_every_image_is_shown_wherever_it_stands_and_no_other_text_is() -> None:
    other = "d" * 64
    made = reply(
        step("convert_to_bw", original_image_url=A, mask_urls=[B], bw_image_url=C, digest=other),
        text_response=f"See {A}.",
    )
    document = made.document(lambda image_id: f"/images/{image_id[0]}")
    assert document["image_url"] == "/images/a"
    assert document["bw_image_url"] == "/images/c"
    assert document["mask_urls"] == ["/images/b"]
    assert document["steps"][0]["arguments"] == {"image_url": "/images/a"}
    assert document["steps"][0]["result"]["bw_image_url"] == "/images/c"
    assert document["digest"] == other
    assert document["text_response"] == f"See {A}."


def test_image_made_by_a_step_is_shown_in_a_field_of_any_name() -> None:
    document = reply(step("split", left=B)).document(lambda image_id: f"/images/{image_id[0]}")
    assert document["left"] == "/images/b"


def test_string_that_looks_like_an_id_is_not_an_image() -> None:
    made = reply(step("digest", mask_url="d" * 64))
    assert made.document(lambda image_id: f"/images/{image_id[0]}")["mask_url"] == "d" * 64


def test_image_ids_are_those_of_the_references_in_a_model() -> None:
    result = operations.SegmentResult(
        original_image_url=ImageRef(A), merged_mask_url=MaskRef(B), mask_urls=[MaskRef(C), MaskRef(B)]
    )
    assert image_ids(result) == [A, B, C, B]
    assert image_ids({"text": A, "box": (1.0, 2.0), "refs": (ImageRef(C),)}) == [C]
    assert image_ids(None) == []


def test_show_ids_changes_a_copy() -> None:
    node = {"a": [A, {"b": A}], "c": (A, 1, None)}
    assert show_ids(node, {A}, str.upper) == {"a": [A.upper(), {"b": A.upper()}], "c": [A.upper(), 1, None]}
    assert node["a"] == [A, {"b": A}]


def test_stored_reply_comes_back_as_it_was_through_json() -> None:
    made = reply(step("convert_to_bw", bw_image_url=B), step("inpaint_image"), status=TurnStatus.FAILED)
    assert Reply.from_stored(json.loads(json.dumps(made.stored()))) == made


def test_reply_that_was_stored_before_there_were_notes_is_read() -> None:
    stored = reply().stored()
    del stored["notes"]
    assert Reply.from_stored(stored).notes == ()
