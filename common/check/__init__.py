"""The one judgement of whether a framework's block is what its spec says."""
