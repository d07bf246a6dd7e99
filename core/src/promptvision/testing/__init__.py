"""What plugin authors need to test their plugins, and what our own tests use."""
