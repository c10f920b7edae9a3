"""Writes the meshes of hand.xml: a palm hollow like a cup (its middle is not in it), links, a fingertip.

    python make.py        (standard library only)
"""

import math
import struct


def prism(outline, height):
    """A polygon in x and y, cut into triangles from its first corner, stretched along z; and its walls."""
    n = len(outline)
    at = lambda i, top: (*outline[i % n], height if top else 0.0)
    faces = []
    for i in range(n):
        faces += [(at(i, 0), at(i + 1, 0), at(i + 1, 1)), (at(i, 0), at(i + 1, 1), at(i, 1))]
    return faces, at


def lids(at, triangles):
    for a, b, c in triangles:
        yield at(a, 0), at(c, 0), at(b, 0)
        yield at(a, 1), at(b, 1), at(c, 1)


def stl(path, faces):
    with open(path, "wb") as out:
        out.write(b"written by make.py".ljust(80, b" ") + struct.pack("<I", len(faces)))
        for face in faces:
            out.write(struct.pack("<12f", 0, 0, 0, *[x for corner in face for x in corner]) + b"\0\0")


# The palm, millimetres: a U of three bars.
u = [(-40, -10), (40, -10), (40, 60), (28, 60), (28, 4), (-28, 4), (-28, 60), (-40, 60)]
walls, at = prism(u, 18)
stl("palm.stl", walls + list(lids(at, [(0, 1, 4), (0, 4, 5), (1, 2, 3), (1, 3, 4), (0, 5, 6), (0, 6, 7)])))

# A link: eight sides, narrower at its end.
ring = lambda r, z: [(r * math.cos(k * math.tau / 8), r * math.sin(k * math.tau / 8), z) for k in range(8)]
low, high = ring(8.0, 0.0), ring(6.0, 40.0)
link = []
for k in range(8):
    m = (k + 1) % 8
    link += [(low[k], low[m], high[m]), (low[k], high[m], high[k])]
    link += [(low[0], low[m], low[k])] * (k not in (0, 7)) + [(high[0], high[k], high[m])] * (k not in (0, 7))
stl("link.stl", link)

# A fingertip, metres, as OBJ: half a ball of squares and triangles on a short neck.
points, faces = [], []
for z, r in [(0.0, 0.006), (0.016, 0.0062), (0.021, 0.0045)]:
    points += ring(r, z)
points.append((0.0, 0.0, 0.0235))
for level in range(2):
    for k in range(8):
        m = (k + 1) % 8
        faces.append([8 * level + k, 8 * level + m, 8 * level + 8 + m, 8 * level + 8 + k])
faces += [[16 + k, 16 + (k + 1) % 8, 24] for k in range(8)]
faces.append(list(range(7, -1, -1)))
with open("tip.obj", "w") as out:
    out.write("# written by make.py\n")
    out.writelines("v %.9g %.9g %.9g\n" % p for p in points)
    out.writelines("f %s\n" % " ".join(f"{i + 1}//1" for i in f) for f in faces)
