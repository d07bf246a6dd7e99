"""The built page and its files."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import NotModifiedResponse

from promptvision.plugin import NotFound

__all__ = ["asset", "index"]

STATIC = Path(__file__).parent / "static"
CSP = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NOT_BUILT = """<!doctype html>
<title>promptvision</title>
<p>The page is not built. In a checkout run <code>scripts/install</code>;
a released wheel of promptvision-web holds it.</p>"""


async def index(request: Request) -> Response:
    """Serve the page; never cached, since it names the current assets."""
    if not request.url.path.endswith("/"):  # mounted without a slash, relative URLs would miss the prefix
        return RedirectResponse(str(request.url.replace(path=f"{request.url.path}/")), 307)
    file = STATIC / "index.html"
    if not file.is_file():
        return HTMLResponse(_NOT_BUILT, 503, _HEADERS)
    return _send(request, file, "no-cache")


async def asset(request: Request) -> Response:
    """Serve a file of the build. Names of assets hold a hash of their content, so they never change.

    Raises:
        NotFound: there is no such file.
    """
    name = request.path_params.get("name", "icon.svg")
    parts = request.url.path.rstrip("/").split("/")
    folder = parts[-2] if parts[-2] in ("assets", "samples") and "name" in request.path_params else ""
    path = STATIC / folder / name
    if "/" in name or name.startswith(".") or not path.is_file():
        raise NotFound("no such file")
    lifetime = "public, max-age=31536000, immutable" if folder == "assets" else "public, max-age=3600"
    return _send(request, path, lifetime)


def _send(request: Request, path: Path, lifetime: str) -> Response:
    """A file, or 304 if the client has it."""
    headers = {**_HEADERS, "Cache-Control": lifetime}
    response = FileResponse(path, headers=headers, stat_result=path.stat())
    known = request.headers.get("if-none-match", "").split(",")
    if response.headers["etag"] in (tag.strip().removeprefix("W/") for tag in known):
        return NotModifiedResponse(response.headers)
    return response
