"""The REQ update in PyTorch, eager. usage: req_update_torch.py check FOLDER | time FOLDER SECONDS"""
import sys

import numpy as np
import torch
import torch.nn.functional as F
from req_update_common import ACTIONS, HIDDEN, NEWTON_STEPS, SAMPLES, Inputs, measure

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
inputs = Inputs(sys.argv[2])
c = inputs.config
DEVIATION = (c["initial_std"] - c["min_std"]) / np.log(2.0)


def tensors(parts, trained):
    # PyTorch's linear layer takes (outputs, inputs).
    order = lambda k, v: v.T.copy() if k[0] == "w" else v.copy()
    return {k: torch.from_numpy(order(k, v)).requires_grad_(trained) for k, v in parts.items()}


def mlp(p, x):
    h = F.layer_norm(F.linear(x, p["w1"], p["b1"]), (HIDDEN,), p["gain"], p["shift"]).tanh()
    h = F.elu(F.linear(h, p["w2"], p["b2"]))
    h = F.elu(F.linear(h, p["w3"], p["b3"]))
    return F.linear(h, p["w4"], p["b4"])


def prior(p, obs):
    mean, raw = mlp(p, obs).split(ACTIONS, 1)
    return mean, DEVIATION * F.softplus(raw) + c["min_std"]


def critics(ps, x):
    return torch.stack([mlp(p, x)[:, 0] for p in ps])


def temperature(q):
    """ln(spread / eta) by Newton's method, kept inside a bracket; then weights and eta."""
    spread = q.std(1, correction=0)
    z = (q - q.amax(1, keepdim=True)) / spread[:, None]
    x = torch.full((len(q),), 0.5 * float(np.log(2 * c["kl"])))
    low, high = x - 30, x + 30
    for _ in range(NEWTON_STEPS):
        y = z * x.exp()[:, None]
        e = y.exp()
        s = e.sum(1)
        mean = (e * y).sum(1) / s
        kl, slope = mean - (s / SAMPLES).log(), (e * y * y).sum(1) / s - mean * mean
        above = kl > c["kl"]
        low, high = torch.where(above, low, x), torch.where(above, x, high)
        step = x - (kl - c["kl"]) / slope
        x = torch.where((step > low) & (step < high), step, 0.5 * (low + high))
    return torch.softmax(z * x.exp()[:, None], 1), spread * (-x).exp()


b = {k: torch.from_numpy(v) for k, v in inputs.batch.items()}
states, next_index = torch.from_numpy(inputs.states), torch.from_numpy(inputs.next_index)
rows = len(b["obs"])
phi, theta = [tensors(p, True) for p in inputs.critics], tensors(inputs.prior, True)
phi_target, theta_target = [tensors(p, False) for p in inputs.critics], tensors(inputs.prior, False)
leaves = lambda critics, prior: [v for p in critics for v in p.values()] + list(prior.values())
trained = leaves(phi, theta)
log_alpha = torch.from_numpy(inputs.log_multipliers.copy()).requires_grad_(True)
adam = torch.optim.Adam([dict(params=leaves(phi, {}), lr=c["learning_rate"]),
                         dict(params=leaves([], theta), lr=c["prior_learning_rate"])], fused=True)
dual_adam = torch.optim.Adam([log_alpha], lr=c["dual_learning_rate"])
bounds = torch.tensor([c["trust_region_mean"], c["trust_region_covariance"]])


def update(noise):
    with torch.no_grad():
        mean, std = prior(theta_target, states)
        a = (mean[:, None] + std[:, None] * noise).clamp(-1, 1)
        obs = states[:, None].expand(-1, SAMPLES, -1)
        q = critics(phi_target, torch.cat([obs, a], -1).flatten(0, 1)).amin(0).view(-1, SAMPLES)
        w, eta = temperature(q)
        v = (w * q).sum(1)
        y = b["reward"] + b["discount"] * v[next_index]
        both = torch.cat([torch.cat([b["obs"], b[k]], 1) for k in ("action", "expert_action")])
        advantage = critics(phi_target, both).amin(0).view(2, rows) - v[:rows]
        weight = (advantage / (c["weight_temperature"] * advantage[0].std(correction=0))).exp().clamp(max=c["weight_clip"])
        weight[1] *= b["expert_mask"]
        alpha = log_alpha.exp()
        mean, std = mean[:rows], std[:rows]
    critic = ((critics(phi, torch.cat([b["obs"], b["action"]], 1)) - y) ** 2).mean(1)
    m, s = prior(theta, b["obs"])

    def nll(action, weight):
        z = (action - m).abs() / s
        core = z.clamp(max=c["outlier_deviations"])
        huber = 0.5 * core * core + c["outlier_deviations"] * (z - core)
        return (weight * (huber + s.log() + 0.5 * float(np.log(2 * np.pi))).sum(1)).mean()

    done, expert = nll(b["action"], weight[0]), nll(b["expert_action"], weight[1])
    z = (a[:rows] - m[:, None]) / s[:, None]
    per_sample = (0.5 * z * z + s.log()[:, None] + 0.5 * float(np.log(2 * np.pi))).sum(2)
    projection = (w[:rows] * per_sample).sum(1).mean()
    ratio = std / s
    kl = torch.stack([(0.5 * ((m - mean) / std) ** 2).mean(), (0.5 * (ratio**2 - 1) - ratio.log()).mean()])
    adam.zero_grad(set_to_none=True)
    (critic.sum() + done + expert + c["projection_weight"] * projection + (alpha * kl).sum()).backward()
    for part in (leaves(phi, {}), list(theta.values())):
        torch.nn.utils.clip_grad_norm_(part, c["gradient_clip"])
    log_alpha.grad = (alpha * (bounds - kl)).detach()
    adam.step()
    dual_adam.step()
    with torch.no_grad():
        torch._foreach_lerp_(leaves(phi_target, {}), leaves(phi, {}), c["target_rate"])
        torch._foreach_lerp_(list(theta_target.values()), list(theta.values()), c["prior_target_rate"])
    metrics = dict(critic_loss=critic.mean(), policy_loss=done, expert_loss=expert, projection_loss=projection, eta_mean=eta.mean(),
                   v_mean=v[:rows].mean(), kl_mean_trust=kl[0], kl_cov_trust=kl[1])
    return {k: v.detach() for k, v in metrics.items()}


if sys.argv[1] == "check":
    noise = torch.from_numpy(inputs.noise)
    inputs.compare("PyTorch", [{k: float(v) for k, v in update(noise).items()} for _ in inputs.expected])
else:
    measure(lambda: update(torch.randn(inputs.noise.shape)), float(sys.argv[3]))
