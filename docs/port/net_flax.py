"""The port to Flax: images are NHWC, the padding is written, and BatchNorm's `momentum` is 0.9 instead of 0.99."""

import jax
from flax import nnx


class Net(nnx.Module):
    """Images (n, h, w, 3) to ``classes`` numbers each."""

    def __init__(self, rngs: nnx.Rngs, classes: int = 5) -> None:
        self.stem = nnx.Conv(3, 8, (3, 3), strides=2, padding=1, use_bias=False, rngs=rngs)
        self.stem_norm = nnx.BatchNorm(8, momentum=0.9, rngs=rngs)
        self.depthwise = nnx.Conv(8, 8, (3, 3), padding=1, feature_group_count=8, use_bias=False, rngs=rngs)
        self.pointwise = nnx.Conv(8, 12, (1, 1), use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(12, momentum=0.9, rngs=rngs)
        self.head = nnx.Linear(12, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.relu(self.stem_norm(self.stem(x)))
        x = nnx.relu(self.norm(self.pointwise(self.depthwise(x))))
        return self.head(x.mean((1, 2)))
