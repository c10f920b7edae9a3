//! Settings, defaults, assets, and the sections that are only accepted or only refused.

use super::*;

pub(super) const RULES: &[Rule] = &[
    read(
        "mujoco",
        Attributes {
            children: "compiler option size default asset worldbody contact tendon actuator equality \
                   visual statistic custom sensor keyframe deformable extension",
            honoured: "model",
            ..NONE
        },
    ),
    read(
        "compiler",
        Attributes {
            children: "lengthrange",
            honoured: "angle eulerseq autolimits balanceinertia boundmass boundinertia settotalmass \
                   inertiafromgeom inertiagrouprange meshdir assetdir strippath",
            harmless: "texturedir discardvisual usethread convexhull \
                   exactmeshinertia saveinertial fitaabb fusestatic",
            neutral: &[
                (
                    "coordinate",
                    "local",
                    "global coordinates were removed from MJCF; convert the file",
                ),
                (
                    "alignfree",
                    "false",
                    "place free bodies at their centre of mass in the file",
                ),
            ],
            ..NONE
        },
    ),
    harmless("lengthrange"),
    read(
        "option",
        Attributes {
            children: "flag",
            honoured: "timestep gravity",
            harmless: "apirate magnetic o_margin o_solref o_solimp o_friction sleep_tolerance",
            noted: "integrator cone jacobian solver iterations tolerance impratio ls_iterations \
                ls_tolerance noslip_iterations noslip_tolerance ccd_iterations ccd_tolerance \
                mpr_iterations mpr_tolerance sdf_iterations sdf_initpoints",
            neutral: &[
                ("wind", "0 0 0", "air is not simulated; remove it"),
                (
                    "density",
                    "0",
                    "air is not simulated; add joint damping instead",
                ),
                (
                    "viscosity",
                    "0",
                    "air is not simulated; add joint damping instead",
                ),
                (
                    "actuatorgroupdisable",
                    "",
                    "remove the actuators from the file instead",
                ),
            ],
        },
    ),
    read(
        "flag",
        Attributes {
            honoured: "gravity",
            harmless: "equality sensor midphase energy fwdinv invdiscrete autoreset sleep island",
            noted: "warmstart refsafe nativeccd multiccd eulerdamp",
            neutral: &[
                (
                    "constraint",
                    "enable",
                    "remove limits and contacts from the file instead",
                ),
                (
                    "frictionloss",
                    "enable",
                    "remove frictionloss from the joints instead",
                ),
                ("limit", "enable", "remove the ranges instead"),
                (
                    "contact",
                    "enable",
                    "set contype and conaffinity to 0 instead",
                ),
                ("passive", "enable", "remove stiffness and damping instead"),
                ("spring", "enable", "remove stiffness instead"),
                ("damper", "enable", "remove damping instead"),
                ("clampctrl", "enable", "remove ctrlrange instead"),
                ("actuation", "enable", "remove the actuators instead"),
                (
                    "filterparent",
                    "enable",
                    "parents never touch children; use <pair>",
                ),
                (
                    "override",
                    "disable",
                    "write margin, solref and solimp at the geoms instead",
                ),
            ],
            ..NONE
        },
    ),
    harmless("size"),
    harmless("visual"),
    read(
        "statistic",
        Attributes {
            honoured: "center extent",
            harmless: "meaninertia meanmass meansize",
            ..NONE
        },
    ),
    harmless("custom"),
    harmless("sensor"),
    read(
        "keyframe",
        Attributes {
            children: "key",
            ..NONE
        },
    ),
    read(
        "key",
        Attributes {
            honoured: "name time qpos qvel ctrl",
            harmless: "act mpos mquat",
            ..NONE
        },
    ),
    refused("extension", "plugins are not run; remove it"),
    read(
        "deformable",
        Attributes {
            children: "flex skin=texture",
            ..NONE
        },
    ),
    read(
        "equality",
        Attributes {
            children: "connect weld joint=equality_joint tendon=equality_tendon flex flexvert flexstrain",
            ..NONE
        },
    ),
    refused(
        "connect",
        "equality constraints are not simulated; make it a joint of the body tree",
    ),
    refused(
        "weld",
        "equality constraints are not simulated; make it a child body",
    ),
    refused(
        "equality_joint",
        "equality constraints are not simulated; use a fixed tendon with a narrow range",
    ),
    refused(
        "equality_tendon",
        "equality constraints are not simulated; give the tendon a narrow range",
    ),
    refused(
        "flex",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused(
        "flexvert",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused(
        "flexstrain",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    read(
        "default",
        Attributes {
            children: "default joint geom site material pair tendon general motor position velocity \
                   mesh camera=texture light=texture equality=texture \
                   intvelocity damper cylinder muscle adhesion plugin",
            honoured: "class",
            ..NONE
        },
    ),
    read(
        "asset",
        Attributes {
            children: "texture material mesh hfield=texture skin=texture model",
            ..NONE
        },
    ),
    harmless("texture"),
    read(
        "mesh",
        Attributes {
            children: "plugin",
            honoured: "name class file scale refpos refquat vertex face inertia",
            harmless: "content_type normal texcoord smoothnormal material",
            noted: "maxhullvert octree_maxdepth",
            neutral: &[(
                "builtin",
                "none",
                "made-up meshes are not built; write the mesh to a file",
            )],
        },
    ),
    refused("model", "attached models are not read; use <include>"),
    read(
        "material",
        Attributes {
            children: "layer=texture",
            honoured: "name class rgba",
            harmless: "texture texrepeat texuniform emission specular shininess reflectance metallic \
                   roughness",
            ..NONE
        },
    ),
];
