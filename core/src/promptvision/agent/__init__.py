"""The predict-execute-observe loop."""
