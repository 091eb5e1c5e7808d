"""PyTorch and torchvision: both layouts, oneDNN, inference mode forward; all gradients backward; training steps."""
import torch
import torchvision
from torch import nn
from torch.nn.functional import conv2d, cross_entropy, max_pool2d, relu
from torchvision.ops import deform_conv2d

from operands import make_operands
from worker import Contender

MEMORY_STEPS = 20  # as many as apps/bench/memory.cpp takes, ten of them to warm up
LAYOUTS = {"torch_contiguous": torch.contiguous_format, "torch_channels_last": torch.channels_last}


class Peer:
    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)

    def versions(self):
        return {"torch": torch.__version__, "torchvision": torchvision.__version__}

    def contenders(self, case):
        if case["op"] == "train_step_e0":
            return [Contender(case, who, Step(case["model"], case["n"], layout)) for who, layout in LAYOUTS.items()]
        if case["op"] == "conv2d":
            return [operation(case, who, layout) for who, layout in LAYOUTS.items()]
        return [operation(case, "torchvision", torch.contiguous_format)]

    def peak_memory(self, model, n, who):
        """MiB by which steps make the process grow at most, after a step on one image: as `bench memory` counts."""
        Step(model, 1, LAYOUTS[who])()
        before = status_kib("VmRSS")
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak starts again
        step = Step(model, n, LAYOUTS[who])
        for _ in range(MEMORY_STEPS):
            step()
        return (status_kib("VmHWM") - before) / 1024


def operation(case, who, layout):
    arrays = make_operands(case).all()
    tensors = [torch.from_numpy(array) for array in arrays]
    tensors[:2] = [tensor.contiguous(memory_format=layout) for tensor in tensors[:2]]
    x, weight, bias, *offset_and_mask = tensors

    def output():
        if not offset_and_mask:
            return conv2d(x, weight, bias, padding=1)
        offset, mask = (offset_and_mask + [None])[:2]
        return deform_conv2d(x, offset, weight, bias, padding=1, mask=mask)

    def forward():
        with torch.inference_mode():
            return output()

    if case["pass"] == "forward":
        return Contender(case, who, forward, lambda: forward().contiguous().numpy())
    for tensor in tensors:
        tensor.requires_grad_()
    gradient = torch.randn_like(forward())
    return Contender(case, who, lambda: torch.autograd.grad(output(), tensors, gradient))


class DeformConv(nn.Module):
    """The deformable layer of experiment E0: offsets clamped to a quarter of the image, masks between 0 and 2."""

    def __init__(self, channels, modulated):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.offset_conv = nn.Conv2d(channels, 18, 3, padding=1)
        self.mask_conv = nn.Conv2d(channels, 9, 3, padding=1) if modulated else None
        for conv in [self.offset_conv, self.mask_conv] if modulated else [self.offset_conv]:
            nn.init.zeros_(conv.weight)
            nn.init.zeros_(conv.bias)

    def forward(self, x):
        limit = max(x.shape[2:]) / 4
        mask = 2 * torch.sigmoid(self.mask_conv(x)) if self.mask_conv else None
        return deform_conv2d(x, self.offset_conv(x).clamp(-limit, limit), self.conv.weight, self.conv.bias, padding=1,
                             mask=mask)


class Net(nn.Module):
    def __init__(self, model):
        super().__init__()

        def last():
            return nn.Conv2d(32, 32, 3, padding=1) if model == "regular" else DeformConv(32, model == "deform-v2")

        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(c, 32, 3, padding=1) for c in (1, 32, 32))
        self.conv4, self.conv5 = last(), last()
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = max_pool2d(relu(self.conv1(x)), 2)
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = relu(self.conv5(relu(self.conv4(relu(self.conv3(x))))))
        return self.fc(x.mean((2, 3)))


class Step:
    """One training step: forward, loss, backward, Adam."""

    def __init__(self, model, n, layout):
        self.net = Net(model).to(memory_format=layout)
        self.optimizer = torch.optim.Adam(self.net.parameters(), fused=True)
        self.images = torch.randn(n, 1, 28, 28).contiguous(memory_format=layout)
        self.labels = torch.randint(10, (n,))

    def __call__(self):
        self.optimizer.zero_grad()
        cross_entropy(self.net(self.images), self.labels).backward()
        self.optimizer.step()


def status_kib(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))
