//! Vectorised f32 kernels over rows: activations, layer normalisation, normal noise, Adam.
//!
//! Each kernel is plain Rust that the compiler vectorises inside wrappers for AVX-512 and AVX2 with
//! FMA, chosen at run time; elsewhere it runs as it is. The order of operations is fixed, so one
//! machine always gives the same bits; a machine with other vector units may differ in the last one.
//! Rows are `bias.len()` long, a multiple of [`LANES`].

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called after the processor was seen to have it: \
              `dispatch!` checks, then calls; nothing else here is unsafe"
)]

/// Length of the widest vector unit used, in f32.
pub(crate) const LANES: usize = 16;

/// Makes `name(args)` choose between instances of `body::<FMA>` compiled for AVX-512, for AVX2 with
/// FMA and for any processor.
macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident, $body:ident, ($($arg:ident : $type:ty),* $(,)?)) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn wide($($arg: $type),*) { $body::<true>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($arg: $type),*) { $body::<true>($($arg),*) }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("fma")
                {
                    // SAFETY: the features `wide` is compiled for were just detected.
                    return unsafe { wide($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features `narrow` is compiled for were just detected.
                    return unsafe { narrow($($arg),*) };
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

/// a b + c, rounded once where the processor can.
#[inline(always)]
fn fma<const F: bool>(a: f32, b: f32, c: f32) -> f32 {
    if F { a.mul_add(b, c) } else { a * b + c }
}

/// Adding it and taking it away rounds to the nearest whole number: 1.5 * 2^23.
const ROUND: f32 = 12_582_912.0;

/// exp for x in [-87, 88], within 1 unit in the last place (Cephes' polynomial).
#[inline(always)]
fn exp<const F: bool>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let n = fma::<F>(x, std::f32::consts::LOG2_E, ROUND) - ROUND;
    let r = fma::<F>(n, -0.693_359_4, x);
    let r = fma::<F>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_2e-4;
    p = fma::<F>(p, r, 1.398_199_9e-3);
    p = fma::<F>(p, r, 8.333_452e-3);
    p = fma::<F>(p, r, 4.166_579_6e-2);
    p = fma::<F>(p, r, 1.666_666_5e-1);
    p = fma::<F>(p, r, 5e-1);
    let y = fma::<F>(p, r * r, r) + 1.0;
    // 2^n by writing n into the exponent; the rounding constant spares a conversion to integer.
    y * f32::from_bits((n + (ROUND + 127.0)).to_bits() << 23)
}

/// tanh within a few units in the last place (the rational function of Eigen and XLA).
#[inline(always)]
fn tanh<const F: bool>(x: f32) -> f32 {
    let x = x.clamp(-7.905_311, 7.905_311);
    let x2 = x * x;
    let mut p = -2.760_768_4e-16;
    p = fma::<F>(p, x2, 2.000_188e-13);
    p = fma::<F>(p, x2, -8.604_672e-11);
    p = fma::<F>(p, x2, 5.122_297e-8);
    p = fma::<F>(p, x2, 1.485_722_4e-5);
    p = fma::<F>(p, x2, 6.372_619_3e-4);
    p = fma::<F>(p, x2, 4.893_524_6e-3);
    let mut q = 1.198_258_4e-6;
    q = fma::<F>(q, x2, 1.185_347_1e-4);
    q = fma::<F>(q, x2, 2.268_434_6e-3);
    q = fma::<F>(q, x2, 4.893_525e-3);
    x * p / q
}

#[inline(always)]
fn elu<const F: bool>(x: f32) -> f32 {
    let e = exp::<F>(x.min(0.0)) - 1.0;
    if x > 0.0 { x } else { e }
}

/// Natural logarithm of a positive normal number, within 2 units in the last place (Cephes).
#[inline(always)]
fn ln<const F: bool>(x: f32) -> f32 {
    let bits = x.to_bits();
    let e = (bits >> 23) as i32 - 126;
    let m = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000); // [0.5, 1)
    let small = m < std::f32::consts::FRAC_1_SQRT_2;
    let e = e as f32 - if small { 1.0 } else { 0.0 };
    let m = if small { m + m - 1.0 } else { m - 1.0 };
    let z = m * m;
    let mut p = 7.037_683_6e-2;
    p = fma::<F>(p, m, -1.151_461e-1);
    p = fma::<F>(p, m, 1.167_699_9e-1);
    p = fma::<F>(p, m, -1.242_014_1e-1);
    p = fma::<F>(p, m, 1.424_932_3e-1);
    p = fma::<F>(p, m, -1.666_805_8e-1);
    p = fma::<F>(p, m, 2.000_071_5e-1);
    p = fma::<F>(p, m, -2.499_999_4e-1);
    p = fma::<F>(p, m, 3.333_333e-1);
    let y = m * z * p;
    let y = fma::<F>(e, -2.121_944_4e-4, y);
    let y = fma::<F>(z, -0.5, y);
    m + fma::<F>(e, 0.693_359_4, y)
}

/// Sine and cosine of 2 pi u for u in [0, 1).
#[inline(always)]
fn sin_cos_turn<const F: bool>(u: f32) -> (f32, f32) {
    // The angle is (q + r) quarter turns with r in [-1/2, 1/2].
    let t = 4.0 * u;
    let rounded = t + ROUND;
    let q = rounded.to_bits() & 3;
    let r = (t - (rounded - ROUND)) * std::f32::consts::FRAC_PI_2;
    let z = r * r;
    let mut s = -1.951_529_6e-4;
    s = fma::<F>(s, z, 8.332_161e-3);
    s = fma::<F>(s, z, -1.666_665_5e-1);
    let s = fma::<F>(s * z, r, r);
    let mut c = 2.443_315_7e-5;
    c = fma::<F>(c, z, -1.388_731_6e-3);
    c = fma::<F>(c, z, 4.166_664_6e-2);
    let c = fma::<F>(c * z, z, fma::<F>(z, -0.5, 1.0));
    let (a, b) = if q & 1 == 1 { (c, s) } else { (s, c) };
    (
        if q & 2 != 0 { -a } else { a },
        if (q + 1) & 2 != 0 { -b } else { b },
    )
}

/// Sum over lanes in a fixed order.
#[inline(always)]
fn lane_sum(v: &[f32; LANES]) -> f32 {
    let mut a = [0f32; 8];
    for i in 0..8 {
        a[i] = v[i] + v[i + 8];
    }
    (a[0] + a[4]) + (a[1] + a[5]) + ((a[2] + a[6]) + (a[3] + a[7]))
}

#[inline(always)]
fn bias_elu_body<const F: bool>(h: &mut [f32], bias: &[f32]) {
    for row in h.chunks_exact_mut(bias.len()) {
        for (r, b) in row.chunks_exact_mut(LANES).zip(bias.chunks_exact(LANES)) {
            for i in 0..LANES {
                r[i] = elu::<F>(r[i] + b[i]);
            }
        }
    }
}
dispatch!(
    /// Rows of h become elu(h + bias).
    bias_elu, bias_elu_body, (h: &mut [f32], bias: &[f32])
);

#[inline(always)]
fn bias_elu_dot_body<const F: bool>(
    h: &[f32],
    bias: &[f32],
    w: &[f32],
    offset: f32,
    out: &mut [f32],
) {
    for (row, out) in h.chunks_exact(bias.len()).zip(out) {
        let mut sum = [0f32; LANES];
        let columns = bias.chunks_exact(LANES).zip(w.chunks_exact(LANES));
        for (r, (b, w)) in row.chunks_exact(LANES).zip(columns) {
            for i in 0..LANES {
                sum[i] = fma::<F>(elu::<F>(r[i] + b[i]), w[i], sum[i]);
            }
        }
        *out = lane_sum(&sum) + offset;
    }
}
dispatch!(
    /// The last activation and a head with one output in one pass: out = elu(h + bias) . w + offset.
    bias_elu_dot, bias_elu_dot_body, (h: &[f32], bias: &[f32], w: &[f32], offset: f32, out: &mut [f32])
);

#[inline(always)]
fn bias_norm_tanh_body<const F: bool>(
    h: &mut [f32],
    bias: &[f32],
    gain: &[f32],
    shift: &[f32],
    mut kept: Option<(&mut [f32], &mut [f32])>,
) {
    let n = bias.len();
    let inverse = 1.0 / n as f32;
    for (row_index, row) in h.chunks_exact_mut(n).enumerate() {
        let (mut sum, mut squares) = ([0f32; LANES], [0f32; LANES]);
        for (r, b) in row.chunks_exact_mut(LANES).zip(bias.chunks_exact(LANES)) {
            for i in 0..LANES {
                let v = r[i] + b[i];
                r[i] = v;
                sum[i] += v;
            }
        }
        let mean = lane_sum(&sum) * inverse;
        for r in row.chunks_exact(LANES) {
            for i in 0..LANES {
                let d = r[i] - mean;
                squares[i] = fma::<F>(d, d, squares[i]);
            }
        }
        let scale = 1.0 / (lane_sum(&squares) * inverse + NORM_EPSILON).sqrt();
        let columns = gain.chunks_exact(LANES).zip(shift.chunks_exact(LANES));
        match &mut kept {
            None => {
                for (r, (g, s)) in row.chunks_exact_mut(LANES).zip(columns) {
                    for i in 0..LANES {
                        r[i] = tanh::<F>(fma::<F>((r[i] - mean) * scale, g[i], s[i]));
                    }
                }
            }
            Some((normed, scales)) => {
                scales[row_index] = scale;
                let normed = normed[row_index * n..][..n].chunks_exact_mut(LANES);
                for ((r, x), (g, s)) in row.chunks_exact_mut(LANES).zip(normed).zip(columns) {
                    for i in 0..LANES {
                        let v = (r[i] - mean) * scale;
                        x[i] = v;
                        r[i] = tanh::<F>(fma::<F>(v, g[i], s[i]));
                    }
                }
            }
        }
    }
}
/// Added to the variance in layer normalisation.
pub(crate) const NORM_EPSILON: f32 = 1e-5;
dispatch!(
    /// Rows of h become tanh(norm(h + bias) gain + shift), where norm takes away the row's mean and
    /// divides by its standard deviation. `kept` receives norm's output and each row's 1/deviation.
    bias_norm_tanh, bias_norm_tanh_body,
    (h: &mut [f32], bias: &[f32], gain: &[f32], shift: &[f32], kept: Option<(&mut [f32], &mut [f32])>)
);

#[inline(always)]
fn elu_backward_body<const F: bool>(d: &mut [f32], y: &[f32], d_bias: &mut [f32]) {
    let n = d_bias.len();
    for (d, y) in d.chunks_exact_mut(n).zip(y.chunks_exact(n)) {
        // Indexed over the whole row: in chunks of 16 it is compiled to gathers, 5 times slower.
        for i in 0..n {
            let v = d[i] * (1.0 + y[i].min(0.0)); // elu' is 1 above 0 and y + 1 below
            d[i] = v;
            d_bias[i] += v;
        }
    }
}
dispatch!(
    /// d, the gradient of the output y of elu, becomes that of its input; its column sums are added to
    /// `d_bias`.
    elu_backward, elu_backward_body, (d: &mut [f32], y: &[f32], d_bias: &mut [f32])
);

#[inline(always)]
fn norm_tanh_backward_body<const F: bool>(
    d: &mut [f32],
    y: &[f32],
    (normed, scales): (&[f32], &[f32]),
    gain: &[f32],
    (d_bias, d_gain, d_shift): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let n = gain.len();
    let inverse = 1.0 / n as f32;
    for (row_index, d) in d.chunks_exact_mut(n).enumerate() {
        let (y, x) = (&y[row_index * n..][..n], &normed[row_index * n..][..n]);
        let (mut sum, mut product) = ([0f32; LANES], [0f32; LANES]);
        for j in (0..n).step_by(LANES) {
            let (d, y, x) = (&mut d[j..j + LANES], &y[j..j + LANES], &x[j..j + LANES]);
            let g = &gain[j..j + LANES];
            let (d_gain, d_shift) = (&mut d_gain[j..j + LANES], &mut d_shift[j..j + LANES]);
            for i in 0..LANES {
                let du = d[i] * (1.0 - y[i] * y[i]);
                d_shift[i] += du;
                d_gain[i] = fma::<F>(du, x[i], d_gain[i]);
                let dx = du * g[i];
                d[i] = dx;
                sum[i] += dx;
                product[i] = fma::<F>(dx, x[i], product[i]);
            }
        }
        let (m1, m2) = (lane_sum(&sum) * inverse, lane_sum(&product) * inverse);
        let scale = scales[row_index];
        for j in (0..n).step_by(LANES) {
            let (d, x, db) = (
                &mut d[j..j + LANES],
                &x[j..j + LANES],
                &mut d_bias[j..j + LANES],
            );
            for i in 0..LANES {
                let v = scale * (d[i] - m1 - x[i] * m2);
                d[i] = v;
                db[i] += v;
            }
        }
    }
}
dispatch!(
    /// The way back through [`bias_norm_tanh`]: d, the gradient of its output y, becomes that of its
    /// input; the gradients of bias, gain and shift are added to the last three.
    norm_tanh_backward, norm_tanh_backward_body,
    (
        d: &mut [f32],
        y: &[f32],
        kept: (&[f32], &[f32]),
        gain: &[f32],
        d_parameters: (&mut [f32], &mut [f32], &mut [f32]),
    )
);

/// The numbers of one Adam step.
#[derive(Clone, Copy)]
pub(crate) struct AdamStep {
    /// Step size with the first moment's bias correction.
    pub rate: f32,
    /// The second moment's bias correction.
    pub second_correction: f32,
}

#[inline(always)]
fn adam_body<const F: bool>(
    p: &mut [f32],
    g: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: AdamStep,
) {
    const B1: f32 = 0.9;
    const B2: f32 = 0.999;
    let n = p.len();
    let (g, m, v) = (&g[..n], &mut m[..n], &mut v[..n]);
    for i in 0..n {
        m[i] = fma::<F>(B1, m[i], (1.0 - B1) * g[i]);
        v[i] = fma::<F>(B2, v[i], (1.0 - B2) * g[i] * g[i]);
        p[i] -= step.rate * m[i] / ((v[i] * step.second_correction).sqrt() + 1e-8);
    }
}
dispatch!(
    /// One step of Adam (decay 0.9 and 0.999) on parameters p with gradient g and moments m, v.
    adam, adam_body, (p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], step: AdamStep)
);

#[inline(always)]
fn approach_body<const F: bool>(target: &mut [f32], towards: &[f32], rate: f32) {
    for (t, p) in target.iter_mut().zip(towards) {
        *t = fma::<F>(rate, *p - *t, *t);
    }
}
dispatch!(
    /// Moves `target` the fraction `rate` of the way.
    approach, approach_body, (target: &mut [f32], towards: &[f32], rate: f32)
);

#[inline(always)]
fn normal_body<const F: bool>(bytes: &[u8], out: &mut [f32]) {
    let word = |bytes: &[u8], i: usize| {
        u32::from_le_bytes([
            bytes[4 * i],
            bytes[4 * i + 1],
            bytes[4 * i + 2],
            bytes[4 * i + 3],
        ])
    };
    const UNIT: f32 = 1.0 / 16_777_216.0;
    for (out, bytes) in out
        .chunks_exact_mut(2 * LANES)
        .zip(bytes.chunks_exact(8 * LANES))
    {
        let (radius_bits, angle_bits) = bytes.split_at(4 * LANES);
        let (a, b) = out.split_at_mut(LANES);
        for i in 0..LANES {
            let u = ((word(radius_bits, i) >> 8) as i32 as f32 + 0.5) * UNIT;
            let turn = (word(angle_bits, i) >> 8) as i32 as f32 * UNIT;
            let radius = (-2.0 * ln::<F>(u)).sqrt();
            let (sin, cos) = sin_cos_turn::<F>(turn);
            a[i] = radius * cos;
            b[i] = radius * sin;
        }
    }
}
dispatch!(
    /// Standard normal numbers from random bytes, 4 for each, by Box and Muller's transform; `out` is
    /// a multiple of `2 * LANES` long.
    normal, normal_body, (bytes: &[u8], out: &mut [f32])
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_double_precision() {
        let mut worst = [0f64; 4];
        for i in -400_000..400_000 {
            let x = i as f32 * 5e-5;
            let exact = f64::from(x);
            let error = |y: f32, exact: f64| (f64::from(y) - exact).abs() / exact.abs().max(1.0);
            let elu_exact = if exact > 0.0 { exact } else { exact.exp_m1() };
            worst[0] = worst[0].max(error(tanh::<true>(x), exact.tanh()));
            worst[1] = worst[1].max(error(elu::<true>(x), elu_exact));
            worst[2] = worst[2].max(error(exp::<true>(x), exact.exp()));
            worst[3] = worst[3].max(error(
                ln::<true>(x.abs() + 1e-7),
                f64::from(x.abs() + 1e-7).ln(),
            ));
        }
        assert!(worst.iter().all(|&e| e < 5e-7), "{worst:?}");
    }

    #[test]
    fn noise_is_standard_normal() {
        use rand::{RngCore, SeedableRng};
        let n = 1 << 20;
        let mut bytes = vec![0; 4 * n];
        rand_chacha::ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
        let mut x = vec![0f32; n];
        normal(&bytes, &mut x);
        let mean_of =
            |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(f64::from(x))).sum::<f64>() / n as f64;
        assert!(mean_of(&|x| x).abs() < 4e-3);
        assert!((mean_of(&|x| x * x) - 1.0).abs() < 6e-3);
        assert!((mean_of(&|x| x.powi(4)) - 3.0).abs() < 0.04);
        assert!((mean_of(&|x| f64::from(x.abs() > 3.0)) - 0.0027).abs() < 3e-4);
        for lag in [1, 16] {
            let pairs = x
                .iter()
                .zip(&x[lag..])
                .map(|(a, b)| f64::from(a * b))
                .sum::<f64>();
            assert!((pairs / n as f64).abs() < 5e-3);
        }
    }
}
