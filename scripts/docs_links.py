"""Check that every link and image of the built site leads to a page, and every fragment to an element."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SITE = Path(__file__).resolve().parent.parent / "build" / "site"


class Page(HTMLParser):
    """Links and ids of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the id and the links of one element."""
        values = dict(attrs)
        if name := values.get("id") or values.get("name"):
            self.ids.add(name)
        for key in ("href", "src"):
            if (link := values.get(key)) is not None:
                self.links.append(link)


def main() -> int:
    """Return 1 if a link is broken."""
    pages = {path: Page(path) for path in SITE.rglob("*.html")}
    broken = [
        f"{path.relative_to(SITE)}: {link}"
        for path, page in pages.items()
        if path.name != "404.html"  # its links start at the root of the host
        for link in page.links
        if not leads_somewhere(path, link, pages)
    ]
    for line in broken:
        print(f"broken link: {line}")
    print(f"{len(pages)} pages, {len(broken)} broken links", file=sys.stderr)
    return 1 if broken or not pages else 0


def leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link of the page at ``path`` leads to another site, or to an existing target."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return False
    fragment = unquote(parts.fragment)
    return not fragment or fragment.startswith("__") or target not in pages or fragment in pages[target].ids


if __name__ == "__main__":
    sys.exit(main())
