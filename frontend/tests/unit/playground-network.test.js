// The playground's network and optimizers, against PyTorch and against finite differences.
//
// The numbers of PyTorch are those of
//
//     x = torch.tensor([[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]], dtype=torch.float64)
//     y = torch.tensor([0, 2, 1])
//     for act in [torch.nn.ReLU, torch.nn.SiLU, torch.nn.Sigmoid, torch.nn.Tanh]:
//         for make in [lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
//                      lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)]:
//             net = torch.nn.Sequential(torch.nn.Linear(2, 3), act(), torch.nn.Linear(3, 3)).double()
//             with torch.no_grad():
//                 for p in net.parameters():
//                     p.copy_(torch.cos(torch.arange(p.numel(), dtype=torch.float64) + p.numel()).reshape(p.shape))
//             optimizer, losses = make(net.parameters()), []
//             for _ in range(3):
//                 optimizer.zero_grad()
//                 loss = torch.nn.functional.cross_entropy(net(x), y)
//                 loss.backward()
//                 if not losses: gradient = net[0].weight.grad.flatten().tolist()
//                 losses.append(loss.item())
//                 optimizer.step()
//             print(losses, gradient, net[0].weight.flatten().tolist(), net[2].bias.tolist())

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVATIONS } from "../../playground/activations.js";
import {
  backward,
  createNetwork,
  createWorkspace,
  crossEntropy,
  forward,
  parameters,
} from "../../playground/network.js";
import { createState, update } from "../../playground/optimizer.js";

/** @import { ActivationName } from "../../playground/activations.js" */
/** @import { OptimizerSettings } from "../../playground/optimizer.js" */

const SAMPLES = {
  values: Float64Array.of(0.5, -1, 1.5, 0.25, -0.75, 2),
  labels: Uint8Array.of(0, 2, 1),
  count: 3,
};
/** @type {OptimizerSettings} */
const SGD = { optimizer: "sgd", lr: 0.1, momentum: 0.9, decay: 0.01 };
/** @type {OptimizerSettings} */
const ADAMW = { ...SGD, optimizer: "adamw" };

/** @type {{ activation: ActivationName, settings: OptimizerSettings, losses: number[], gradient: number[], weight: number[], bias: number[] }[]} */
const PYTORCH = [
  {
    activation: "relu",
    settings: SGD,
    losses: [1.3102044223, 1.2660597874, 1.1899056651],
    gradient: [0.3647848316, 0.0607974719, 0.0767611066, -0.1535222132, 0.0594174225, -0.15844646],
    weight: [0.7657274177, 0.7181663271, -0.1855148553, -0.8243624367, -0.8697320545, 0.0987040644],
    bias: [-0.8854094963, -0.6564215552, 0.1894800467],
  },
  {
    activation: "relu",
    settings: ADAMW,
    losses: [1.3102044223, 1.0980156487, 0.9377325303],
    gradient: [0.3647848316, 0.0607974719, 0.0767611066, -0.1535222132, 0.0594174225, -0.15844646],
    weight: [0.6759871537, 0.4703373539, -0.3635985499, -0.6898650053, -1.1358281403, 0.3036837709],
    bias: [-0.691191535, -0.7307117882, -0.0150194411],
  },
  {
    activation: "silu",
    settings: SGD,
    losses: [1.2933188332, 1.2459575679, 1.153068246],
    gradient: [0.2848783354, -0.3312077693, -0.0021009332, 0.0519050058, 0.0577295917, -0.1449443305],
    weight: [0.7940411609, 0.9481697675, -0.1437509511, -0.9334401493, -0.8691976715, 0.0913721332],
    bias: [-0.8986925426, -0.5832143116, 0.1295558494],
  },
  {
    activation: "silu",
    settings: ADAMW,
    losses: [1.2933188332, 1.0380520328, 0.8109371386],
    gradient: [0.2848783354, -0.3312077693, -0.0021009332, 0.0519050058, 0.0577295917, -0.1449443305],
    weight: [0.6600676964, 1.0502198954, -0.0082657571, -1.2021293565, -1.134819907, 0.3027740403],
    bias: [-0.6876939582, -0.4035211027, -0.0073558259],
  },
  {
    activation: "sigmoid",
    settings: SGD,
    losses: [1.3920484599, 1.3609453734, 1.3061016835],
    gradient: [0.1914491509, -0.1814136948, 0.1663809614, -0.1123749099, 0.0358553723, -0.0184173243],
    weight: [0.8497382072, 0.8502494611, -0.2346993541, -0.8441879589, -0.8540872758, 0.0140573158],
    bias: [-0.8589121587, -0.771954556, 0.2785157099],
  },
  {
    activation: "sigmoid",
    settings: ADAMW,
    losses: [1.3920484599, 1.2141684749, 1.0858423484],
    gradient: [0.1914491509, -0.1814136948, 0.1663809614, -0.1123749099, 0.0358553723, -0.0184173243],
    weight: [0.6620741814, 1.0488750067, -0.4403964427, -0.610951952, -1.1290783796, 0.1574552062],
    bias: [-0.6932037516, -0.942650077, 0.0160811798],
  },
  {
    activation: "tanh",
    settings: SGD,
    losses: [1.646496389, 1.4399895889, 1.1129308305],
    gradient: [0.4456327279, -1.0174924432, 0.0704150094, -0.0585207953, 0.0284781046, -0.0412219297],
    weight: [0.7218549623, 1.2776187622, -0.1834890404, -0.8744570074, -0.8520310936, 0.0288155753],
    bias: [-0.9084186822, -0.5181069719, 0.0741746493],
  },
  {
    activation: "tanh",
    settings: ADAMW,
    losses: [1.646496389, 1.2054196913, 0.8575102268],
    gradient: [0.4456327279, -1.0174924432, 0.0704150094, -0.0585207953, 0.0284781046, -0.0412219297],
    weight: [0.6637166498, 1.045694845, -0.4366343239, -0.6098062813, -1.1357066957, 0.2758424598],
    bias: [-0.6907710329, -0.3544730922, -0.014156741],
  },
];

/** @param {ArrayLike<number>} found @param {ArrayLike<number>} expected @param {number} tolerance */
function near(found, expected, tolerance) {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i += 1)
    assert.ok(Math.abs(found[i] - expected[i]) <= tolerance, `${i}: ${found[i]}, not ${expected[i]}`);
}

/** @param {ActivationName} activation */
function fixedNetwork(activation) {
  const network = createNetwork({ hidden: [3], activation, classes: 3, seed: 0 });
  for (const [values] of parameters(network))
    for (let i = 0; i < values.length; i += 1) values[i] = Math.cos(i + values.length);
  return network;
}

for (const { activation, settings, losses, gradient, weight, bias } of PYTORCH) {
  test(`three steps of ${settings.optimizer} with ${activation} are PyTorch's`, () => {
    const network = fixedNetwork(activation);
    const workspace = createWorkspace(network, SAMPLES.count);
    const tensors = parameters(network);
    const state = createState(tensors);
    const found = [];
    for (let step = 0; step < 3; step += 1) {
      found.push(backward(network, workspace, SAMPLES).loss);
      if (step === 0) near(network.layers[0].weightGradient, gradient, 1e-9);
      update(tensors, state, settings);
    }
    near(found, losses, 1e-9);
    near(network.layers[0].weight, weight, 1e-9);
    near(network.layers[1].bias, bias, 1e-9);
  });
}

for (const activation of /** @type {ActivationName[]} */ (Object.keys(ACTIVATIONS))) {
  test(`the gradient through three layers of ${activation} is that of finite differences`, () => {
    const network = createNetwork({ hidden: [5, 4, 3], activation, classes: 3, seed: 4 });
    for (const { bias } of network.layers) for (let i = 0; i < bias.length; i += 1) bias[i] = 0.3 * Math.sin(i + 1);
    const workspace = createWorkspace(network, SAMPLES.count);
    const loss = () => {
      const scores = forward(network, workspace, SAMPLES.values, SAMPLES.count);
      return crossEntropy(scores, SAMPLES.labels, SAMPLES.count, 3).loss;
    };
    backward(network, workspace, SAMPLES);
    for (const [values, gradient] of parameters(network)) {
      const expected = gradient.map((_, i) => {
        const [kept, by] = [values[i], 1e-5];
        values[i] = kept + by;
        const above = loss();
        values[i] = kept - by;
        const below = loss();
        values[i] = kept;
        return (above - below) / (2 * by);
      });
      near(gradient, expected, 1e-8);
    }
  });
}

test("a network without hidden layers is a linear classifier with softmax", () => {
  const network = createNetwork({ hidden: [], activation: "relu", classes: 2, seed: 0 });
  assert.equal(network.layers.length, 1);
  network.layers[0].weight.set([1, 2, 3, 4]);
  network.layers[0].bias.set([0.5, -0.5]);
  const workspace = createWorkspace(network, 1);
  near(forward(network, workspace, Float64Array.of(-1, 2), 1), [3.5, 4.5], 0);
  // -log softmax([3.5, 4.5])[0]
  const { loss, correct } = crossEntropy(workspace.sums[0], Uint8Array.of(0), 1, 2);
  near([loss, correct], [Math.log(1 + Math.E), 0], 1e-12);
});

test("cross-entropy of large scores is finite, and NaN stays NaN through ReLU", () => {
  const { loss } = crossEntropy(Float64Array.of(1000, -1000), Uint8Array.of(1), 1, 2);
  assert.equal(loss, 2000);
  const values = new Float64Array(2);
  ACTIVATIONS.relu.apply(Float64Array.of(Number.NaN, -1), values, 2);
  assert.deepEqual([...values], [Number.NaN, 0]);
});

test("weights start as wide as Kaiming's initialisation says for the activation, biases at 0", () => {
  for (const [activation, gain] of /** @type {[ActivationName, number][]} */ ([
    ["relu", Math.SQRT2],
    ["silu", Math.SQRT2],
    ["sigmoid", 1],
    ["tanh", 5 / 3],
  ])) {
    /** @type {number[]} */
    const hidden = [];
    /** @type {number[]} */
    const last = [];
    for (let seed = 0; seed < 200; seed += 1) {
      const { layers } = createNetwork({ hidden: [8, 8], activation, classes: 2, seed });
      hidden.push(...layers[1].weight);
      last.push(...layers[2].weight);
      assert.ok(layers.every(({ bias }) => bias.every((value) => value === 0)));
    }
    const deviation = (/** @type {number[]} */ values) =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    near([deviation(hidden), deviation(last)], [gain / Math.sqrt(8), 1 / Math.sqrt(8)], 0.02);
  }
});
