"""The optimisers in Paddle, and what they lack: momentum in float64 throughout."""

from collections.abc import Sequence

import paddle

from common.oracle.optimisers import SGD, Optimiser


class ExactMomentum:
    """``paddle.optimizer.Momentum`` with L2 weight decay, of elementary operations.

    The stock optimiser's kernel rounds the momentum and the weight decay (not the learning rate) to float32. A float64
    step is then off by some 1e-8. ``paddle.optimizer.Adam`` rounds none of its numbers.
    """

    def __init__(
        self, learning_rate: float, momentum: float, parameters: Sequence[paddle.Tensor], weight_decay: float
    ) -> None:
        self._lr, self._momentum, self._decay = learning_rate, momentum, weight_decay
        self._params = [param for param in parameters if not param.stop_gradient]
        self._velocities = [paddle.zeros_like(param) for param in self._params]

    @paddle.no_grad()
    def step(self) -> None:
        for i, param in enumerate(self._params):
            if param.grad is not None:
                self._velocities[i] = self._momentum * self._velocities[i] + param.grad + self._decay * param
                param.set_value(param - self._lr * self._velocities[i])


def native(
    optimiser: Optimiser, params: list[paddle.Tensor], exact: bool
) -> ExactMomentum | paddle.optimizer.Optimizer:
    """Paddle's optimiser of ``params``; ``exact`` is for float64 steps that must be right to float64.

    Porting notes: SGD with momentum is ``Momentum``; ``SGD`` has none. A number as ``weight_decay`` is an L2 term.
    """
    if isinstance(optimiser, SGD):
        momentum = ExactMomentum if exact else paddle.optimizer.Momentum
        return momentum(optimiser.lr, optimiser.momentum, params, weight_decay=optimiser.weight_decay)
    return paddle.optimizer.Adam(optimiser.lr, optimiser.beta1, optimiser.beta2, optimiser.eps, parameters=params)
