"""How the built-in planner reads a request: phrases, spelling, languages, and what it answers itself."""
