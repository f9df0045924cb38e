"""Pillow blurs before it shrinks; `interpolate` and OpenCV do not

Most PyTorch classifiers were trained with Pillow's resize. The same bilinear resize of a tensor skips pixels when it
shrinks, and the first layer sees another image. Resize with Pillow, in Paddle `transforms.Resize` of a Pillow image, or
blur: `interpolate(antialias=True)` in PyTorch, `jax.image.resize` by default. Enlarging agrees. OpenCV was not run.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "accuracy-lower")
THREADS = ("https://github.com/pytorch/vision/issues/2950", "https://github.com/opencv/opencv/issues/25620")
SIZE = 8
TO = 4
HARMFUL = ({"TO": 5}, {"SIZE": 9, "TO": 3})
HARMLESS = ({"SIZE": 4, "TO": 8}, {"TO": 8})
X = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE)).astype(np.float32)
TERMS = 4 * SIZE  # the weights are computed from positions up to the size


def source():
    import torch
    from PIL import Image

    image = Image.fromarray(X).resize((TO, TO), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).numpy()


def naive_paddle():
    import paddle

    x = paddle.to_tensor(X[None, None])
    return paddle.nn.functional.interpolate(x, size=(TO, TO), mode="bilinear").numpy()[0, 0]


def right_paddle():
    from paddle.vision import transforms
    from PIL import Image

    return np.array(transforms.Resize((TO, TO))(Image.fromarray(X)))


def source_paddle():
    return right_paddle()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (TO, TO), "bilinear", antialias=False))


def right_jax():
    import jax

    return np.asarray(jax.image.resize(X, (TO, TO), "bilinear"))
