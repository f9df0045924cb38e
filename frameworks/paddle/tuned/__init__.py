"""A layer in the fastest form that was found for Paddle, a file a device."""

from frameworks.paddle.tuned.cpu import predictor

__all__ = ["predictor"]
