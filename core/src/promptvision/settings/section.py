"""Settings sections of plugins, declared as pydantic models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from promptvision.errors import SetupError

__all__ = ["PREFIX", "Section"]

PREFIX = "PROMPTVISION_"


class Section(BaseModel):
    """Base of the settings sections that plugins declare with the hook ``promptvision_settings``.

    A field's alias is its variable, such as ``GROQ_API_KEY``; without an alias, field ``sdxl_pixels`` is
    the variable ``PROMPTVISION_SDXL_PIXELS``. Give each field a description, and type secrets as
    :class:`pydantic.SecretStr`. Read a section with ``settings.section(MySection)``.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)  # input may be a key

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Variable name to field name."""
        return {field.alias or PREFIX + name.upper(): name for name, field in cls.model_fields.items()}

    @classmethod
    def read(cls, source: Mapping[str, Any]) -> Self:
        """Validate the variables of this section; empty ones count as unset.

        Raises:
            SetupError: a variable is missing or has a wrong value.
        """
        variables = cls.variables()
        given = {
            (cls.model_fields[field].alias or field): source[name]
            for name, field in variables.items()
            if source.get(name) not in (None, "")
        }
        try:
            return cls.model_validate(given)
        except ValidationError as exc:
            raise setup_error(exc, {field: name for name, field in variables.items()}) from exc


def setup_error(error: ValidationError, variables: Mapping[str, str]) -> SetupError:
    """Convert one validation error to a SetupError that names the variable.

    Args:
        error: a validation error of a settings model.
        variables: field name to variable name; an alias is its own variable.
    """
    fault = error.errors(include_url=False, include_input=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else ""
    name = variables.get(field, field)
    return SetupError(f"settings: {name}: {fault['msg']}", hint=f"correct {name}")
