"""Hook implementations of promptvision-cloudinary."""

PLUGIN_API = 1
