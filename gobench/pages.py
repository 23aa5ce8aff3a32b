"""Self-contained HTML pages: one template, its style and its script, and a policy that lets a browser load nothing else.

Names and facts come from files that anybody may have made: templates escape all of them.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gobench.types import Array

if TYPE_CHECKING:
    from jinja2 import Template


def render(package: str, *, script: bool = False, style: str = "", **values: Any) -> str:
    """The page of ``page.html``, ``page.css`` and, with ``script``, ``page.js`` in a package.

    The template is given ``policy``, ``style`` (the package's own, then the one given), ``script`` and ``values``; one
    that is missing is an error.
    """
    own = _read(package, "page.css")
    texts = {"style": own + style, "script": _read(package, "page.js") if script else ""}
    policy = f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {_hash(texts['style'])}"
    if script:
        policy += f"; media-src blob: data:; script-src {_hash(texts['script'])}"
    return _template(package).render(policy=policy, **texts, **values)


def fragment(package: str, **values: Any) -> tuple[str, str]:
    """(markup, style) of ``part.html`` and ``part.css`` in a package, to stand in the page of another one."""
    return _template(package, "part.html").render(**values), _read(package, "part.css")


def embedded_picture(frame: Array) -> str:
    """A frame uint8 [H, W, 3] as base64 of a PNG."""
    from gobench.codec.pictures import encode

    return base64.b64encode(encode(frame)).decode("ascii")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


@cache
def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")


@cache
def _template(package: str, name: str = "page.html") -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_read(package, name))
