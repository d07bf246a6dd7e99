"""The planner's input (system prompt, history window, observations) and the choice of the planner."""
