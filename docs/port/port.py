"""The way through a port: `python port.py` here runs all steps; index.md and port.ipynb are made from this file."""

# %% [markdown]
# A small network is ported from PyTorch to PaddlePaddle and to Flax. Each step compares one thing more, so that a
# difference is found in the step that made it: the code, the weights, the data, the loss, the training, the metric. A
# step that is wrong raises. The networks are [net_torch.py](net_torch.py), [net_paddle.py](net_paddle.py) and
# [net_flax.py](net_flax.py). [port.py](port.py) and [port.ipynb](port.ipynb) are this page as a program and as a
# notebook. Run either in this folder, where convparity, the three frameworks and optax are installed.

# %%
import net_flax
import net_paddle
import net_torch
import numpy as np
import optax
import paddle
import torch
from flax import nnx
from flax.traverse_util import unflatten_dict

import convparity

SHAPE = (4, 3, 16, 12)  # n, c, h, w: two sides that differ show an exchange of height and width
CLASSES = 5
TOLERANCE = 1e-5  # of float32, which has 7 digits, after a few hundred operations

torch.manual_seed(0)
torch_net, paddle_net, flax_net = net_torch.Net(), net_paddle.Net(), net_flax.Net(nnx.Rngs(0))


def nchw(x):
    """Images of Flax in the order of the others."""
    return np.asarray(x).transpose(0, 3, 1, 2)


def agree(what, *values):
    """Prints the greatest difference from the first, relative to its greatest value; raises if it is too large."""
    first, *others = (np.asarray(value, np.float64) for value in values)
    error = max(np.abs(first - other).max() for other in others) / np.abs(first).max()
    print(f"{what}: differ by {error:.1e}")
    assert error < TOLERANCE, what


# %% [markdown]
# ## 1. Write the code
#
# Read the pages of your pair first: [PyTorch → PaddlePaddle](../pairs/torch-to-paddle.md) or
# [PyTorch → Flax](../pairs/torch-to-flax.md) has the rules, the defaults and the pitfalls. In a terminal,
# `convparity explain conv_bn_act --from torch --to flax` prints a block in both. Keep the order of the layers: it is
# how the weights are matched later. Here two rules matter: BatchNorm's `momentum` is 1 minus PyTorch's, and Flax pads
# by default.
#
# ## 2. The same function?
#
# Equal arrays, drawn at random, are put into both networks. Outputs in evaluation and in training, the gradients of all
# arrays, and the running statistics are compared in float64. No weights and no data are needed. As a command:
# `convparity compare net_torch.py:Net net_paddle.py:Net --input 4x3x16x12`.

# %%
convparity.assert_parity(torch_net, paddle_net, SHAPE)
convparity.assert_parity(torch_net, flax_net, SHAPE)

# %% [markdown]
# ## 3. If it is not
#
# The comparison names the first layer that differs, and why if it knows. Here the Flax network is made wrong: its
# epsilon is another. What you see leads to the pitfalls: `convparity explain --symptom layer-differs --from torch --to
# flax`, or the page [What you see](../pitfalls/symptoms.md).

# %%
wrong = net_flax.Net(nnx.Rngs(0))
wrong.norm.epsilon = 1e-3
comparison = convparity.compare(torch_net, wrong, SHAPE)
assert not comparison.agrees
print(comparison.divergence)

# %% [markdown]
# ## 4. Move the weights
#
# The layers are matched, the arrays are transposed, and both networks are run with them before you get anything. As a
# command, for files: `convparity port net.pt --from-module net_torch.py:Net --to-module net_paddle.py:Net -o
# net.pdparams`.

# %%
for_paddle = convparity.port_module(torch_net, paddle_net, SHAPE)
paddle_net.set_state_dict(for_paddle.state)

for_flax = convparity.port_module(torch_net, flax_net, SHAPE)
nnx.update(flax_net, unflatten_dict(for_flax.state, sep="."))
print(*for_flax.notes, sep="\n")

# %% [markdown]
# ## 5. The data
#
# One image, as bytes, goes through the three pipelines before any network runs. Red and blue, 0 to 1 or 0 to 255, and
# the library that resizes are the usual differences: [BGR](../pitfalls/preprocess_bgr.md),
# [scale](../pitfalls/preprocess_scale.md), [resize](../pitfalls/resize_library.md). Give all of them the same file from
# the disk, not an array that one of them has read.

# %%
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (10, 16, 12, 3), np.uint8)  # RGB; 10 is no multiple of the batch
LABELS = rng.integers(0, CLASSES, 10)
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


def torch_images(images):
    """Images as PyTorch's network takes them."""
    mean, std = (torch.from_numpy(value)[:, None, None] for value in (MEAN, STD))
    return (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std


def paddle_images(images):
    """Images as Paddle's network takes them."""
    transforms = paddle.vision.transforms
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN.tolist(), STD.tolist())])
    return paddle.stack([prepare(image) for image in images])


def flax_images(images):
    """Images as Flax's network takes them: NHWC."""
    return (images.astype(np.float32) / 255 - MEAN) / STD


agree("images", torch_images(IMAGES), paddle_images(IMAGES), nchw(flax_images(IMAGES)))

# %% [markdown]
# ## 6. The forward pass with the weights
#
# In evaluation, on the same images. `model.eval()` returns nothing in Flax: [a
# pitfall](../pitfalls/eval_returns_none.md). If this step differs and step 2 did not, a wrong array was loaded:
# `convparity.compare(torch_net, flax_net, SHAPE, as_is=True)` names it in its `.reasons`.


# %%
def outputs(images):
    """What the three networks say in evaluation."""
    for net in (torch_net, paddle_net, flax_net):
        net.eval()
    with torch.no_grad():
        first = torch_net(torch_images(images)).numpy()
    return first, paddle_net(paddle_images(images)).numpy(), np.asarray(flax_net(flax_images(images)))


agree("outputs", *outputs(IMAGES))

# %% [markdown]
# ## 7. The loss
#
# On the outputs of one network, so that nothing but the loss can differ. optax gives one value a sample and ignores no
# label; Paddle takes the last axis for the classes: [optax](../pitfalls/cross_entropy_optax.md),
# [the axis](../pitfalls/cross_entropy_axis.md), [ignored labels](../pitfalls/cross_entropy_ignored.md).


# %%
def torch_loss(logits, labels):
    """The mean over the samples, in PyTorch."""
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))


def paddle_loss(logits, labels):
    """The mean over the samples, in Paddle."""
    return paddle.nn.functional.cross_entropy(logits, paddle.to_tensor(labels))


def flax_loss(logits, labels):
    """The mean over the samples, with optax."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


logits = outputs(IMAGES)[0]
agree(
    "losses",
    torch_loss(torch.from_numpy(logits), LABELS),
    paddle_loss(paddle.to_tensor(logits), LABELS).numpy(),
    flax_loss(logits, LABELS),
)

# %% [markdown]
# ## 8. Two steps of the optimiser
#
# One step shows the gradients and the rate; the second shows the momentum and the decay. Compare the losses before,
# between and after. The decay of PyTorch's SGD is an L2 term that goes before the momentum, as Paddle's; in optax it is
# a [rule of its own, named first](../pitfalls/weight_decay_order.md). Use the same batches in the same order, no
# augmentation and no dropout.

# %%
RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-2
torch_rule = torch.optim.SGD(torch_net.parameters(), RATE, MOMENTUM, weight_decay=DECAY)
paddle_rule = paddle.optimizer.Momentum(RATE, MOMENTUM, parameters=paddle_net.parameters(), weight_decay=DECAY)
flax_rule = nnx.Optimizer(
    flax_net, optax.chain(optax.add_decayed_weights(DECAY), optax.sgd(RATE, MOMENTUM)), wrt=nnx.Param
)


def step(images, labels):
    """One step of each; their losses before it."""
    for net in (torch_net, paddle_net, flax_net):
        net.train()
    torch_rule.zero_grad()
    first = torch_loss(torch_net(torch_images(images)), labels)
    first.backward()
    torch_rule.step()
    second = paddle_loss(paddle_net(paddle_images(images)), labels)
    second.backward()
    paddle_rule.step()
    paddle_rule.clear_grad()
    x = flax_images(images)
    third, gradients = nnx.value_and_grad(lambda net: flax_loss(net(x), labels))(flax_net)
    flax_rule.update(flax_net, gradients)
    return first.item(), second.item(), float(third)


agree("losses of step 1", *step(IMAGES[:4], LABELS[:4]))
agree("losses of step 2", *step(IMAGES[4:8], LABELS[4:8]))
agree("losses after it", *step(IMAGES[:4], LABELS[:4]))

# %% [markdown]
# ## 9. A known difference
#
# Training agrees, and evaluation after it does not: PyTorch's running variance is unbiased, Flax's and that of Paddle
# on a CPU are biased. See [the pitfall](../pitfalls/batchnorm_running_variance.md). A batch's variances differ by
# n / (n - 1), n being the values of a channel in the batch; the value that the network began with is the same in all.

# %%
mean, variance = torch_net.norm.running_mean.numpy(), torch_net.norm.running_var.numpy()
agree("running means", mean, paddle_net.norm._mean.numpy(), flax_net.norm.mean[...])
agree("running variances of the two", paddle_net.norm._variance.numpy(), flax_net.norm.var[...])
assert np.abs(variance - flax_net.norm.var[...]).max() / variance.max() > TOLERANCE

n = 4 * 8 * 6  # batch, height and width of the map
remembered = (1 - 0.1) ** 3  # what is left of the variance that the network began with, 1, after three steps
scaled = (np.asarray(flax_net.norm.var[...]) - remembered) * n / (n - 1) + remembered
agree("running variances, scaled", variance, scaled)

# %% [markdown]
# ## 10. The metric
#
# Carry the trained weights over again, then count the right answers over all samples: the last batch is smaller, so
# that [the mean of the batches' accuracies](../pitfalls/metric_of_batches.md) is not the accuracy.

# %%
torch_net.eval()
paddle_net.set_state_dict(convparity.port_module(torch_net, paddle_net, SHAPE).state)
nnx.update(flax_net, unflatten_dict(convparity.port_module(torch_net, flax_net, SHAPE).state, sep="."))
batches = [slice(start, start + 4) for start in range(0, len(IMAGES), 4)]
accuracies = []
for chosen in zip(*(outputs(IMAGES[batch]) for batch in batches), strict=True):
    right = sum((logits.argmax(1) == LABELS[batch]).sum() for logits, batch in zip(chosen, batches, strict=True))
    accuracies.append(right / len(IMAGES))
agree("accuracies", *accuracies)

# %% [markdown]
# ## Then train
#
# If all of this agrees and the curves part later, what is left is chance and schedule: the order of the data, the
# augmentation, dropout, [schedules that count steps](../pitfalls/schedule_counts_steps.md), and the initial values:
# `convparity explain --symptom training-diverges --from torch --to paddle`. Compare several seeds.
#
# ## When another tool serves better
#
# - [PaConvert](https://github.com/PaddlePaddle/PaConvert) rewrites PyTorch's source code as Paddle's, many thousands of
#   lines at a time. Start with it if you have a whole repository, and compare what it wrote with the steps above.
# - [PaDiff](https://github.com/PaddlePaddle/PaDiff) compares a PyTorch and a Paddle model while they train: the results
#   between the layers, the weights after the optimiser's steps, and where the first difference is.
# - [Flax's bridge](https://flax.readthedocs.io/en/latest/guides/bridge_guide.html) uses a linen module in an nnx one,
#   and the other way round. Between these two nothing needs to be ported.
#
# They were not run for this page.
