"""The parser of the built-in planner: phrases, spelling, languages, and its own answers."""
