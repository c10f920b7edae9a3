//! What a simulation's contacts carry.

use super::Sim;
use crate::{
    contact::{self, Contact},
    model::Site,
};

impl Sim {
    /// The contact points of the last step that touch or carry force.
    pub fn contacts(&self) -> Vec<Contact> {
        let parameters = &self.engine.parameters;
        contact::read(
            &self.state.world,
            parameters.dt,
            parameters.num_solver_iterations,
        )
    }

    /// Sum of the normal forces on a geom over the last step, N.
    pub fn touch(&self, geom: usize) -> f64 {
        self.touch_where(geom, |_| true)
    }

    /// What a touch sensor at a site feels over the last step: the sum of the normal forces on the
    /// site's body within the site's volume, N.
    pub fn site_touch(&self, site: usize) -> f64 {
        let Site { body, shape, .. } = &self.model.sites[site];
        let into_site = self.site_pose(site).inverse();
        let felt = |point| shape.contains(into_site.transform_point(point));
        let geoms = self.model.geoms.iter().enumerate();
        geoms
            .filter(|(_, geom)| geom.body == *body)
            .fold(0.0, |sum, (geom, _)| sum + self.touch_where(geom, felt))
    }

    fn touch_where(&self, geom: usize, felt: impl Fn([f64; 3]) -> bool) -> f64 {
        self.plan.colliders[geom].map_or(0.0, |collider| {
            contact::touch(&self.state.world, collider, self.engine.parameters.dt, felt)
        })
    }
}
