//! Bodies and what they carry; contact pairs.

use super::*;

pub(super) const RULES: &[Rule] = &[
    read(
        "worldbody",
        Attributes {
            children: "body frame geom site camera=texture light=texture inertial=texture attach \
                   replicate composite flexcomp",
            ..NONE
        },
    ),
    read(
        "body",
        Attributes {
            children: "body frame joint freejoint inertial geom site camera=texture light=texture \
                   attach replicate composite flexcomp plugin",
            honoured: "name childclass pos quat axisangle euler xyaxes zaxis",
            harmless: "user sleep",
            neutral: &[
                (
                    "mocap",
                    "false",
                    "mocap bodies are not simulated; drive the body by joints",
                ),
                (
                    "gravcomp",
                    "0",
                    "gravity compensation is not simulated; write it into the controls",
                ),
            ],
            ..NONE
        },
    ),
    read(
        "frame",
        Attributes {
            children: "body frame geom site camera=texture light=texture joint=frame_joint \
                   freejoint=frame_joint attach replicate composite flexcomp",
            honoured: "name childclass pos quat axisangle euler xyaxes zaxis",
            ..NONE
        },
    ),
    refused(
        "frame_joint",
        "a joint inside a <frame> is not read; write it in the <body>",
    ),
    refused("attach", "attached models are not read; use <include>"),
    refused("replicate", "write the copies out"),
    refused("composite", "write its bodies out"),
    refused(
        "flexcomp",
        "deformable bodies are not simulated; use rigid bodies",
    ),
    refused("plugin", "plugins are not run; remove it"),
    read(
        "inertial",
        Attributes {
            honoured: "pos quat axisangle euler xyaxes zaxis mass diaginertia fullinertia",
            ..NONE
        },
    ),
    read(
        "joint",
        Attributes {
            children: "plugin",
            honoured: "name class type pos axis range limited margin damping armature frictionloss \
                   stiffness springref ref solreflimit solimplimit actuatorfrcrange \
                   actuatorfrclimited",
            harmless: "group user",
            noted: "solreffriction solimpfriction",
            neutral: &[
                SPRING_DAMPER,
                (
                    "actuatorgravcomp",
                    "false",
                    "gravity compensation is not simulated; remove it",
                ),
            ],
        },
    ),
    read(
        "freejoint",
        Attributes {
            honoured: "name",
            harmless: "group",
            neutral: &[(
                "align",
                "false|auto",
                "place the body at its centre of mass in the file",
            )],
            ..NONE
        },
    ),
    read(
        "geom",
        Attributes {
            children: "plugin",
            honoured: "name class type pos quat axisangle euler xyaxes zaxis fromto size mass density \
                   friction condim contype conaffinity margin priority solref solimp rgba material \
                   group mesh",
            harmless: "user fluidshape fluidcoef fitscale",
            noted: "solmix",
            neutral: &[
                NO_GAP,
                (
                    "shellinertia",
                    "false",
                    "hollow geoms are not computed; give the body an <inertial>",
                ),
                ("hfield", "", "height fields are not simulated; use boxes"),
            ],
        },
    ),
    read(
        "site",
        Attributes {
            honoured: "name class type size pos quat axisangle euler xyaxes zaxis fromto",
            harmless: "rgba material group user",
            ..NONE
        },
    ),
    read(
        "contact",
        Attributes {
            children: "pair exclude",
            ..NONE
        },
    ),
    read(
        "pair",
        Attributes {
            honoured: "name class geom1 geom2 condim friction margin solref solimp",
            noted: "solreffriction",
            neutral: &[NO_GAP],
            ..NONE
        },
    ),
    read(
        "exclude",
        Attributes {
            honoured: "name body1 body2",
            ..NONE
        },
    ),
];
