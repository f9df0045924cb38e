"""Worker processes and the machine that they run on; nothing in them knows of blocks."""
