"""Run one tool call: context, result cache, leases, cancellation and recovery."""
