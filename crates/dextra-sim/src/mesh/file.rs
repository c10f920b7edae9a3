//! Mesh files: STL, binary and as text, and Wavefront OBJ.

use std::collections::HashMap;

/// Triangles as a file gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Surface {
    pub vertices: Vec<[f64; 3]>,
    /// Vertices of each triangle.
    pub faces: Vec<[u32; 3]>,
}

/// Reads a file by the ending of its name.
///
/// # Errors
/// A message that says what is wrong, with the line where the file has lines.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Surface, String> {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_lowercase());
    let surface = match ending.as_deref() {
        Some("stl") => stl(bytes)?,
        Some("obj") => obj(text(bytes)?)?,
        _ => return Err("only .stl and .obj are read; convert it to one of them".into()),
    };
    if surface.faces.is_empty() {
        return Err("it holds no triangles".into());
    }
    if surface.vertices.iter().flatten().any(|x| !x.is_finite()) {
        return Err("a vertex is not finite".into());
    }
    Ok(surface)
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("it is not text: {error}"))
}

/// Bytes before the triangles of a binary STL, and of each triangle.
const STL_HEAD: usize = 84;
const STL_TRIANGLE: usize = 50;

fn stl(bytes: &[u8]) -> Result<Surface, String> {
    let count = bytes
        .get(80..STL_HEAD)
        .and_then(|word| Some(u32::from_le_bytes(word.try_into().ok()?) as usize));
    let wanted = count.map(|count| STL_HEAD as u64 + STL_TRIANGLE as u64 * count as u64);
    let length = bytes.len() as u64;
    match wanted {
        // Some writers leave something after the triangles.
        Some(wanted) if wanted == length || wanted < length && !bytes.starts_with(b"solid") => {
            Ok(binary_stl(&bytes[STL_HEAD..wanted as usize]))
        }
        _ if bytes.starts_with(b"solid") => text_stl(text(bytes)?),
        Some(wanted) => Err(format!(
            "an STL that ends early: {length} bytes of {wanted}"
        )),
        None => Err("it is too short for an STL".into()),
    }
}

fn binary_stl(triangles: &[u8]) -> Surface {
    let mut welder = Welder::default();
    for triangle in triangles.chunks_exact(STL_TRIANGLE) {
        // A normal, three corners, two bytes that mean nothing.
        let number = |i: usize| {
            let at = 12 + 4 * i;
            let word = [0, 1, 2, 3].map(|k| triangle[at + k]);
            f64::from(f32::from_le_bytes(word))
        };
        let corner = |c: usize| [number(3 * c), number(3 * c + 1), number(3 * c + 2)];
        welder.add([corner(0), corner(1), corner(2)]);
    }
    welder.surface
}

fn text_stl(text: &str) -> Result<Surface, String> {
    let mut welder = Welder::default();
    let mut corners = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("vertex") => corners.push(point(words, index)?),
            Some("endfacet") => match *corners {
                [a, b, c] => {
                    welder.add([a, b, c]);
                    corners.clear();
                }
                _ => {
                    let (line, found) = (index + 1, corners.len());
                    return Err(format!("line {line}: a facet of {found} corners, not 3"));
                }
            },
            _ => {}
        }
    }
    Ok(welder.surface)
}

/// Corners at the same place are one vertex.
#[derive(Default)]
struct Welder {
    surface: Surface,
    known: HashMap<[u64; 3], u32>,
}

impl Welder {
    fn add(&mut self, corners: [[f64; 3]; 3]) {
        let face = corners.map(|corner| {
            // Zero has two signs.
            let key = corner.map(|x| (x + 0.0).to_bits());
            let vertices = &mut self.surface.vertices;
            *self.known.entry(key).or_insert_with(|| {
                vertices.push(corner);
                (vertices.len() - 1) as u32
            })
        });
        self.surface.faces.push(face);
    }
}

fn obj(text: &str) -> Result<Surface, String> {
    let mut surface = Surface::default();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("v") => surface.vertices.push(point(words, index)?),
            Some("f") => {
                let known = surface.vertices.len();
                let corners = words
                    .map(|word| corner(word, known))
                    .collect::<Option<Vec<u32>>>()
                    .filter(|corners| corners.len() >= 3)
                    .ok_or_else(|| format!("line {}: not a face: {line}", index + 1))?;
                // A polygon as a fan, as MuJoCo cuts it.
                let fan = corners[1..].windows(2);
                surface
                    .faces
                    .extend(fan.map(|two| [corners[0], two[0], two[1]]));
            }
            // Normals, textures, groups, materials: for pictures.
            _ => {}
        }
    }
    Ok(surface)
}

/// The vertex of `v`, `v/t`, `v//n` or `v/t/n`: counted from 1, or back from the newest.
fn corner(word: &str, known: usize) -> Option<u32> {
    let number: i64 = word.split('/').next()?.parse().ok()?;
    let index = match number {
        1.. => number - 1,
        _ => known as i64 + number,
    };
    let is_known = number != 0 && (0..known as i64).contains(&index);
    is_known.then_some(index as u32)
}

fn point<'a>(words: impl Iterator<Item = &'a str>, index: usize) -> Result<[f64; 3], String> {
    let mut numbers = words.map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    let point = (|| Some([next()?, next()?, next()?]))();
    point.ok_or_else(|| format!("line {}: a vertex needs three numbers", index + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Two triangles that share an edge.
    const CORNERS: [[[f32; 3]; 3]; 2] = [
        [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.5]],
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.5]],
    ];

    fn binary() -> Vec<u8> {
        let mut bytes = vec![0; 80];
        bytes.extend(2_u32.to_le_bytes());
        for triangle in CORNERS {
            let numbers = [0.0_f32; 3]
                .into_iter()
                .chain(triangle.into_iter().flatten());
            bytes.extend(numbers.flat_map(f32::to_le_bytes));
            bytes.extend([0; 2]);
        }
        bytes
    }

    #[test]
    fn three_ways_to_write_two_triangles_are_read_alike() {
        let facet = |corners: [[f32; 3]; 3]| {
            let vertex = |[x, y, z]: [f32; 3]| format!("vertex {x} {y} {z}\n");
            let lines: String = corners.into_iter().map(vertex).collect();
            format!("facet normal 0 0 1\nouter loop\n{lines}endloop\nendfacet\n")
        };
        let text: String = CORNERS.into_iter().map(facet).collect();
        let from_binary = read("a.STL", &binary()).unwrap();
        assert_eq!(
            (from_binary.vertices.len(), from_binary.faces.len()),
            (4, 2)
        );
        let from_text = read("a.stl", format!("solid a\n{text}endsolid a").as_bytes());
        assert_eq!(from_text.unwrap(), from_binary);
        let obj = "# c\nv 0 0 0\nv 1 0 0\nv 0 1 0.5\nvn 0 0 1\nf 1/1/1 2/1/1 3/1/1\nv 1 1 0\nf -3 -1 -2\n";
        assert_eq!(read("a.obj", obj.as_bytes()).unwrap(), from_binary);
        let square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n";
        let faces = read("a.obj", square.as_bytes()).unwrap().faces;
        assert_eq!(faces, [[0, 1, 2], [0, 2, 3]]);
    }

    #[test]
    fn damaged_files_are_refused_with_the_reason() {
        let refused = |name: &str, bytes: &[u8], reason: &str| {
            let message = read(name, bytes).unwrap_err();
            assert!(message.contains(reason), "{message}");
        };
        refused("a.stl", &binary()[..150], "ends early");
        refused("a.stl", b"short", "too short");
        refused("a.stl", b"solid a\nvertex 1 2\n", "line 2");
        refused("a.obj", b"v 0 0 0\nf 1 2 3\n", "line 2");
        refused("a.obj", b"v 0 0 0\n", "no triangles");
        refused("a.dae", b"", ".stl and .obj");
        let mut huge = binary();
        huge[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
        refused("a.stl", &huge, "ends early");
        let mut infinite = binary();
        infinite[96..100].copy_from_slice(&f32::INFINITY.to_le_bytes());
        refused("a.stl", &infinite, "not finite");
    }
}
