//! Curves of any length, drawn at the cost of the window's width: a pyramid of minima, maxima and means.

use std::ops::RangeInclusive;

/// Points or spans of one level in a span of the next.
const FAN: usize = 4;

/// Consecutive points as one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first_x: f64,
    last_x: f64,
    min: f64,
    max: f64,
    sum: f64,
    count: u32,
}

impl Span {
    fn of([x, y]: [f64; 2]) -> Self {
        Self {
            first_x: x,
            last_x: x,
            min: y,
            max: y,
            sum: y,
            count: 1,
        }
    }

    fn take_in(&mut self, [x, y]: [f64; 2]) {
        self.last_x = x;
        self.min = self.min.min(y);
        self.max = self.max.max(y);
        self.sum += y;
        self.count += 1;
    }

    fn x(&self) -> f64 {
        0.5 * (self.first_x + self.last_x)
    }
}

/// A curve whose points come in order of x.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    /// Each level has a quarter of the spans of the one before; the first has one for every point.
    levels: Vec<Vec<Span>>,
    points: usize,
}

impl Curve {
    /// Appends a point; what is not finite is left out.
    pub fn push(&mut self, x: f64, y: f64) {
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        let mut place = self.points;
        for level in 0.. {
            if level == self.levels.len() {
                // The level before has just begun its second span: all but its newest point are in the
                // first, so the new level is made of those.
                let below = self.levels.last().map(Vec::as_slice).unwrap_or_default();
                let whole = below.split_last().map_or(below, |(_, rest)| rest);
                let merged = whole.iter().copied().reduce(|mut all, span| {
                    all.last_x = span.last_x;
                    all.min = all.min.min(span.min);
                    all.max = all.max.max(span.max);
                    all.sum += span.sum;
                    all.count += span.count;
                    all
                });
                self.levels.push(merged.into_iter().collect());
            }
            let spans = &mut self.levels[level];
            match spans.get_mut(place) {
                Some(span) => span.take_in([x, y]),
                None => spans.push(Span::of([x, y])),
            }
            if spans.len() == 1 {
                break;
            }
            place /= FAN;
        }
        self.points += 1;
    }

    /// Points in it.
    pub fn len(&self) -> usize {
        self.points
    }

    /// The first and the last x.
    pub fn range(&self) -> Option<RangeInclusive<f64>> {
        let spans = self.levels.first()?;
        Some(spans.first()?.first_x..=spans.last()?.last_x)
    }

    /// The finest spans over a range, at most `most` of them, and one more at each side.
    fn spans(&self, range: &RangeInclusive<f64>, most: usize) -> &[Span] {
        for level in &self.levels {
            let from = level.partition_point(|span| span.last_x < *range.start());
            let to = level.partition_point(|span| span.first_x <= *range.end());
            if to.saturating_sub(from) <= most {
                return &level[from.saturating_sub(1)..(to + 1).min(level.len())];
            }
        }
        &[]
    }

    /// What to draw of a range: every peak, in at most about `2 most` points.
    pub fn outline(&self, range: &RangeInclusive<f64>, most: usize) -> Vec<[f64; 2]> {
        let spans = self.spans(range, most);
        let mut points = Vec::with_capacity(2 * spans.len());
        for span in spans {
            points.push([span.x(), span.min]);
            if span.max > span.min {
                points.push([span.x(), span.max]);
            }
        }
        points
    }

    /// The means of a range, at most about `most`, each averaged with its neighbours up to a share
    /// `smoothing` of the range away.
    pub fn smoothed(
        &self,
        range: &RangeInclusive<f64>,
        most: usize,
        smoothing: f64,
    ) -> Vec<[f64; 2]> {
        let spans = self.spans(range, most);
        let reach = (0.5 * smoothing * spans.len() as f64).round() as usize;
        let mut sums = Vec::with_capacity(spans.len() + 1);
        let mut total = (0.0, 0.0);
        sums.push(total);
        for span in spans {
            total = (total.0 + span.sum, total.1 + f64::from(span.count));
            sums.push(total);
        }
        let mean = |(index, span): (usize, &Span)| {
            // As far on both sides, so that a slope stays where it is at the ends.
            let reach = reach.min(index).min(spans.len() - 1 - index);
            let (from, to) = (sums[index - reach], sums[index + reach + 1]);
            [span.x(), (to.0 - from.0) / (to.1 - from.1)]
        };
        spans.iter().enumerate().map(mean).collect()
    }
}

/// Several curves as one: at each x the mean of those that reach it, and the smallest and the largest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Band {
    /// x and the mean.
    pub mean: Vec<[f64; 2]>,
    /// The smallest at each x.
    pub low: Vec<f64>,
    /// The largest at each x.
    pub high: Vec<f64>,
}

/// The band of curves, each given as points in order of x, at `count` places of a range.
pub(crate) fn band(curves: &[Vec<[f64; 2]>], range: &RangeInclusive<f64>, count: usize) -> Band {
    let mut band = Band::default();
    for i in 0..count {
        let share = i as f64 / (count.max(2) - 1) as f64;
        let x = range.start() + share * (range.end() - range.start());
        let values: Vec<f64> = curves.iter().filter_map(|c| value_at(c, x)).collect();
        if values.is_empty() {
            continue;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        band.mean.push([x, mean]);
        band.low
            .push(values.iter().copied().fold(f64::MAX, f64::min));
        band.high
            .push(values.iter().copied().fold(f64::MIN, f64::max));
    }
    band
}

/// The value between the points; `None` outside of them.
fn value_at(points: &[[f64; 2]], x: f64) -> Option<f64> {
    let after = points.partition_point(|p| p[0] < x);
    let &[x1, y1] = points.get(after)?;
    if x1 == x {
        return Some(y1);
    }
    let &[x0, y0] = points.get(after.checked_sub(1)?)?;
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn curve(points: usize, y: impl Fn(usize) -> f64) -> Curve {
        let mut curve = Curve::default();
        for i in 0..points {
            curve.push(i as f64, y(i));
        }
        curve
    }

    #[test]
    fn every_level_holds_every_point() {
        for points in [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1_000] {
            let curve = curve(points, |i| i as f64);
            let mut below = usize::MAX;
            for level in &curve.levels {
                assert_eq!(
                    level.iter().map(|s| s.count as usize).sum::<usize>(),
                    points
                );
                let sum: f64 = level.iter().map(|s| s.sum).sum();
                assert_eq!(sum, (points * (points - 1) / 2) as f64);
                assert!(level.windows(2).all(|w| w[0].last_x < w[1].first_x));
                assert!(level.len() < below);
                below = level.len();
            }
            assert_eq!(curve.levels.last().unwrap().len(), 1, "{points} points");
        }
    }

    #[test]
    fn a_single_peak_among_a_million_points_is_drawn() {
        let curve = curve(
            1_000_000,
            |i| if i == 777_777 { 9.0 } else { (i % 2) as f64 },
        );
        let all = curve.range().unwrap();
        let drawn = curve.outline(&all, 400);
        assert!((100..=802).contains(&drawn.len()), "{}", drawn.len());
        assert!(drawn.iter().any(|p| p[1] == 9.0));
        assert!(drawn.windows(2).all(|w| w[0][0] <= w[1][0]));
        // Close up, the points themselves.
        let near = curve.outline(&(777_770.0..=777_780.0), 400);
        assert!(near.contains(&[777_777.0, 9.0]) && near.len() <= 13);
    }

    #[test]
    fn smoothing_keeps_a_slope_and_flattens_a_zigzag() {
        let slope = curve(1_000, |i| 2.0 * i as f64);
        let all = slope.range().unwrap();
        for point in slope.smoothed(&all, 2_000, 0.2) {
            assert!((point[1] - 2.0 * point[0]).abs() < 1e-6, "{point:?}");
        }
        let zigzag = curve(1_000, |i| (i % 2) as f64);
        let smooth = zigzag.smoothed(&all, 2_000, 0.2);
        let middle = &smooth[200..800];
        assert!(middle.iter().all(|p| (p[1] - 0.5).abs() < 0.01));
        assert_eq!(zigzag.smoothed(&all, 2_000, 0.0)[7], [7.0, 1.0]);
    }

    #[test]
    fn a_band_spans_the_curves_that_are_there() {
        let curves = [vec![[0.0, 0.0], [10.0, 10.0]], vec![[0.0, 2.0], [5.0, 2.0]]];
        let band = band(&curves, &(0.0..=10.0), 11);
        assert_eq!(band.mean[4], [4.0, 3.0]);
        assert_eq!((band.low[4], band.high[4]), (2.0, 4.0));
        assert_eq!((band.mean[8], band.low[8]), ([8.0, 8.0], 8.0));
    }
}
