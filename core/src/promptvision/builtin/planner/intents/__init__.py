"""Intent classification and slot tagging: what a clause asks for where no declared phrase matches."""
