"""Hook implementations of promptvision-eval: the command, its evaluators, and the weights of metrics."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import Command, Evaluator, ModelSpec, hookimpl
from promptvision_eval import layouts
from promptvision_eval.models import ALEXNET, CLIP, INCEPTION

__all__ = ["EVALUATORS", "PLUGIN_API", "promptvision_commands", "promptvision_evaluators"]

PLUGIN_API = 1

_IMAGES = {"images": "folder of the images, if it is not next to the annotations"}

EVALUATORS = (
    Evaluator(
        name="coco-detection",
        operation="detect_objects",
        summary="a folder with annotations/instances_*.json of COCO and its images: AP, AR",
        accepts=layouts.is_coco_instances,
        create="promptvision_eval.detection:CocoDetection",
        options={
            **_IMAGES,
            "prompts": "all for one call with all classes, which is the default; each for one call per class",
        },
    ),
    Evaluator(
        name="coco-segmentation",
        operation="segment_objects",
        summary="the layout of coco-detection: mIoU, boundary IoU and F, AP and boundary AP of masks",
        accepts=layouts.is_coco_instances,
        create="promptvision_eval.segmentation:CocoSegmentation",
        options={**_IMAGES, "boxes": "detections in the result format of COCO; default: boxes of the labels"},
    ),
    Evaluator(
        name="mask-pairs",
        operation="segment_objects",
        summary="folders images and masks, or NAME.jpg with NAME.png: mIoU, boundary IoU and F",
        accepts=layouts.is_mask_pairs,
        create="promptvision_eval.segmentation:MaskPairs",
        options={
            "images": "name of the folder of images in the data set; default: images, image or im",
            "masks": "name of the folder of masks; default: masks, mask or gt",
        },
    ),
    Evaluator(
        name="coco-captions",
        operation="caption_image",
        summary="captions_*.json of COCO or Karpathy's dataset_coco.json, and images: CIDEr, BLEU, SPICE",
        accepts=layouts.is_coco_captions,
        create="promptvision_eval.captions:CocoCaptions",
        options={**_IMAGES, "split": "part of dataset_coco.json; default: test"},
    ),
    Evaluator(
        name="icdar",
        operation="extract_text",
        summary="images with gt_NAME.txt of ICDAR 2013 or 2015: detection and end-to-end H-mean",
        accepts=layouts.is_icdar,
        create="promptvision_eval.icdar:IcdarWords",
    ),
    Evaluator(
        name="text-pairs",
        operation="extract_text",
        summary="NAME.png with NAME.txt: character and word accuracy, CER, WER",
        accepts=layouts.is_image_text_pairs,
        create="promptvision_eval.texts:TextPairs",
    ),
    Evaluator(
        name="edit-list",
        operation="inpaint_image",
        summary="list.jsonl with image, mask, prompt, reference: FID, CLIP score, LPIPS, PSNR and SSIM",
        accepts=layouts.is_edit_list,
        create="promptvision_eval.edits:EditList",
        options={"reference": "folder of real images for FID; default: those of the list"},
    ),
    Evaluator(
        name="generation-list",
        operation="generate_image",
        summary="list.jsonl with prompt: FID and CLIP score",
        accepts=layouts.is_edit_list,
        create="promptvision_eval.edits:GenerationList",
        options={"reference": "folder of real images for FID; default: those of the list"},
    ),
    Evaluator(
        name="sentences",
        operation="planner",
        summary="a text file with SENTENCE => OPERATION argument=value: chain and slot accuracy",
        accepts=layouts.is_sentences,
        create="promptvision_eval.sentences:LabelledSentences",
    ),
)


@hookimpl
def promptvision_commands() -> list[Command]:
    """``promptvision eval``."""
    return [
        Command("eval", "Score tools or planners on labelled data.", "promptvision_eval.command:evaluate")
    ]


@hookimpl
def promptvision_evaluators() -> Iterable[Evaluator]:
    """The layouts and metrics of the standard operations."""
    return EVALUATORS


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """Networks that metrics use."""
    return [INCEPTION, CLIP, ALEXNET]
