"""The living gallery: a static site of a registry's agents, and the documentation.

Pages are made from manifests, from what `kerasmeta analyse` found, and from `docs/`.
On the pages of some families the published agent runs in the visitor's browser.
"""

from kerasmeta.gallery.site import Built, build

__all__ = ["Built", "build"]
