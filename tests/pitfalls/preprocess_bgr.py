"""OpenCV's images are BGR, and most pretrained weights expect RGB

`cv2.imread` and Paddle's "cv2" image backend give blue first; Pillow, torchvision and most JAX pipelines give red
first. The shapes agree, the network runs, and the accuracy is a few points lower. Reverse the last axis before you
normalise: mean and std have an order too. The image below stands for what `cv2.imread` returned.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("accuracy-lower", "layer-differs")
THREADS = (
    "https://github.com/tensorpack/tensorpack/issues/176",
    "https://github.com/qubvel/classification_models/issues/4",
)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
BGR = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
RGB = np.ascontiguousarray(BGR[:, :, ::-1])  # what Pillow gives
TERMS = 4


def source():
    import torch

    x = torch.from_numpy(RGB).permute(2, 0, 1) / 255
    return ((x - torch.from_numpy(MEAN)[:, None, None]) / torch.from_numpy(STD)[:, None, None]).numpy()


def source_paddle():
    return prepared(RGB)


def prepared(image):
    from paddle.vision import transforms

    return transforms.Normalize(MEAN.tolist(), STD.tolist())(transforms.ToTensor()(image)).numpy()


def naive_paddle():
    return prepared(BGR)


def right_paddle():
    return prepared(np.ascontiguousarray(BGR[:, :, ::-1]))


def naive_jax():
    import jax.numpy as jnp

    return np.asarray((jnp.asarray(BGR) / 255 - MEAN) / STD).transpose(2, 0, 1)


def right_jax():
    import jax.numpy as jnp

    return np.asarray((jnp.asarray(BGR)[:, :, ::-1] / 255 - MEAN) / STD).transpose(2, 0, 1)
