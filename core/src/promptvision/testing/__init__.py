"""The public test kit for plugin authors: contexts, contracts, fakes and servers on the loopback interface.

Its fixtures are a pytest plugin (:mod:`promptvision.testing.fixtures`) that pytest loads automatically. Names
are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptvision import lazy_attributes

if TYPE_CHECKING:
    from promptvision.builtin.planner.reading import read_request as read_request
    from promptvision.builtin.samples import still_life as still_life
    from promptvision.builtin.samples import street_sign as street_sign
    from promptvision.builtin.sql.store import SQLConversationStore as SQLConversationStore
    from promptvision.cli.main import cli as cli
    from promptvision.llm.fallback import FallbackProvider as FallbackProvider
    from promptvision.plugins.registry import Registry as Registry
    from promptvision.runtime.cancellation import CancelToken as CancelToken
    from promptvision.runtime.context import CallContext as CallContext
    from promptvision.testing.agents import make_agent as make_agent
    from promptvision.testing.agents import make_registry as make_registry
    from promptvision.testing.boxes import BOXES as BOXES
    from promptvision.testing.boxes import NO_BOXES as NO_BOXES
    from promptvision.testing.boxes import BoxCase as BoxCase
    from promptvision.testing.context import make_context as make_context
    from promptvision.testing.context import make_worker as make_worker
    from promptvision.testing.context import run_tool as run_tool
    from promptvision.testing.conversation_store import ConversationStoreContract as ConversationStoreContract
    from promptvision.testing.edits import EDITS as EDITS
    from promptvision.testing.edits import EditCase as EditCase
    from promptvision.testing.edits import changed_shares as changed_shares
    from promptvision.testing.edits import edit_regions as edit_regions
    from promptvision.testing.edits import edit_scene as edit_scene
    from promptvision.testing.executor import ExecutorContract as ExecutorContract
    from promptvision.testing.executor import TrialBench as TrialBench
    from promptvision.testing.executor import trial_bench as trial_bench
    from promptvision.testing.executor_tools import TrialArgs as TrialArgs
    from promptvision.testing.executor_tools import install_trial_plugin as install_trial_plugin
    from promptvision.testing.image_store import ImageStoreContract as ImageStoreContract
    from promptvision.testing.image_store import hostile_keys as hostile_keys
    from promptvision.testing.image_store import new_image as new_image
    from promptvision.testing.llm_faults import FAULTS as FAULTS
    from promptvision.testing.llm_faults import KINDS as KINDS
    from promptvision.testing.llm_faults import Fault as Fault
    from promptvision.testing.llm_faults import Scripted as Scripted
    from promptvision.testing.llm_server import LLMServer as LLMServer
    from promptvision.testing.llm_server import call as call
    from promptvision.testing.masked_edits import MaskedEditContract as MaskedEditContract
    from promptvision.testing.masks import MASKS as MASKS
    from promptvision.testing.masks import MaskCase as MaskCase
    from promptvision.testing.masks import rectangles as rectangles
    from promptvision.testing.modules import load_module as load_module
    from promptvision.testing.needs import enter_or_skip as enter_or_skip
    from promptvision.testing.planner import ScriptedPlanner as ScriptedPlanner
    from promptvision.testing.postgres import PostgresServer as PostgresServer
    from promptvision.testing.postgres import postgres_server as postgres_server
    from promptvision.testing.program import Program as Program
    from promptvision.testing.program import write_plugin as write_plugin
    from promptvision.testing.provider_contract import ProviderContract as ProviderContract
    from promptvision.testing.server import ServerProcess as ServerProcess
    from promptvision.testing.shared_store import SharedStoreContract as SharedStoreContract
    from promptvision.testing.stopwatch import Stopwatch as Stopwatch
    from promptvision.testing.tool_contract import ToolContract as ToolContract
    from promptvision.testing.tools import make_tools as make_tools
    from promptvision.testing.turns import claim as claim
    from promptvision.testing.turns import image_event as image_event
    from promptvision.testing.turns import note as note

_MODULES = {
    "BOXES": "promptvision.testing.boxes",
    "BoxCase": "promptvision.testing.boxes",
    "CallContext": "promptvision.runtime.context",
    "CancelToken": "promptvision.runtime.cancellation",
    "ConversationStoreContract": "promptvision.testing.conversation_store",
    "EDITS": "promptvision.testing.edits",
    "EditCase": "promptvision.testing.edits",
    "ExecutorContract": "promptvision.testing.executor",
    "TrialArgs": "promptvision.testing.executor_tools",
    "install_trial_plugin": "promptvision.testing.executor_tools",
    "trial_bench": "promptvision.testing.executor",
    "FAULTS": "promptvision.testing.llm_faults",
    "FallbackProvider": "promptvision.llm.fallback",
    "Fault": "promptvision.testing.llm_faults",
    "ImageStoreContract": "promptvision.testing.image_store",
    "KINDS": "promptvision.testing.llm_faults",
    "LLMServer": "promptvision.testing.llm_server",
    "MASKS": "promptvision.testing.masks",
    "MaskCase": "promptvision.testing.masks",
    "MaskedEditContract": "promptvision.testing.masked_edits",
    "NO_BOXES": "promptvision.testing.boxes",
    "PostgresServer": "promptvision.testing.postgres",
    "Program": "promptvision.testing.program",
    "ProviderContract": "promptvision.testing.provider_contract",
    "Registry": "promptvision.plugins.registry",
    "SQLConversationStore": "promptvision.builtin.sql.store",
    "Scripted": "promptvision.testing.llm_faults",
    "ScriptedPlanner": "promptvision.testing.planner",
    "ServerProcess": "promptvision.testing.server",
    "SharedStoreContract": "promptvision.testing.shared_store",
    "TrialBench": "promptvision.testing.executor",
    "Stopwatch": "promptvision.testing.stopwatch",
    "ToolContract": "promptvision.testing.tool_contract",
    "call": "promptvision.testing.llm_server",
    "changed_shares": "promptvision.testing.edits",
    "claim": "promptvision.testing.turns",
    "cli": "promptvision.cli.main",
    "edit_regions": "promptvision.testing.edits",
    "edit_scene": "promptvision.testing.edits",
    "enter_or_skip": "promptvision.testing.needs",
    "hostile_keys": "promptvision.testing.image_store",
    "load_module": "promptvision.testing.modules",
    "make_agent": "promptvision.testing.agents",
    "make_context": "promptvision.testing.context",
    "make_registry": "promptvision.testing.agents",
    "make_tools": "promptvision.testing.tools",
    "make_worker": "promptvision.testing.context",
    "new_image": "promptvision.testing.image_store",
    "note": "promptvision.testing.turns",
    "image_event": "promptvision.testing.turns",
    "postgres_server": "promptvision.testing.postgres",
    "read_request": "promptvision.builtin.planner.reading",
    "rectangles": "promptvision.testing.masks",
    "run_tool": "promptvision.testing.context",
    "still_life": "promptvision.builtin.samples",
    "street_sign": "promptvision.builtin.samples",
    "write_plugin": "promptvision.testing.program",
}

__all__ = sorted(_MODULES)

__getattr__, __dir__ = lazy_attributes(__name__, _MODULES)
