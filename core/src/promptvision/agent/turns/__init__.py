"""One turn: the planning loop, its session, the caller's handle and the streaming reply."""
