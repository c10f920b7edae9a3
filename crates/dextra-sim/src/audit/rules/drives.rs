//! Tendons and actuators.

use super::*;

pub(super) const RULES: &[Rule] = &[
    // The section and, inside <default>, the settings of all tendons.
    read(
        "tendon",
        Attributes {
            children: "fixed spatial",
            ..TENDON
        },
    ),
    read(
        "fixed",
        Attributes {
            children: "joint=term",
            ..TENDON
        },
    ),
    read(
        "term",
        Attributes {
            honoured: "joint coef",
            ..NONE
        },
    ),
    refused(
        "spatial",
        "tendons along sites are not simulated; use a <fixed> tendon of joints",
    ),
    read(
        "actuator",
        Attributes {
            children: "general motor position velocity intvelocity damper cylinder muscle adhesion \
                   dcmotor plugin",
            ..NONE
        },
    ),
    read(
        "general",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited \
                   gainprm biasprm biastype",
            harmless: "group user lengthrange dynprm actdim actearly",
            neutral: &ACTUATOR_NEUTRAL,
            ..NONE
        },
    ),
    read("motor", ACTUATOR),
    read(
        "position",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited \
                   kp kv inheritrange",
            neutral: &[
                (
                    "timeconst",
                    "0",
                    "actuators with activation are not simulated; remove it",
                ),
                ("dampratio", "0", "write the kv that it stands for"),
            ],
            ..ACTUATOR
        },
    ),
    read(
        "velocity",
        Attributes {
            honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited kv",
            ..ACTUATOR
        },
    ),
    refused(
        "intvelocity",
        "actuators with activation are not simulated; use <position> and \
                            integrate the control",
    ),
    refused(
        "damper",
        "use joint damping, or <general> with an affine bias",
    ),
    refused("cylinder", "use <motor>"),
    refused("muscle", "muscles are not simulated; use <motor>"),
    refused("adhesion", "adhesion is not simulated; use friction"),
    refused("dcmotor", "use <motor>"),
];

const ACTUATOR: Attributes = Attributes {
    honoured: "name class joint tendon gear ctrlrange ctrllimited forcerange forcelimited",
    harmless: "group user lengthrange",
    ..NONE
};

const TENDON: Attributes = Attributes {
    children: "",
    honoured: "name class range limited margin solreflimit solimplimit stiffness damping \
               springlength",
    harmless: "group user rgba width material",
    noted: "solreffriction solimpfriction",
    neutral: &[
        (
            "frictionloss",
            "0",
            "dry friction of tendons is not simulated; put it on the joints",
        ),
        (
            "armature",
            "0",
            "armature of tendons is not simulated; put it on the joints",
        ),
        (
            "actuatorfrcrange",
            "0 0",
            "limit the actuator with forcerange instead",
        ),
        (
            "actuatorfrclimited",
            "false|auto",
            "limit the actuator with forcerange instead",
        ),
    ],
};
