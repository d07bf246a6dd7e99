"""What the planner is given: system prompt, history window, observations, and which planner it is."""
