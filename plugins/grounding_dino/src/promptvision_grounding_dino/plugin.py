"""Hook implementations of promptvision-grounding-dino."""

PLUGIN_API = 1
