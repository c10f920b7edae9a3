"""What MuJoCo compiles a scene to, as lines `key,index,numbers...`.

    python reference.py compile.xml > compile.csv        (likewise the other scenes here; needs: pip install mujoco)

Rotations are written as matrices and inertias as tensors in the body's frame, because quaternions
and principal axes are not unique.
"""

import sys

import mujoco
import numpy as np


def matrix(quat):
    out = np.zeros(9)
    mujoco.mju_quat2Mat(out, np.asarray(quat, float))
    return out


def first(values):
    """Damping and stiffness may be polynomials in newer versions: their constant term."""
    return np.ravel(values)[0]


def line(key, index, *values):
    numbers = np.concatenate([np.ravel(np.asarray(v, float)) for v in values])
    print(",".join([key, str(index), *(f"{x:.10g}" for x in numbers)]))


m = mujoco.MjModel.from_xml_path(sys.argv[1])
line("model", 0, m.nq, m.nv, m.nu, m.opt.timestep, m.opt.gravity)
for i in range(m.nbody):
    turn = matrix(m.body_iquat[i]).reshape(3, 3)
    tensor = turn @ np.diag(m.body_inertia[i]) @ turn.T
    line("body", i, m.body_parentid[i], m.body_pos[i], matrix(m.body_quat[i]))
    line("mass", i, m.body_mass[i], m.body_ipos[i], tensor)
for i in range(m.njnt):
    dof, free = m.jnt_dofadr[i], m.jnt_type[i] == mujoco.mjtJoint.mjJNT_FREE
    limited = m.jnt_limited[i]
    line("joint", i, m.jnt_type[i], m.jnt_bodyid[i], m.jnt_qposadr[i], dof)
    if not free:
        line("axis", i, m.jnt_pos[i], m.jnt_axis[i])
        adr = m.jnt_qposadr[i]
        line("rest", i, m.qpos_spring[adr], m.qpos0[adr])
    line("range", i, limited, m.jnt_range[i] * limited, m.jnt_solref[i], m.jnt_solimp[i])
    line("passive", i, m.jnt_margin[i], first(m.dof_damping[dof]), m.dof_armature[dof],
         m.dof_frictionloss[dof], first(m.jnt_stiffness[i]))
    driven = m.jnt_actfrclimited[i]
    line("driven", i, driven, m.jnt_actfrcrange[i] * driven)
for i in range(m.ngeom):
    material, rgba = m.geom_matid[i], m.geom_rgba[i]
    if material >= 0 and np.allclose(rgba, [0.5, 0.5, 0.5, 1]):
        rgba = m.mat_rgba[material]
    turn = matrix(m.geom_quat[i])
    if m.geom_type[i] == mujoco.mjtGeom.mjGEOM_MESH:
        # Which way its principal axes point is a matter of taste: where it lies in its body is not.
        mesh = m.geom_dataid[i]
        points = m.mesh_vert[m.mesh_vertadr[mesh]:][:m.mesh_vertnum[mesh]]
        points = points @ turn.reshape(3, 3).T + m.geom_pos[i]
        line("geom", i, m.geom_bodyid[i], m.geom_type[i], m.geom_pos[i])
        line("size", i, points.min(axis=0), points.max(axis=0))
    else:
        line("geom", i, m.geom_bodyid[i], m.geom_type[i], m.geom_pos[i], turn)
        used = {0: 2, 2: 1, 3: 2, 4: 3, 5: 2, 6: 3}[m.geom_type[i]]
        line("size", i, m.geom_size[i][:used])
    line("colour", i, rgba)
    line("contact", i, m.geom_friction[i], m.geom_margin[i], m.geom_contype[i],
         m.geom_conaffinity[i], m.geom_condim[i], m.geom_solref[i], m.geom_solimp[i])
for i in range(m.nsite):
    line("site", i, m.site_bodyid[i], m.site_pos[i], matrix(m.site_quat[i]))
for i in range(m.ntendon):
    limited, start, count = m.tendon_limited[i], m.tendon_adr[i], m.tendon_num[i]
    terms = range(start, start + count)
    line("tendon", i, *[(m.wrap_objid[k], m.wrap_prm[k]) for k in terms])
    line("length", i, limited, m.tendon_range[i] * limited, m.tendon_margin[i],
         first(m.tendon_stiffness[i]), m.tendon_lengthspring[i], m.tendon_solimp_lim[i])
for i in range(m.nu):
    affine = m.actuator_biastype[i] == mujoco.mjtBias.mjBIAS_AFFINE
    line("actuator", i, m.actuator_trntype[i], m.actuator_trnid[i][0], m.actuator_gear[i][0],
         m.actuator_gainprm[i][0], m.actuator_biasprm[i][:3] * affine)
    control, force = m.actuator_ctrllimited[i], m.actuator_forcelimited[i]
    line("ranges", i, control, m.actuator_ctrlrange[i] * control, force,
         m.actuator_forcerange[i] * force)
for i in range(m.npair):
    line("pair", i, sorted([m.pair_geom1[i], m.pair_geom2[i]]), m.pair_dim[i],
         m.pair_friction[i][[0, 2, 3]], m.pair_margin[i], m.pair_solimp[i])
