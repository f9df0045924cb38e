"""Mistakes put into a backend on purpose, to see that the check catches each of them."""
