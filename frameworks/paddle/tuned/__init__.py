"""A layer in the fastest form that was found for Paddle, a file a device."""

from .cpu import predictor

__all__ = ["FORMS", "predictor"]

# By device, as Paddle names it: what makes the inference of a layer for inputs of one shape.
FORMS = {"cpu": predictor}
