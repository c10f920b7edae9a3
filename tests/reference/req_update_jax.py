"""The REQ update in JAX, compiled. usage: req_update_jax.py check FOLDER | time FOLDER SECONDS"""
import functools
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax
import jax.numpy as jnp
import numpy as np
from req_update_common import ACTIONS, NEWTON_STEPS, SAMPLES, Inputs, measure

inputs = Inputs(sys.argv[2])
c = inputs.config
DEVIATION = (c["initial_std"] - c["min_std"]) / np.log(2.0)


def mlp(p, x):
    h = x @ p["w1"] + p["b1"]
    d = h - h.mean(-1, keepdims=True)
    h = d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5) * p["gain"] + p["shift"]
    h = jnp.tanh(h)
    h = jax.nn.elu(h @ p["w2"] + p["b2"])
    h = jax.nn.elu(h @ p["w3"] + p["b3"])
    return h @ p["w4"] + p["b4"]


def prior(p, obs):
    y = mlp(p, obs)
    return y[:, :ACTIONS], DEVIATION * jax.nn.softplus(y[:, ACTIONS:]) + c["min_std"]


def critics(ps, x):
    return jnp.stack([mlp(p, x)[:, 0] for p in ps])


def temperature(q):
    """ln(spread / eta) by Newton's method, kept inside a bracket; then weights, eta and KL."""
    spread = q.std(1)
    z = (q - q.max(1, keepdims=True)) / spread[:, None]

    def divergence(x):
        y = z * jnp.exp(x)[:, None]
        e = jnp.exp(y)
        s, first, second = e.sum(1), (e * y).sum(1), (e * y * y).sum(1)
        mean = first / s
        return mean - jnp.log(s / SAMPLES), second / s - mean * mean

    def newton(_, state):
        x, low, high = state
        kl, slope = divergence(x)
        low, high = jnp.where(kl > c["kl"], low, x), jnp.where(kl > c["kl"], x, high)
        step = x - (kl - c["kl"]) / slope
        return jnp.where((step > low) & (step < high), step, 0.5 * (low + high)), low, high

    x = jnp.full(len(q), 0.5 * np.log(2 * c["kl"]))
    x, _, _ = jax.lax.fori_loop(0, NEWTON_STEPS, newton, (x, x - 30, x + 30))
    return jax.nn.softmax(z * jnp.exp(x)[:, None]), spread * jnp.exp(-x)


def update(state, b, noise):
    params, target, moments, log_alpha, dual_moments, t = state
    rows = len(b["obs"])
    mean, std = prior(target["prior"], b["states"])
    a = jnp.clip(mean[:, None] + std[:, None] * noise, -1, 1)
    obs = jnp.broadcast_to(b["states"][:, None], (*a.shape[:2], b["states"].shape[1]))
    q = critics(target["critics"], jnp.concatenate([obs, a], -1).reshape(a.shape[0] * SAMPLES, -1)).min(0)
    q = q.reshape(-1, SAMPLES)
    w, eta = temperature(q)
    v = (w * q).sum(1)
    y = b["reward"] + b["discount"] * v[b["next_index"]]
    both = jnp.concatenate([jnp.concatenate([b["obs"], b[k]], 1) for k in ("action", "expert_action")])
    advantage = critics(target["critics"], both).min(0).reshape(2, rows) - v[:rows]
    weight = jnp.minimum(jnp.exp(advantage / (c["weight_temperature"] * advantage[0].std())), c["weight_clip"])
    weight = weight.at[1].multiply(b["expert_mask"])
    alpha = jnp.exp(log_alpha)
    mean, std = mean[:rows], std[:rows]

    def loss(params):
        q = critics(params["critics"], jnp.concatenate([b["obs"], b["action"]], 1))
        critic = ((q - y) ** 2).mean(1)
        m, s = prior(params["prior"], b["obs"])

        def nll(action, weight):
            z = jnp.abs(action - m) / s
            core = jnp.minimum(z, c["outlier_deviations"])
            huber = 0.5 * core * core + c["outlier_deviations"] * (z - core)
            return (weight * (huber + jnp.log(s) + 0.5 * np.log(2 * np.pi)).sum(1)).mean()

        done, expert = nll(b["action"], weight[0]), nll(b["expert_action"], weight[1])
        z = (a[:rows] - m[:, None]) / s[:, None]
        per_sample = (0.5 * z * z + jnp.log(s)[:, None] + 0.5 * np.log(2 * np.pi)).sum(2)
        projection = (w[:rows] * per_sample).sum(1).mean()
        ratio = std / s
        kl = jnp.stack([(0.5 * ((m - mean) / std) ** 2).mean(), (0.5 * (ratio**2 - 1) - jnp.log(ratio)).mean()])
        total = critic.sum() + done + expert + c["projection_weight"] * projection + (alpha * kl).sum()
        return total, (critic.mean(), done, expert, projection, kl)

    (_, (critic, done, expert, projection, kl)), g = jax.value_and_grad(loss, has_aux=True)(params)

    def clip(g):
        norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(g)))
        return jax.tree.map(lambda leaf: leaf * jnp.minimum(1, c["gradient_clip"] / norm), g)

    g = {name: clip(part) for name, part in g.items()}
    bounds = jnp.array([c["trust_region_mean"], c["trust_region_covariance"]])
    t = t + 1

    def adam(p, g, moments, rate):
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], g)
        rate, correction = rate / (1 - 0.9**t), 1 / (1 - 0.999**t)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * correction) + 1e-8), p, m, v)
        return p, (m, v)

    rates = dict(critics=c["learning_rate"], prior=c["prior_learning_rate"])
    stepped = {name: adam(params[name], g[name], [m[name] for m in moments], rate) for name, rate in rates.items()}
    params = {name: p for name, (p, _) in stepped.items()}
    moments = tuple({name: m[i] for name, (_, m) in stepped.items()} for i in (0, 1))
    log_alpha, dual_moments = adam(log_alpha, alpha * (bounds - kl), dual_moments, c["dual_learning_rate"])
    rates = dict(critics=c["target_rate"], prior=c["prior_target_rate"])
    approach = lambda rate: lambda t, p: t + rate * (p - t)
    target = {name: jax.tree.map(approach(rate), target[name], params[name]) for name, rate in rates.items()}
    metrics = dict(critic_loss=critic, policy_loss=done, expert_loss=expert, projection_loss=projection, eta_mean=eta.mean(),
                   v_mean=v[:rows].mean(), kl_mean_trust=kl[0], kl_cov_trust=kl[1])
    return (params, target, moments, log_alpha, dual_moments, t), metrics


@functools.partial(jax.jit, donate_argnums=0)
def update_fixed(state, b, noise):
    return update(state, b, noise)


@functools.partial(jax.jit, donate_argnums=(0, 1))
def update_fresh(state, key, b):
    key, use = jax.random.split(key)
    state, metrics = update(state, b, jax.random.normal(use, inputs.noise.shape))
    return state, key, metrics


def start():
    p = jax.tree.map(jnp.array, {"critics": inputs.critics, "prior": inputs.prior})
    zeros = lambda tree: (jax.tree.map(jnp.zeros_like, tree), jax.tree.map(jnp.zeros_like, tree))
    log_alpha = jnp.array(inputs.log_multipliers)
    return p, jax.tree.map(jnp.copy, p), zeros(p), log_alpha, zeros(log_alpha), jnp.array(0.0)


b = {k: jnp.array(v) for k, v in inputs.batch.items()}
b |= {"states": jnp.array(inputs.states), "next_index": jnp.array(inputs.next_index)}
if sys.argv[1] == "check":
    state, updates = start(), []
    for _ in inputs.expected:
        state, metrics = update_fixed(state, b, inputs.noise)
        updates.append({k: float(v) for k, v in metrics.items()})
    inputs.compare("JAX", updates)
else:
    # XLA's own generator: JAX's default one would take longer.
    run = [start(), jax.random.key(0, impl="rbg"), None]

    def step():
        run[0], run[1], run[2] = update_fresh(run[0], run[1], b)
        run[2]["critic_loss"].block_until_ready()

    measure(step, float(sys.argv[3]))
