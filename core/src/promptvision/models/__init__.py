"""Model weights: what they are, where they lie, and the pool that keeps them loaded."""
