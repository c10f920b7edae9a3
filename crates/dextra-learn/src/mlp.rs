//! One multilayer perceptron, forward and backward, on one flat slice of parameters.
//!
//! `x -> linear -> layer norm -> tanh -> linear -> elu -> linear -> elu -> linear`, the network of the
//! paper (table 5: three layers of 256, elu, layer norm on the first). Matrices are stored (inputs,
//! outputs), row-major. Bias and activation are one pass over a matrix product; activations live in
//! buffers that are used again; rows are worked through in tiles that stay in the cache. Tiles are what
//! cores share: no sum crosses them, so the bits do not depend on the number of threads.

use std::{cell::RefCell, ops::Range};

use gemm::{Parallelism, gemm};
use rayon::prelude::*;

use crate::vmath;

/// Rows evaluated together: two activations of 256 units and the weights fit a 1 MB cache.
const TILE: usize = 256;

/// Sizes of a network, and where its parts lie in its slice of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub inputs: usize,
    pub hidden: usize,
    pub outputs: usize,
}

/// Where each part of a network lies in its slice of parameters.
struct Parts {
    w1: Range<usize>,
    b1: Range<usize>,
    gain: Range<usize>,
    shift: Range<usize>,
    w2: Range<usize>,
    b2: Range<usize>,
    w3: Range<usize>,
    b3: Range<usize>,
    w4: Range<usize>,
    b4: Range<usize>,
}

impl Shape {
    fn parts(self) -> Parts {
        let Self {
            inputs,
            hidden: h,
            outputs,
        } = self;
        let mut end = 0;
        let mut next = |size| {
            let start = end;
            end += size;
            start..end
        };
        Parts {
            w1: next(inputs * h),
            b1: next(h),
            gain: next(h),
            shift: next(h),
            w2: next(h * h),
            b2: next(h),
            w3: next(h * h),
            b3: next(h),
            w4: next(h * outputs),
            b4: next(outputs),
        }
    }

    /// Number of parameters; the slice is padded to whole vectors.
    pub fn len(self) -> usize {
        self.parts().b4.end.next_multiple_of(vmath::LANES)
    }

    /// Every part with its name and the number of inputs of its layer, in the order they lie.
    pub fn named_parts(self) -> [(&'static str, Range<usize>, usize); 10] {
        let Parts {
            w1,
            b1,
            gain,
            shift,
            w2,
            b2,
            w3,
            b3,
            w4,
            b4,
        } = self.parts();
        let (i, h) = (self.inputs, self.hidden);
        [
            ("w1", w1, i),
            ("b1", b1, i),
            ("gain", gain, i),
            ("shift", shift, i),
            ("w2", w2, h),
            ("b2", b2, h),
            ("w3", w3, h),
            ("b3", b3, h),
            ("w4", w4, h),
            ("b4", b4, h),
        ]
    }
}

/// A matrix inside a slice: element (row, column) is at `row * row_stride + column * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major with that many columns.
    pub fn new(data: &'a [f32], columns: usize) -> Self {
        Self {
            data,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The transpose.
    pub fn t(self) -> Self {
        Self {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// c = a b, or c += a b if `add`; a is (m, k), b is (k, n), c is (m, n) and row-major. On one thread.
#[expect(
    unsafe_code,
    reason = "the matrix product takes pointers; the assertion keeps it inside the slices"
)]
pub(crate) fn product(
    (m, k, n): (usize, usize, usize),
    c: &mut [f32],
    add: bool,
    a: Matrix,
    b: Matrix,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last =
        |x: Matrix, rows, columns| (rows - 1) * x.row_stride + (columns - 1) * x.column_stride;
    assert!(c.len() >= m * n && a.data.len() > last(a, m, k) && b.data.len() > last(b, k, n));
    // SAFETY: every element that the strides reach was just seen to lie inside its slice, and c is
    // borrowed alone.
    unsafe {
        gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            if add { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The first `n` numbers of a buffer that grows to need.
pub(crate) fn take(buffer: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    &mut buffer[..n]
}

/// Buffers of [`evaluate`] and [`evaluate_grouped`].
#[derive(Default)]
struct Scratch {
    a: Vec<f32>,
    b: Vec<f32>,
    shared: Vec<f32>,
}

thread_local! {
    /// Every thread's own, kept: fresh ones would cost a page fault per 4 KiB.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Outputs for the rows of `x`, without keeping what a way back would need.
pub(crate) fn evaluate(shape: Shape, p: &[f32], x: &[f32], out: &mut [f32]) {
    let (h, w1) = (shape.hidden, shape.parts().w1);
    let tile = |(x, out): (&[f32], &mut [f32])| {
        SCRATCH.with_borrow_mut(|scratch| {
            let rows = x.len() / shape.inputs;
            let first = take(&mut scratch.a, rows * h);
            let columns = Matrix::new(x, shape.inputs);
            product(
                (rows, shape.inputs, h),
                first,
                false,
                columns,
                Matrix::new(&p[w1.clone()], h),
            );
            upper_layers(shape, p, first, take(&mut scratch.b, rows * h), out);
        });
    };
    let (inputs, outputs) = (TILE * shape.inputs, TILE * shape.outputs);
    if x.len() <= inputs {
        tile((x, out));
    } else {
        let tiles = x.par_chunks(inputs).zip(out.par_chunks_mut(outputs));
        tiles.for_each(tile);
    }
}

/// Outputs for inputs made of a part that `group` consecutive rows share and a part of their own:
/// row r is `[shared row r / group, own row r]`. The first layer's work on the shared part is done
/// once per group.
pub(crate) fn evaluate_grouped(
    shape: Shape,
    p: &[f32],
    (shared, shared_columns): (&[f32], usize),
    (own, group): (&[f32], usize),
    out: &mut [f32],
) {
    let (h, w1) = (shape.hidden, shape.parts().w1);
    let (w_shared, w_own) = p[w1].split_at(shared_columns * h);
    let own_columns = shape.inputs - shared_columns;
    let tile = |((shared, own), out): ((&[f32], &[f32]), &mut [f32])| {
        SCRATCH.with_borrow_mut(|scratch| {
            let (groups, rows) = (shared.len() / shared_columns, own.len() / own_columns);
            let base = take(&mut scratch.shared, groups * h);
            let columns = Matrix::new(shared, shared_columns);
            product(
                (groups, shared_columns, h),
                base,
                false,
                columns,
                Matrix::new(w_shared, h),
            );
            let first = take(&mut scratch.a, rows * h);
            for (rows, base) in first.chunks_mut(group * h).zip(base.chunks(h)) {
                rows.chunks_mut(h).for_each(|row| row.copy_from_slice(base));
            }
            let columns = Matrix::new(own, own_columns);
            product(
                (rows, own_columns, h),
                first,
                true,
                columns,
                Matrix::new(w_own, h),
            );
            upper_layers(shape, p, first, take(&mut scratch.b, rows * h), out);
        });
    };
    let groups = (TILE / group).max(1);
    if shared.len() <= groups * shared_columns {
        tile(((shared, own), out));
    } else {
        let tiles = shared
            .par_chunks(groups * shared_columns)
            .zip(own.par_chunks(groups * group * own_columns))
            .zip(out.par_chunks_mut(groups * group * shape.outputs));
        tiles.for_each(tile);
    }
}

/// From the first layer's product, still without its bias, to the outputs.
fn upper_layers(shape: Shape, p: &[f32], first: &mut [f32], second: &mut [f32], out: &mut [f32]) {
    let (h, at) = (shape.hidden, shape.parts());
    let rows = first.len() / h;
    vmath::bias_norm_tanh(first, &p[at.b1], &p[at.gain], &p[at.shift], None);
    product(
        (rows, h, h),
        second,
        false,
        Matrix::new(first, h),
        Matrix::new(&p[at.w2], h),
    );
    vmath::bias_elu(second, &p[at.b2]);
    product(
        (rows, h, h),
        first,
        false,
        Matrix::new(second, h),
        Matrix::new(&p[at.w3], h),
    );
    if shape.outputs == 1 {
        vmath::bias_elu_dot(first, &p[at.b3], &p[at.w4], p[at.b4.start], out);
    } else {
        vmath::bias_elu(first, &p[at.b3]);
        head(shape, p, first, out);
    }
}

fn head(shape: Shape, p: &[f32], last: &[f32], out: &mut [f32]) {
    let (h, n, at) = (shape.hidden, shape.outputs, shape.parts());
    out.chunks_exact_mut(n)
        .for_each(|row| row.copy_from_slice(&p[at.b4.clone()]));
    let rows = out.len() / n;
    product(
        (rows, h, n),
        out,
        true,
        Matrix::new(last, h),
        Matrix::new(&p[at.w4], n),
    );
}

/// What the way back needs, kept from [`forward`].
#[derive(Default)]
pub(crate) struct Tape {
    normed: Vec<f32>,
    scales: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    third: Vec<f32>,
    d: Vec<f32>,
    d_below: Vec<f32>,
}

/// Outputs for the rows of `x`; the activations stay on the tape.
pub(crate) fn forward(shape: Shape, p: &[f32], x: &[f32], out: &mut [f32], tape: &mut Tape) {
    let (h, at) = (shape.hidden, shape.parts());
    let rows = x.len() / shape.inputs;
    let n = rows * h;
    let first = take(&mut tape.first, n);
    product(
        (rows, shape.inputs, h),
        first,
        false,
        Matrix::new(x, shape.inputs),
        Matrix::new(&p[at.w1], h),
    );
    let kept = (take(&mut tape.normed, n), take(&mut tape.scales, rows));
    vmath::bias_norm_tanh(first, &p[at.b1], &p[at.gain], &p[at.shift], Some(kept));
    let second = take(&mut tape.second, n);
    product(
        (rows, h, h),
        second,
        false,
        Matrix::new(first, h),
        Matrix::new(&p[at.w2], h),
    );
    vmath::bias_elu(second, &p[at.b2]);
    let third = take(&mut tape.third, n);
    product(
        (rows, h, h),
        third,
        false,
        Matrix::new(second, h),
        Matrix::new(&p[at.w3], h),
    );
    vmath::bias_elu(third, &p[at.b3]);
    head(shape, p, third, out);
}

/// Adds the gradient with respect to the parameters to `g`, for the rows that [`forward`] last put on
/// the tape and the gradient `d_out` of their outputs.
pub(crate) fn backward(
    shape: Shape,
    p: &[f32],
    x: &[f32],
    d_out: &[f32],
    g: &mut [f32],
    tape: &mut Tape,
) {
    let (h, outputs, at) = (shape.hidden, shape.outputs, shape.parts());
    let rows = x.len() / shape.inputs;
    let n = rows * h;
    let (first, second, third) = (&tape.first[..n], &tape.second[..n], &tape.third[..n]);
    let (d, d_below) = (take(&mut tape.d, n), take(&mut tape.d_below, n));
    let d_out_rows = Matrix::new(d_out, outputs);

    product(
        (h, rows, outputs),
        &mut g[at.w4.clone()],
        true,
        Matrix::new(third, h).t(),
        d_out_rows,
    );
    for row in d_out.chunks_exact(outputs) {
        g[at.b4.clone()]
            .iter_mut()
            .zip(row)
            .for_each(|(sum, d)| *sum += d);
    }
    product(
        (rows, outputs, h),
        d,
        false,
        d_out_rows,
        Matrix::new(&p[at.w4], outputs).t(),
    );

    vmath::elu_backward(d, third, &mut g[at.b3]);
    product(
        (h, rows, h),
        &mut g[at.w3.clone()],
        true,
        Matrix::new(second, h).t(),
        Matrix::new(d, h),
    );
    product(
        (rows, h, h),
        d_below,
        false,
        Matrix::new(d, h),
        Matrix::new(&p[at.w3], h).t(),
    );

    vmath::elu_backward(d_below, second, &mut g[at.b2]);
    product(
        (h, rows, h),
        &mut g[at.w2.clone()],
        true,
        Matrix::new(first, h).t(),
        Matrix::new(d_below, h),
    );
    product(
        (rows, h, h),
        d,
        false,
        Matrix::new(d_below, h),
        Matrix::new(&p[at.w2], h).t(),
    );

    let (d_bias, d_rest) = g[at.b1.start..at.shift.end].split_at_mut(h);
    let (d_gain, d_shift) = d_rest.split_at_mut(h);
    let kept = (&tape.normed[..n], &tape.scales[..rows]);
    vmath::norm_tanh_backward(d, first, kept, &p[at.gain], (d_bias, d_gain, d_shift));
    product(
        (shape.inputs, rows, h),
        &mut g[at.w1],
        true,
        Matrix::new(x, shape.inputs).t(),
        Matrix::new(d, h),
    );
}

#[cfg(test)]
mod tests;
