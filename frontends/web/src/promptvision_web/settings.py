"""Settings of the web page."""

from __future__ import annotations

from pydantic import Field

from promptvision.plugin import Section

__all__ = ["WebSettings"]


class WebSettings(Section):
    """Settings of promptvision-web."""

    web_admins: str = Field(
        "",
        description="Users, separated by commas, whose API keys may download models and run the checks.",
    )

    @property
    def admins(self) -> set[str]:
        """Names of the users."""
        return {name.strip() for name in self.web_admins.split(",") if name.strip()}
