"""One turn: the planning loop, its session, the handle a caller holds, and the reply while it streams."""
