"""Errors after which a process can no longer use its GPU."""

from __future__ import annotations

from promptvision.models.placement import causes, is_out_of_memory

__all__ = ["is_device_lost"]

_TEXTS = (
    "illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "misaligned address",
    "illegal instruction",
    "invalid program counter",
    "hardware stack error",
    "operation not supported on global/shared address space",
    "launch timed out and was terminated",
    "uncorrectable ECC error",
    "uncorrectable NVLink error",
    "CUBLAS_STATUS_INTERNAL_ERROR",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "CUBLAS_STATUS_MAPPING_ERROR",
    "CUDNN_STATUS_INTERNAL_ERROR",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "CUDNN_STATUS_MAPPING_ERROR",
)
"""Parts of messages, compared without case. The reference of the CUDA Runtime API says of each of these
errors that the process must be terminated and launched again. HIP uses the same words. cuBLAS and cuDNN
report such an error of an earlier kernel as their own."""


def is_device_lost(error: BaseException) -> bool:
    """Whether an error or one of its causes has made the GPU unusable for this process.

    Knows ``torch.AcceleratorError`` and ``RuntimeError`` with the messages of CUDA, HIP, cuBLAS and cuDNN.
    Running out of memory is not such an error.
    """
    return not is_out_of_memory(error) and any(_says_device_lost(link) for link in causes(error))


def _says_device_lost(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(part.lower() in text for part in _TEXTS)
