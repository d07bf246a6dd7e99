"""promptvision as an MCP server."""
