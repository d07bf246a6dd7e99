"""One instruction on many images: plan once, run a few turns in parallel, and keep finished results."""
