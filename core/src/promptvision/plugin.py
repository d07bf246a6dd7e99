"""The public API for plugin authors: ``from promptvision.plugin import tool, Tool, operations, ...``.

A plugin imports only from here and from :mod:`promptvision` (in its tests also :mod:`promptvision.testing`);
everything else is internal and may change. Names are imported on first use.

Tools
    ``tool``, ``Tool``, ``Batch``, ``Operation``, ``Phrase``, ``Lexicon``, ``Args``, ``Result``,
    ``ToolContext``, ``operations`` and their argument and result models (``DetectArgs``,
    ``SegmentResult``, ...), ``ImageRef``, ``MaskRef``, ``Box``, ``Point``, ``Target``, ``ImageText``;
    ``ImageKind`` and the kinds ``INPUT``, ``EDIT``, ``ANNOTATED``, ``MASK``.
Requirements and models
    ``Requirements``, ``Gpu``, ``ModelSpec``, ``WeightFile``, ``Placement``, ``best_device``,
    ``choose_dtype``; for models of transformers ``load_pretrained`` and ``PretrainedModel``; for pipelines
    of several stages ``StagedRunner``, ``StagePlan``, ``PlacementChoice``, ``OutOfMemory``, ``private_view``,
    ``modules_of`` and ``stream``.
Hooks
    ``hookimpl``, ``ProviderFactory``, ``StoreFactory``, ``ExecutorFactory``, ``Section``, ``Command``,
    ``Observer``, ``Middleware`` with ``TurnInfo``, ``TurnEnd`` and ``StepInfo``, ``Check``, ``Finding``,
    ``PLUGIN_API``;
    for evaluators ``Evaluator``, ``Evaluation``, ``EvalSetup``, ``EvalCase``, ``EvalOutput``,
    ``EvalExample``, ``Scores``, ``Metric``, ``mean_metric`` and ``ratio_metric``;
    for instruments ``Instrument``, ``InstrumentFactory``, ``Activity`` and its kinds: ``TurnActivity``,
    ``PlannerActivity``, ``StepActivity``, ``ToolRunActivity``, ``ModelLoadActivity``, ``StoreActivity``,
    ``RequestActivity``.
Errors
    ``ToolFailed``, ``ArgumentsError``, ``Refused``, ``StopTurn``, ``Cancelled``, ``SetupError``,
    ``ProviderError``, ``StoreError`` and their bases.
Backends
    for an LLM host ``ChatHost``, ``HostSettings`` and the message types; for a store ``ImageStore``,
    ``ObjectImageStore``, ``ConversationStore``, ``MemoryConversationStore`` and the types of a turn; for an
    executor ``Executor``, ``Worker``, ``Call``, ``CallOutput``, their forms as data ``CallData`` and
    ``OutputData``, ``Failure``, ``CancelToken``, ``Progress``, ``WorkerLost`` and ``DeviceLost``; for its
    worker processes ``WorkerStart``, ``LogSender``, ``answer_call``, ``failure_message``, ``pass_on`` and
    ``read_answer``;
    ``StepQueue``, and ``ThreadExecutor`` for tools that exist in this process only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptvision import RENAMED, lazy_attributes

if TYPE_CHECKING:
    from PIL.Image import Image as Image

    from promptvision import PLUGIN_API as PLUGIN_API
    from promptvision.agent.planning.prompt import image_note as image_note
    from promptvision.agent.planning.prompt import system_prompt as system_prompt
    from promptvision.agent.request import LOCAL_USER as LOCAL_USER
    from promptvision.agent.turns.activity import PlannerActivity as PlannerActivity
    from promptvision.agent.turns.activity import TurnActivity as TurnActivity
    from promptvision.builtin.memory import MemoryConversationStore as MemoryConversationStore
    from promptvision.builtin.threads import ThreadExecutor as ThreadExecutor
    from promptvision.builtin.worker_messages import LogSender as LogSender
    from promptvision.builtin.worker_messages import WorkerStart as WorkerStart
    from promptvision.builtin.worker_messages import answer_call as answer_call
    from promptvision.builtin.worker_messages import failure_message as failure_message
    from promptvision.builtin.worker_messages import pass_on as pass_on
    from promptvision.builtin.worker_messages import read_answer as read_answer
    from promptvision.cli.batch_progress import BatchProgress as BatchProgress
    from promptvision.cli.doctor import diagnose as diagnose
    from promptvision.cli.report import html_head as html_head
    from promptvision.conversations.store import ConversationStore as ConversationStore
    from promptvision.conversations.store import clean_text as clean_text
    from promptvision.conversations.store import conversation_columns as conversation_columns
    from promptvision.conversations.store import restore_conflict as restore_conflict
    from promptvision.conversations.store import title_of as title_of
    from promptvision.conversations.store import turn_columns as turn_columns
    from promptvision.conversations.turn import Claim as Claim
    from promptvision.conversations.turn import Conversation as Conversation
    from promptvision.conversations.turn import Event as Event
    from promptvision.conversations.turn import EventKind as EventKind
    from promptvision.conversations.turn import ImageRecord as ImageRecord
    from promptvision.conversations.turn import Turn as Turn
    from promptvision.conversations.turn import TurnKey as TurnKey
    from promptvision.conversations.turn import TurnStatus as TurnStatus
    from promptvision.errors import ArgumentsError as ArgumentsError
    from promptvision.errors import Busy as Busy
    from promptvision.errors import CallError as CallError
    from promptvision.errors import Cancelled as Cancelled
    from promptvision.errors import Conflict as Conflict
    from promptvision.errors import DeviceLost as DeviceLost
    from promptvision.errors import Forbidden as Forbidden
    from promptvision.errors import InputError as InputError
    from promptvision.errors import LeaseLost as LeaseLost
    from promptvision.errors import NotFound as NotFound
    from promptvision.errors import NotSupported as NotSupported
    from promptvision.errors import PromptvisionError as PromptvisionError
    from promptvision.errors import ProviderError as ProviderError
    from promptvision.errors import ProviderErrorKind as ProviderErrorKind
    from promptvision.errors import Refused as Refused
    from promptvision.errors import SetupError as SetupError
    from promptvision.errors import StopTurn as StopTurn
    from promptvision.errors import StoreError as StoreError
    from promptvision.errors import TooLarge as TooLarge
    from promptvision.errors import ToolFailed as ToolFailed
    from promptvision.errors import UserError as UserError
    from promptvision.errors import WorkerLost as WorkerLost
    from promptvision.images.aspect import pad_aspect as pad_aspect
    from promptvision.images.codec import decode_stored as decode_stored
    from promptvision.images.codec import normalise as normalise
    from promptvision.images.colour import flat_rgb as flat_rgb
    from promptvision.images.crops import CELL as CELL
    from promptvision.images.crops import Crop as Crop
    from promptvision.images.crops import make_crop as make_crop
    from promptvision.images.handles import ImageKind as ImageKind
    from promptvision.images.handles import ImageTable as ImageTable
    from promptvision.images.masks import EditMask as EditMask
    from promptvision.images.masks import read_mask as read_mask
    from promptvision.images.objects import ObjectImageStore as ObjectImageStore
    from promptvision.images.objects import ObjectName as ObjectName
    from promptvision.images.paste import paste_inside as paste_inside
    from promptvision.images.store import MAX_STORED_BYTES as MAX_STORED_BYTES
    from promptvision.images.store import ImageStore as ImageStore
    from promptvision.images.store import StoredImage as StoredImage
    from promptvision.images.store import image_id_of as image_id_of
    from promptvision.images.windows import Window as Window
    from promptvision.images.windows import choose_window as choose_window
    from promptvision.images.windows import split_mask as split_mask
    from promptvision.instruments import Activity as Activity
    from promptvision.instruments import Instrument as Instrument
    from promptvision.instruments import StoreActivity as StoreActivity
    from promptvision.llm.budget import fit_request as fit_request
    from promptvision.llm.chat_host import CONNECT_TIMEOUT_S as CONNECT_TIMEOUT_S
    from promptvision.llm.chat_host import ChatHost as ChatHost
    from promptvision.llm.chat_host import HostSettings as HostSettings
    from promptvision.llm.chat_host import base_url as base_url
    from promptvision.llm.chat_host import read_number as read_number
    from promptvision.llm.dialects import Dialect as Dialect
    from promptvision.llm.dialects import allow_types as allow_types
    from promptvision.llm.dialects import plain as plain
    from promptvision.llm.dialects import strict as strict
    from promptvision.llm.failures import HostErrors as HostErrors
    from promptvision.llm.messages import ChatDelta as ChatDelta
    from promptvision.llm.messages import ChatReply as ChatReply
    from promptvision.llm.messages import ChatRequest as ChatRequest
    from promptvision.llm.messages import Function as Function
    from promptvision.llm.messages import Message as Message
    from promptvision.llm.messages import ToolCall as ToolCall
    from promptvision.llm.messages import Usage as Usage
    from promptvision.llm.planner import CallOutcome as CallOutcome
    from promptvision.llm.planner import ListingPlanner as ListingPlanner
    from promptvision.llm.planner import Planner as Planner
    from promptvision.llm.planner import PlannerFunction as PlannerFunction
    from promptvision.llm.planner import PlanRequest as PlanRequest
    from promptvision.llm.planner import PreparingPlanner as PreparingPlanner
    from promptvision.llm.planner import ProbingPlanner as ProbingPlanner
    from promptvision.llm.planner import StreamingPlanner as StreamingPlanner
    from promptvision.llm.provider import LLMProvider as LLMProvider
    from promptvision.llm.retry import Retry as Retry
    from promptvision.models.copies import modules_of as modules_of
    from promptvision.models.copies import private_view as private_view
    from promptvision.models.devices import best_device as best_device
    from promptvision.models.devices import choose_dtype as choose_dtype
    from promptvision.models.devices import release_cached as release_cached
    from promptvision.models.devices import usable_bytes as usable_bytes
    from promptvision.models.loading import ModelLoadActivity as ModelLoadActivity
    from promptvision.models.loading import require_all_weights as require_all_weights
    from promptvision.models.offload import stream as stream
    from promptvision.models.placement import DoesNotFit as DoesNotFit
    from promptvision.models.placement import Placement as Placement
    from promptvision.models.placement import Stage as Stage
    from promptvision.models.placement import choose as choose
    from promptvision.models.placement import is_out_of_memory as is_out_of_memory
    from promptvision.models.placement import peak_prior as peak_prior
    from promptvision.models.placements import PlacementChoice as PlacementChoice
    from promptvision.models.placements import StagePlan as StagePlan
    from promptvision.models.pool import ModelPool as ModelPool
    from promptvision.models.pretrained import PretrainedModel as PretrainedModel
    from promptvision.models.pretrained import load_pretrained as load_pretrained
    from promptvision.models.pull import pull as pull
    from promptvision.models.spec import ModelSpec as ModelSpec
    from promptvision.models.spec import Tier as Tier
    from promptvision.models.spec import WeightFile as WeightFile
    from promptvision.models.spec import alternatives as alternatives
    from promptvision.models.weights import missing_weights as missing_weights
    from promptvision.models.weights import pull_bytes as pull_bytes
    from promptvision.models.weights import require as require
    from promptvision.needs import NeedsSetup as NeedsSetup
    from promptvision.plugins.commands import Command as Command
    from promptvision.plugins.evaluators import EvalCase as EvalCase
    from promptvision.plugins.evaluators import EvalExample as EvalExample
    from promptvision.plugins.evaluators import EvalOutput as EvalOutput
    from promptvision.plugins.evaluators import EvalSetup as EvalSetup
    from promptvision.plugins.evaluators import Evaluation as Evaluation
    from promptvision.plugins.evaluators import Evaluator as Evaluator
    from promptvision.plugins.evaluators import Metric as Metric
    from promptvision.plugins.evaluators import Scores as Scores
    from promptvision.plugins.evaluators import mean_metric as mean_metric
    from promptvision.plugins.evaluators import ratio_metric as ratio_metric
    from promptvision.plugins.middleware import Middleware as Middleware
    from promptvision.plugins.middleware import StepInfo as StepInfo
    from promptvision.plugins.middleware import TurnEnd as TurnEnd
    from promptvision.plugins.middleware import TurnInfo as TurnInfo
    from promptvision.plugins.specs import Check as Check
    from promptvision.plugins.specs import ExecutorFactory as ExecutorFactory
    from promptvision.plugins.specs import Finding as Finding
    from promptvision.plugins.specs import InstrumentFactory as InstrumentFactory
    from promptvision.plugins.specs import Observer as Observer
    from promptvision.plugins.specs import ProviderFactory as ProviderFactory
    from promptvision.plugins.specs import StoreFactory as StoreFactory
    from promptvision.plugins.specs import hookimpl as hookimpl
    from promptvision.response_limits import IDENTITY as IDENTITY
    from promptvision.response_limits import limit_response as limit_response
    from promptvision.runtime.activity import StepActivity as StepActivity
    from promptvision.runtime.activity import ToolRunActivity as ToolRunActivity
    from promptvision.runtime.call import Call as Call
    from promptvision.runtime.call import CallData as CallData
    from promptvision.runtime.call import CallOutput as CallOutput
    from promptvision.runtime.call import OutputData as OutputData
    from promptvision.runtime.cancellation import CancelToken as CancelToken
    from promptvision.runtime.context import Progress as Progress
    from promptvision.runtime.executor import Executor as Executor
    from promptvision.runtime.failure import Failure as Failure
    from promptvision.runtime.queue import StepQueue as StepQueue
    from promptvision.runtime.worker import Worker as Worker
    from promptvision.runtime.worker import took_too_long as took_too_long
    from promptvision.server.app import create_app as create_app
    from promptvision.server.identity import user_of as user_of
    from promptvision.server.instrumented import RequestActivity as RequestActivity
    from promptvision.server.process import run_server as run_server
    from promptvision.server.response_limit import hold_response as hold_response
    from promptvision.settings import Section as Section
    from promptvision.settings import Settings as Settings
    from promptvision.settings import load_settings as load_settings
    from promptvision.store_retry import retry_store_call as retry_store_call
    from promptvision.tools import operations as operations
    from promptvision.tools.artifacts import MissingArgument as MissingArgument
    from promptvision.tools.artifacts import image_fields as image_fields
    from promptvision.tools.artifacts import link_types as link_types
    from promptvision.tools.batch import Batch as Batch
    from promptvision.tools.choices import Candidate as Candidate
    from promptvision.tools.choices import Choice as Choice
    from promptvision.tools.choices import measure_lightness as measure_lightness
    from promptvision.tools.choices import phrases_to_find as phrases_to_find
    from promptvision.tools.choices import select_candidates as select_candidates
    from promptvision.tools.context import ANNOTATED as ANNOTATED
    from promptvision.tools.context import EDIT as EDIT
    from promptvision.tools.context import INPUT as INPUT
    from promptvision.tools.context import MASK as MASK
    from promptvision.tools.context import ToolContext as ToolContext
    from promptvision.tools.decorator import ToolFunction as ToolFunction
    from promptvision.tools.decorator import ToolLike as ToolLike
    from promptvision.tools.decorator import tool as tool
    from promptvision.tools.detections import Detection as Detection
    from promptvision.tools.detections import detect_by_words as detect_by_words
    from promptvision.tools.detections import detection_result as detection_result
    from promptvision.tools.drawing import draw_boxes as draw_boxes
    from promptvision.tools.drawing import draw_mask_overlay as draw_mask_overlay
    from promptvision.tools.labels import split_labels as split_labels
    from promptvision.tools.operations import AskArgs as AskArgs
    from promptvision.tools.operations import AskResult as AskResult
    from promptvision.tools.operations import BwResult as BwResult
    from promptvision.tools.operations import CaptionArgs as CaptionArgs
    from promptvision.tools.operations import CaptionResult as CaptionResult
    from promptvision.tools.operations import DetectArgs as DetectArgs
    from promptvision.tools.operations import DetectResult as DetectResult
    from promptvision.tools.operations import EditArgs as EditArgs
    from promptvision.tools.operations import EditResult as EditResult
    from promptvision.tools.operations import ExtractTextArgs as ExtractTextArgs
    from promptvision.tools.operations import ExtractTextResult as ExtractTextResult
    from promptvision.tools.operations import GenerateArgs as GenerateArgs
    from promptvision.tools.operations import GenerateResult as GenerateResult
    from promptvision.tools.operations import ImageArgs as ImageArgs
    from promptvision.tools.operations import ImageResult as ImageResult
    from promptvision.tools.operations import InpaintArgs as InpaintArgs
    from promptvision.tools.operations import InpaintResult as InpaintResult
    from promptvision.tools.operations import PointSegmentArgs as PointSegmentArgs
    from promptvision.tools.operations import SegmentArgs as SegmentArgs
    from promptvision.tools.operations import SegmentResult as SegmentResult
    from promptvision.tools.operations import Word as Word
    from promptvision.tools.requirements import Gpu as Gpu
    from promptvision.tools.requirements import Missing as Missing
    from promptvision.tools.requirements import Requirements as Requirements
    from promptvision.tools.requirements import missing_requirements as missing_requirements
    from promptvision.tools.schema import function_parameters as function_parameters
    from promptvision.tools.stages import OutOfMemory as OutOfMemory
    from promptvision.tools.stages import StagedRunner as StagedRunner
    from promptvision.tools.target_grammar import Relation as Relation
    from promptvision.tools.target_grammar import Shade as Shade
    from promptvision.tools.target_grammar import Side as Side
    from promptvision.tools.targets import TargetPhrase as TargetPhrase
    from promptvision.tools.targets import is_colour_word as is_colour_word
    from promptvision.tools.targets import is_complement as is_complement
    from promptvision.tools.targets import read_target as read_target
    from promptvision.tools.targets import read_targets as read_targets
    from promptvision.tools.targets import singular as singular
    from promptvision.tools.text_layout import Piece as Piece
    from promptvision.tools.text_layout import reading_order as reading_order
    from promptvision.tools.tool import Args as Args
    from promptvision.tools.tool import Lexicon as Lexicon
    from promptvision.tools.tool import Operation as Operation
    from promptvision.tools.tool import Phrase as Phrase
    from promptvision.tools.tool import Result as Result
    from promptvision.tools.tool import Tool as Tool
    from promptvision.types import Box as Box
    from promptvision.types import ImageRef as ImageRef
    from promptvision.types import ImageText as ImageText
    from promptvision.types import MaskRef as MaskRef
    from promptvision.types import Point as Point
    from promptvision.types import Target as Target
    from promptvision.types import is_image_id as is_image_id

    PictureText = ImageText

_MODULES = {
    "BatchProgress": "promptvision.cli.batch_progress",
    "EvalCase": "promptvision.plugins.evaluators",
    "EvalExample": "promptvision.plugins.evaluators",
    "EvalOutput": "promptvision.plugins.evaluators",
    "EvalSetup": "promptvision.plugins.evaluators",
    "Evaluation": "promptvision.plugins.evaluators",
    "Evaluator": "promptvision.plugins.evaluators",
    "Metric": "promptvision.plugins.evaluators",
    "Scores": "promptvision.plugins.evaluators",
    "mean_metric": "promptvision.plugins.evaluators",
    "ratio_metric": "promptvision.plugins.evaluators",
    "image_note": "promptvision.agent.planning.prompt",
    "system_prompt": "promptvision.agent.planning.prompt",
    "RequestActivity": "promptvision.server.instrumented",
    "ModelLoadActivity": "promptvision.models.loading",
    "ToolRunActivity": "promptvision.runtime.activity",
    "StepActivity": "promptvision.runtime.activity",
    "PlannerActivity": "promptvision.agent.turns.activity",
    "TurnActivity": "promptvision.agent.turns.activity",
    "InstrumentFactory": "promptvision.plugins.specs",
    "StoreActivity": "promptvision.instruments",
    "Instrument": "promptvision.instruments",
    "Activity": "promptvision.instruments",
    "LogSender": "promptvision.builtin.worker_messages",
    "WorkerStart": "promptvision.builtin.worker_messages",
    "answer_call": "promptvision.builtin.worker_messages",
    "failure_message": "promptvision.builtin.worker_messages",
    "pass_on": "promptvision.builtin.worker_messages",
    "read_answer": "promptvision.builtin.worker_messages",
    "ThreadExecutor": "promptvision.builtin.threads",
    "took_too_long": "promptvision.runtime.worker",
    "StepQueue": "promptvision.runtime.queue",
    "ANNOTATED": "promptvision.tools.context",
    "Args": "promptvision.tools.tool",
    "ArgumentsError": "promptvision.errors",
    "AskArgs": "promptvision.tools.operations",
    "AskResult": "promptvision.tools.operations",
    "Box": "promptvision.types",
    "Busy": "promptvision.errors",
    "BwResult": "promptvision.tools.operations",
    "CELL": "promptvision.images.crops",
    "CONNECT_TIMEOUT_S": "promptvision.llm.chat_host",
    "Call": "promptvision.runtime.call",
    "CallData": "promptvision.runtime.call",
    "CallError": "promptvision.errors",
    "CallOutcome": "promptvision.llm.planner",
    "CallOutput": "promptvision.runtime.call",
    "CancelToken": "promptvision.runtime.cancellation",
    "Cancelled": "promptvision.errors",
    "Candidate": "promptvision.tools.choices",
    "CaptionArgs": "promptvision.tools.operations",
    "CaptionResult": "promptvision.tools.operations",
    "ChatDelta": "promptvision.llm.messages",
    "ChatHost": "promptvision.llm.chat_host",
    "ChatReply": "promptvision.llm.messages",
    "ChatRequest": "promptvision.llm.messages",
    "Check": "promptvision.plugins.specs",
    "Choice": "promptvision.tools.choices",
    "Claim": "promptvision.conversations.turn",
    "Command": "promptvision.plugins.commands",
    "Conflict": "promptvision.errors",
    "Conversation": "promptvision.conversations.turn",
    "ConversationStore": "promptvision.conversations.store",
    "Detection": "promptvision.tools.detections",
    "Executor": "promptvision.runtime.executor",
    "Failure": "promptvision.runtime.failure",
    "OutputData": "promptvision.runtime.call",
    "PretrainedModel": "promptvision.models.pretrained",
    "Progress": "promptvision.runtime.context",
    "Worker": "promptvision.runtime.worker",
    "DeviceLost": "promptvision.errors",
    "WorkerLost": "promptvision.errors",
    "detect_by_words": "promptvision.tools.detections",
    "detection_result": "promptvision.tools.detections",
    "Crop": "promptvision.images.crops",
    "DetectArgs": "promptvision.tools.operations",
    "DetectResult": "promptvision.tools.operations",
    "Dialect": "promptvision.llm.dialects",
    "DoesNotFit": "promptvision.models.placement",
    "EDIT": "promptvision.tools.context",
    "EditArgs": "promptvision.tools.operations",
    "EditMask": "promptvision.images.masks",
    "EditResult": "promptvision.tools.operations",
    "Event": "promptvision.conversations.turn",
    "EventKind": "promptvision.conversations.turn",
    "ExecutorFactory": "promptvision.plugins.specs",
    "ExtractTextArgs": "promptvision.tools.operations",
    "ExtractTextResult": "promptvision.tools.operations",
    "Finding": "promptvision.plugins.specs",
    "Forbidden": "promptvision.errors",
    "Function": "promptvision.llm.messages",
    "GenerateArgs": "promptvision.tools.operations",
    "GenerateResult": "promptvision.tools.operations",
    "Gpu": "promptvision.tools.requirements",
    "HostErrors": "promptvision.llm.failures",
    "HostSettings": "promptvision.llm.chat_host",
    "IDENTITY": "promptvision.response_limits",
    "INPUT": "promptvision.tools.context",
    "Image": "PIL.Image",
    "ImageArgs": "promptvision.tools.operations",
    "ImageKind": "promptvision.images.handles",
    "ImageRecord": "promptvision.conversations.turn",
    "ImageRef": "promptvision.types",
    "ImageResult": "promptvision.tools.operations",
    "ImageStore": "promptvision.images.store",
    "ImageTable": "promptvision.images.handles",
    "ImageText": "promptvision.types",
    "InpaintArgs": "promptvision.tools.operations",
    "InpaintResult": "promptvision.tools.operations",
    "InputError": "promptvision.errors",
    "ListingPlanner": "promptvision.llm.planner",
    "LLMProvider": "promptvision.llm.provider",
    "LeaseLost": "promptvision.errors",
    "LOCAL_USER": "promptvision.agent.request",
    "MASK": "promptvision.tools.context",
    "MAX_STORED_BYTES": "promptvision.images.store",
    "MaskRef": "promptvision.types",
    "Lexicon": "promptvision.tools.tool",
    "MemoryConversationStore": "promptvision.builtin.memory",
    "Message": "promptvision.llm.messages",
    "Missing": "promptvision.tools.requirements",
    "Middleware": "promptvision.plugins.middleware",
    "MissingArgument": "promptvision.tools.artifacts",
    "ModelPool": "promptvision.models.pool",
    "ModelSpec": "promptvision.models.spec",
    "NeedsSetup": "promptvision.needs",
    "NotFound": "promptvision.errors",
    "NotSupported": "promptvision.errors",
    "Observer": "promptvision.plugins.specs",
    "ObjectImageStore": "promptvision.images.objects",
    "ObjectName": "promptvision.images.objects",
    "Operation": "promptvision.tools.tool",
    "PLUGIN_API": "promptvision",
    "Phrase": "promptvision.tools.tool",
    "Piece": "promptvision.tools.text_layout",
    "PlanRequest": "promptvision.llm.planner",
    "Planner": "promptvision.llm.planner",
    "PlannerFunction": "promptvision.llm.planner",
    "OutOfMemory": "promptvision.tools.stages",
    "Placement": "promptvision.models.placement",
    "PlacementChoice": "promptvision.models.placements",
    "StagePlan": "promptvision.models.placements",
    "StagedRunner": "promptvision.tools.stages",
    "Point": "promptvision.types",
    "PointSegmentArgs": "promptvision.tools.operations",
    "PromptvisionError": "promptvision.errors",
    "PreparingPlanner": "promptvision.llm.planner",
    "ProbingPlanner": "promptvision.llm.planner",
    "ProviderError": "promptvision.errors",
    "ProviderErrorKind": "promptvision.errors",
    "ProviderFactory": "promptvision.plugins.specs",
    "Refused": "promptvision.errors",
    "Relation": "promptvision.tools.target_grammar",
    "Requirements": "promptvision.tools.requirements",
    "Result": "promptvision.tools.tool",
    "Retry": "promptvision.llm.retry",
    "Section": "promptvision.settings",
    "SegmentArgs": "promptvision.tools.operations",
    "SegmentResult": "promptvision.tools.operations",
    "Settings": "promptvision.settings",
    "SetupError": "promptvision.errors",
    "Shade": "promptvision.tools.target_grammar",
    "Side": "promptvision.tools.target_grammar",
    "Stage": "promptvision.models.placement",
    "StepInfo": "promptvision.plugins.middleware",
    "StopTurn": "promptvision.errors",
    "StoreError": "promptvision.errors",
    "StoreFactory": "promptvision.plugins.specs",
    "StoredImage": "promptvision.images.store",
    "StreamingPlanner": "promptvision.llm.planner",
    "Target": "promptvision.types",
    "TargetPhrase": "promptvision.tools.targets",
    "TooLarge": "promptvision.errors",
    "Tier": "promptvision.models.spec",
    "Tool": "promptvision.tools.tool",
    "ToolCall": "promptvision.llm.messages",
    "Batch": "promptvision.tools.batch",
    "ToolContext": "promptvision.tools.context",
    "ToolFailed": "promptvision.errors",
    "ToolFunction": "promptvision.tools.decorator",
    "ToolLike": "promptvision.tools.decorator",
    "Turn": "promptvision.conversations.turn",
    "TurnEnd": "promptvision.plugins.middleware",
    "TurnInfo": "promptvision.plugins.middleware",
    "TurnKey": "promptvision.conversations.turn",
    "TurnStatus": "promptvision.conversations.turn",
    "Usage": "promptvision.llm.messages",
    "UserError": "promptvision.errors",
    "Window": "promptvision.images.windows",
    "WeightFile": "promptvision.models.spec",
    "Word": "promptvision.tools.operations",
    "allow_types": "promptvision.llm.dialects",
    "base_url": "promptvision.llm.chat_host",
    "alternatives": "promptvision.models.spec",
    "best_device": "promptvision.models.devices",
    "choose": "promptvision.models.placement",
    "choose_dtype": "promptvision.models.devices",
    "choose_window": "promptvision.images.windows",
    "clean_text": "promptvision.conversations.store",
    "conversation_columns": "promptvision.conversations.store",
    "decode_stored": "promptvision.images.codec",
    "diagnose": "promptvision.cli.doctor",
    "draw_boxes": "promptvision.tools.drawing",
    "draw_mask_overlay": "promptvision.tools.drawing",
    "fit_request": "promptvision.llm.budget",
    "flat_rgb": "promptvision.images.colour",
    "function_parameters": "promptvision.tools.schema",
    "html_head": "promptvision.cli.report",
    "hold_response": "promptvision.server.response_limit",
    "hookimpl": "promptvision.plugins.specs",
    "image_fields": "promptvision.tools.artifacts",
    "image_id_of": "promptvision.images.store",
    "is_colour_word": "promptvision.tools.targets",
    "is_complement": "promptvision.tools.targets",
    "is_image_id": "promptvision.types",
    "is_out_of_memory": "promptvision.models.placement",
    "limit_response": "promptvision.response_limits",
    "link_types": "promptvision.tools.artifacts",
    "load_pretrained": "promptvision.models.pretrained",
    "load_settings": "promptvision.settings",
    "make_crop": "promptvision.images.crops",
    "measure_lightness": "promptvision.tools.choices",
    "missing_requirements": "promptvision.tools.requirements",
    "missing_weights": "promptvision.models.weights",
    "modules_of": "promptvision.models.copies",
    "normalise": "promptvision.images.codec",
    "operations": "promptvision.tools",
    "pad_aspect": "promptvision.images.aspect",
    "paste_inside": "promptvision.images.paste",
    "peak_prior": "promptvision.models.placement",
    "phrases_to_find": "promptvision.tools.choices",
    "plain": "promptvision.llm.dialects",
    "private_view": "promptvision.models.copies",
    "read_mask": "promptvision.images.masks",
    "pull": "promptvision.models.pull",
    "pull_bytes": "promptvision.models.weights",
    "read_number": "promptvision.llm.chat_host",
    "read_target": "promptvision.tools.targets",
    "read_targets": "promptvision.tools.targets",
    "reading_order": "promptvision.tools.text_layout",
    "release_cached": "promptvision.models.devices",
    "require": "promptvision.models.weights",
    "require_all_weights": "promptvision.models.loading",
    "restore_conflict": "promptvision.conversations.store",
    "retry_store_call": "promptvision.store_retry",
    "create_app": "promptvision.server.app",
    "run_server": "promptvision.server.process",
    "select_candidates": "promptvision.tools.choices",
    "singular": "promptvision.tools.targets",
    "split_labels": "promptvision.tools.labels",
    "split_mask": "promptvision.images.windows",
    "stream": "promptvision.models.offload",
    "strict": "promptvision.llm.dialects",
    "title_of": "promptvision.conversations.store",
    "tool": "promptvision.tools.decorator",
    "turn_columns": "promptvision.conversations.store",
    "usable_bytes": "promptvision.models.devices",
    "user_of": "promptvision.server.identity",
}

__all__ = sorted(_MODULES)

__getattr__, __dir__ = lazy_attributes(__name__, _MODULES, RENAMED)
