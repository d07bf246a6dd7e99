"""Hook implementations of promptvision-sdxl-inpaint."""

PLUGIN_API = 1
