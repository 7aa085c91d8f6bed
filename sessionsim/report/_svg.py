"""From matplotlib's SVG to one that fits the page: colours that follow the theme, real text, no dates.

Figures are drawn in placeholder colours, one per role; here each becomes a CSS variable with the light
colour as its fallback, so an inlined figure follows the page and a file opened alone still looks right.
Identifiers get the figure's name in front, because several figures share one page.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib as mpl

mpl.use("svg", force=False)

# Role -> (placeholder drawn with, light colour, dark colour).
# Source: report guide (Okabe-Ito, each series at least 3:1 on its ground).
ROLES: Final = {
    "ink": ("#010101", "#1B1F24", "#E6E9ED"),
    "muted": ("#020202", "#5F6B76", "#9AA6B2"),
    "line": ("#030303", "#D5DAE0", "#323A43"),
    "paper": ("#fdfdfd", "#FFFFFF", "#14181D"),
    "s1": ("#010203", "#0072B2", "#56B4E9"),
    "s2": ("#020304", "#D55E00", "#E69F00"),
    "s3": ("#030405", "#009E73", "#009E73"),
    "s4": ("#040506", "#CC79A7", "#CC79A7"),
}
COLOUR: Final = {role: values[0] for role, values in ROLES.items()}
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sessionsim",
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "text.color": COLOUR["ink"],
    "axes.edgecolor": COLOUR["line"],
    "axes.labelcolor": COLOUR["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "grid.color": COLOUR["line"],
    "grid.linewidth": 0.8,
    "xtick.color": COLOUR["line"],
    "ytick.color": COLOUR["line"],
    "xtick.labelcolor": COLOUR["muted"],
    "ytick.labelcolor": COLOUR["muted"],
    "ytick.major.size": 0,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "hatch.color": COLOUR["paper"],
    "hatch.linewidth": 1.2,
    "figure.dpi": 72,
}
_REFERENCE: Final = re.compile(r"#([\w.-]+)")
_IN_PIXELS: Final = frozenset(("d", "x", "y", "transform", "points", "width", "height"))
_LONG: Final = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_BLANKS: Final = re.compile(r"\s+")
_SVG: Final = "http://www.w3.org/2000/svg"


def raw_svg(figure: Any) -> str:
    """Give the SVG of matplotlib for `finish`. Args: figure: drawn under `STYLE` in colours of `COLOUR`."""
    raw = io.StringIO()
    figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return raw.getvalue()


def finish(raw: str, name: str, title: str, description: str, *, inline: bool) -> str:
    """Turn what `raw_svg` gave into SVG text.

    Args:
        raw: the SVG of a figure; it is not changed, and may be finished once more for another place.
        name: put before every identifier; letters, digits and hyphens.
        title, description: for those who hear the page; plain text.
        inline: for a page (no namespace, no own style), or for a file.
    """
    root = ElementTree.fromstring(raw)  # noqa: S314 (made by matplotlib)
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
        for key in list(element.attrib):
            value = element.attrib.pop(key)
            element.attrib[key.rpartition("}")[2]] = _rewrite(key, value, name)
        _colours_to_style(element)
    for metadata in root.findall("metadata"):
        root.remove(metadata)
    _slim(root)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    _describe(root, name, title, description)
    if not inline:
        root.set("xmlns", _SVG)
        style = ElementTree.Element("style")
        style.text = _own_style()
        root.insert(2, style)
    text = ElementTree.tostring(root, encoding="unicode")
    return text if inline else f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _colours_to_style(element: ElementTree.Element) -> None:
    """Move placeholder colours out of plain attributes, where variables are not allowed (hatches)."""
    for key in ("fill", "stroke"):
        if element.get(key) in COLOUR.values():
            style = _rewrite("style", f"{key}: {element.attrib.pop(key)}", "")
            element.set("style", "; ".join(part for part in (element.get("style"), style) if part))


def _slim(root: ElementTree.Element) -> None:
    """Drop what no viewer needs: digits below a hundredth of a pixel, blanks, unused names."""
    named = {name for e in root.iter() for text in e.attrib.values() for name in _REFERENCE.findall(text)}
    for element in root.iter():
        for key in _IN_PIXELS & element.attrib.keys():
            element.set(key, _LONG.sub(_rounded, element.attrib[key]).strip())
        if "d" in element.attrib:
            element.set("d", _BLANKS.sub(" ", element.attrib["d"]))
        if element.get("id", "") not in named:
            element.attrib.pop("id", None)
        if element.text is not None and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None


def _rounded(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rewrite(key: str, value: str, name: str) -> str:
    """Rename identifiers, and put roles for placeholder colours."""
    if key == "id":
        return f"{name}-{value}"
    if value.startswith("#") and key.endswith("href"):
        return f"#{name}-{value[1:]}"
    value = re.sub(r"url\(#", f"url(#{name}-", value)
    if key == "style":
        for role, (placeholder, light, _) in ROLES.items():
            value = value.replace(placeholder, f"var(--{role}, {light})")
        value = re.sub(r"(font: [^;]*?px) [^;]*", rf"\1 {FONT}", value)
        value = re.sub(r"font-family: [^;]*", f"font-family: {FONT}", value)
    return value


def _describe(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(position, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")


def _own_style() -> str:
    light = "".join(f"--{role}:{values[1]};" for role, values in ROLES.items())
    dark = "".join(f"--{role}:{values[2]};" for role, values in ROLES.items())
    return f"svg{{{light}background:var(--paper)}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"
