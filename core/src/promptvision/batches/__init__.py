"""One instruction on many images: plan once, run a few turns at a time, and keep what is done."""
