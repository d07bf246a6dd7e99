"""A turn as AG-UI events: encoding, replay and following it live."""
