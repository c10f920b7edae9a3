//! Lines in the model's frame (z up, metres).

use std::f32::consts::{FRAC_PI_2, TAU};

use bevy::{color::Color, gizmos::gizmos::GizmoBuffer, prelude::*};
use dextra_sim::{Pose, Shape};

use super::OnTop;

/// Sides of a drawn circle.
const SIDES: usize = 24;

/// Draws lines that are given in the model's frame.
pub(super) struct Pen<'a>(pub &'a mut GizmoBuffer<OnTop, ()>);

/// A point of the model's world in the scene's, which has y up.
fn point([x, y, z]: [f64; 3]) -> Vec3 {
    Vec3::new(x as f32, z as f32, -y as f32)
}

impl Pen<'_> {
    pub fn line(&mut self, from: [f64; 3], to: [f64; 3], color: Color) {
        self.0.line(point(from), point(to), color);
    }

    pub fn arrow(&mut self, from: [f64; 3], along: [f64; 3], color: Color) {
        let to = [0, 1, 2].map(|k| from[k] + along[k]);
        let length = (point(to) - point(from)).length();
        if length.is_finite() && length > 1e-6 {
            self.0
                .arrow(point(from), point(to), color)
                .with_tip_length(0.25 * length);
        }
    }

    /// A line through points of a frame.
    fn strip(&mut self, pose: &Pose, points: impl Iterator<Item = [f64; 3]>, color: Color) {
        let points = points.map(|p| point(pose.transform_point(p)));
        self.0.linestrip(points, color);
    }

    /// Part of a circle about z of a frame, from x on; radians.
    pub fn arc(&mut self, pose: &Pose, radius: f64, from: f64, to: f64, color: Color) {
        let points = (0..=SIDES).map(|i| {
            let angle = from + (to - from) * i as f64 / SIDES as f64;
            [radius * angle.cos(), radius * angle.sin(), 0.0]
        });
        self.strip(pose, points, color);
    }

    pub fn circle(&mut self, pose: &Pose, radius: f64, color: Color) {
        self.arc(pose, radius, 0.0, f64::from(TAU), color);
    }

    /// Three circles.
    pub fn ball(&mut self, pos: [f64; 3], radius: f64, color: Color) {
        for quat in circles() {
            self.circle(&Pose { pos, quat }, radius, color);
        }
    }

    pub fn axes(&mut self, pose: &Pose, length: f64) {
        let colors = [(1.0, 0.3, 0.3), (0.35, 0.9, 0.35), (0.4, 0.55, 1.0)];
        for (k, (r, g, b)) in colors.into_iter().enumerate() {
            let mut axis = [0.0; 3];
            axis[k] = length;
            let tip = pose.transform_point(axis);
            self.line(pose.pos, tip, Color::srgb(r, g, b));
        }
    }

    pub fn cuboid(&mut self, pose: &Pose, [x, y, z]: [f64; 3], color: Color) {
        for side in [-1.0, 1.0] {
            let rim = [(-x, -y), (x, -y), (x, y), (-x, y), (-x, -y)];
            self.strip(pose, rim.into_iter().map(|(x, y)| [x, y, side * z]), color);
        }
        for (x, y) in [(-x, -y), (x, -y), (x, y), (-x, y)] {
            self.strip(pose, [-z, z].into_iter().map(|z| [x, y, z]), color);
        }
    }

    /// The outline of a shape.
    pub fn shape(&mut self, pose: &Pose, shape: &Shape, color: Color) {
        match *shape {
            Shape::Sphere { radius } => self.ball(pose.pos, radius, color),
            Shape::Box { half_extents } => self.cuboid(pose, half_extents, color),
            Shape::Cylinder {
                radius,
                half_length,
            } => self.tube(pose, radius, half_length, color),
            Shape::Capsule {
                radius,
                half_length,
            } => {
                self.tube(pose, radius, half_length, color);
                let half_turn = std::f64::consts::PI;
                for (z, side) in [(half_length, 1.0), (-half_length, -1.0)] {
                    for turn in &circles()[1..] {
                        let end = Pose {
                            pos: pose.transform_point([0.0, 0.0, z]),
                            quat: pose
                                .mul(&Pose {
                                    pos: [0.0; 3],
                                    quat: *turn,
                                })
                                .quat,
                        };
                        self.arc(&end, radius, 0.0, side * half_turn, color);
                    }
                }
            }
            Shape::Ellipsoid {
                half_extents: [a, b, c],
            } => {
                let turns = (0..=SIDES).map(|i| f64::from(TAU) * i as f64 / SIDES as f64);
                let turns = turns.map(f64::sin_cos);
                self.strip(pose, turns.clone().map(|(s, k)| [a * k, b * s, 0.0]), color);
                self.strip(pose, turns.clone().map(|(s, k)| [a * k, 0.0, c * s]), color);
                self.strip(pose, turns.map(|(s, k)| [0.0, b * k, c * s]), color);
            }
            Shape::Plane {
                half_extents: [x, y],
            } => {
                let side = |half: f64| if half > 0.0 { half } else { 1.0 };
                self.cuboid(pose, [side(x), side(y), 0.0], color);
            }
            Shape::Mesh(ref mesh) => {
                for ends in mesh.edges() {
                    let [from, to] = ends.map(|end| pose.transform_point(end));
                    self.line(from, to, color);
                }
            }
        }
    }

    fn tube(&mut self, pose: &Pose, radius: f64, half_length: f64, color: Color) {
        for z in [-half_length, half_length] {
            let rim = Pose {
                pos: pose.transform_point([0.0, 0.0, z]),
                ..*pose
            };
            self.circle(&rim, radius, color);
        }
        for (x, y) in [(radius, 0.0), (-radius, 0.0), (0.0, radius), (0.0, -radius)] {
            let ends = [-half_length, half_length].into_iter();
            self.strip(pose, ends.map(|z| [x, y, z]), color);
        }
    }
}

/// The turns that lay a circle about z across z, along x and along y: the first about z itself, the others
/// with their half from 0 to pi towards +z.
fn circles() -> [[f64; 4]; 3] {
    let half = f64::from(FRAC_PI_2) / 2.0;
    let (s, c) = half.sin_cos();
    [
        [1.0, 0.0, 0.0, 0.0],
        // About x by a quarter: y becomes z.
        [c, s, 0.0, 0.0],
        // Then about z by a quarter.
        [c * c, c * s, s * s, c * s],
    ]
}
