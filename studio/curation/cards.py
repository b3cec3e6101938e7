"""Model cards as a page shows them.  A card comes from anywhere: its text is hostile until it is rendered here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

MOST = 100_000
"""Characters that are read."""
BELOW = 2
"""The page has a title and the card a heading above its own: its first level is the third of the page."""

_HEAD = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
"""The YAML with which a hub's card begins."""


class _Renderer(RendererHTML):
    """Links lead out of the house and carry nothing along; what may be wide can be reached by keyboard."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("rel", "nofollow noopener noreferrer")
        return self.renderToken(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self._lowered(tokens, idx, options, env)

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self._lowered(tokens, idx, options, env)

    def _lowered(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].tag = f"h{min(int(tokens[idx].tag[1]) + BELOW, 6)}"
        return self.renderToken(tokens, idx, options, env)

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Cards begin tables without heads by empty ones, which would be read out as such."""
        tokens[idx].tag = "th" if tokens[idx + 1].content else "td"
        return self.renderToken(tokens, idx, options, env)

    def th_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].tag = "th" if tokens[idx - 1].content else "td"
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        return '<div class="wide" role="group" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        return "</table></div>\n"


_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}, renderer_cls=_Renderer)
_markdown.enable("table").disable("image")
_markdown.validateLink = lambda url: url.lower().startswith(("https://", "http://"))  # type: ignore[method-assign]


def rendered(card: str) -> SafeString:
    """The card's Markdown as HTML: its own HTML is shown as text, its pictures are links, only web addresses are links.

    What is longer than :data:`MOST` is cut.
    """
    text = _HEAD.sub("", card[:MOST].replace("\r\n", "\n"), count=1)
    html: str = _markdown.render(text)
    return mark_safe(html)  # noqa: S308  (all HTML of the card is escaped, its addresses are checked)
