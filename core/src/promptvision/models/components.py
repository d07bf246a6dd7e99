"""Which models are the same weights, so that they are loaded once however many specs name them."""

from __future__ import annotations

import hashlib
import json

from promptvision.models.spec import ModelSpec
from promptvision.models.weights import effective_spec, local_override
from promptvision.settings import Settings

__all__ = ["component_of"]


def component_of(spec: ModelSpec, settings: Settings) -> str:
    """The name of a model's weights; models with the same name share one loaded object for each dtype.

    Specs with the same ``share_key`` are the same component. Without one, specs are the same if source,
    revision, files, digests and loader are equal, and at least one file has a digest. A model whose weights a
    setting replaces is only the same as models that are replaced by the same weights.

    Args:
        spec: the model.
        settings: name the weights that replace those of the spec.

    Raises:
        SetupError: the setting that replaces the weights cannot be used.
    """
    if (own := local_override(spec, settings)) is not None:
        return _digest(spec.share_key or spec.load, str(own.resolve()))
    wanted = effective_spec(spec, settings)
    if spec.share_key and wanted is spec:
        return _digest(spec.share_key)
    if not spec.share_key and not any(file.sha256 for file in wanted.files):
        return spec.id
    files = sorted((file.path, file.sha256 or "", file.url or "") for file in wanted.files)
    return _digest(spec.share_key or spec.load, wanted.source, wanted.revision, files)


def _digest(*parts: object) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
