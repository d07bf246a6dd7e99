"""Images: safe decoding, safe fetching, stores, handles and lineage."""
