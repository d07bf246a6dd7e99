"""Cloudinary as the image store of promptvision."""
