"""Mirror images with promptvision."""
