"""Pictures: safe decoding, safe fetching, stores, handles and lineage."""
