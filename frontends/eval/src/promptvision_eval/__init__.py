"""``promptvision eval``: score installed tools on labelled data."""
