//! Python pickles of numbers and arrays: what DAPG's demonstrations are stored in.
//!
//! A pickle is a program. This reader knows the instructions that build lists, dictionaries, texts,
//! numbers and NumPy arrays, and the three functions that NumPy names in them; any other function name
//! and any other instruction ends the reading. Nothing is ever run.

use std::rc::Rc;

/// Values that a pickle may make, copies of what it remembers included.
const MAX_VALUES: usize = 1 << 20;
/// Containers inside one another.
const MAX_DEPTH: usize = 32;

/// What a pickle holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A list or a tuple.
    List(Vec<Value>),
    /// A dictionary, in its order.
    Dict(Vec<(Value, Value)>),
    /// An array of numbers.
    Array(Rc<Array>),
}

/// A NumPy array of numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub values: Vec<f64>,
}

impl Value {
    /// The entry of a dictionary under a text.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Dict(entries) = self else {
            return None;
        };
        let found = |(k, _): &&(Value, Value)| matches!(k, Value::Text(text) if text == key);
        entries.iter().find(found).map(|(_, value)| value)
    }

    /// The array that this is.
    pub fn array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }
}

/// Reads a pickle of protocol 2 to 5.
///
/// # Errors
/// What is wrong with it, and at which byte.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut machine = Machine {
        bytes,
        place: 0,
        stack: Vec::new(),
        memo: Vec::new(),
        made: 0,
    };
    machine
        .run()
        .map_err(|reason| format!("{reason} (at byte {})", machine.place))
}

/// What stands on the machine's stack: values, and what NumPy's arrays are made of.
#[derive(Clone, Debug)]
enum Node {
    Mark,
    Leaf(Value),
    /// A tuple; never changes.
    Tuple(Nodes),
    /// A list; changes, so it must not be remembered as a copy.
    List(Nodes),
    /// Keys and values by turns; changes too.
    Dict(Nodes),
    /// A function of NumPy's, not called.
    Name(Name),
    /// An array's kind of number.
    Kind(Kind),
    /// An array before its numbers are set, the first, second, ... of the file.
    Blank(usize),
}

/// Items and how deep the deepest is.
#[derive(Clone, Debug, Default)]
struct Nodes {
    items: Vec<Node>,
    depth: usize,
}

impl Nodes {
    fn extend(&mut self, items: Vec<Node>) -> Result<(), String> {
        let deepest = items.iter().map(|item| 1 + item.depth()).max();
        self.depth = self.depth.max(deepest.unwrap_or(0));
        self.items.extend(items);
        if self.depth > MAX_DEPTH {
            return Err("containers too deep inside one another".into());
        }
        Ok(())
    }
}

impl Node {
    fn depth(&self) -> usize {
        match self {
            Self::Tuple(nodes) | Self::List(nodes) | Self::Dict(nodes) => nodes.depth,
            _ => 0,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Tuple(nodes) | Self::List(nodes) | Self::Dict(nodes) => {
                1 + nodes.items.iter().map(Self::size).sum::<usize>()
            }
            _ => 1,
        }
    }

    fn value(self) -> Result<Value, String> {
        let all = |nodes: Nodes| -> Result<Vec<Value>, String> {
            nodes.items.into_iter().map(Self::value).collect()
        };
        match self {
            Self::Leaf(value) => Ok(value),
            Self::Tuple(nodes) | Self::List(nodes) => Ok(Value::List(all(nodes)?)),
            Self::Dict(nodes) => {
                let mut values = all(nodes)?.into_iter();
                let mut entries = Vec::new();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    entries.push((key, value));
                }
                Ok(Value::Dict(entries))
            }
            _ => Err("a part of an array where a value should be".into()),
        }
    }

    fn int(&self) -> Option<usize> {
        match self {
            Self::Leaf(Value::Int(number)) => usize::try_from(*number).ok(),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Name {
    Reconstruct,
    NdArray,
    DataType,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    F64,
    F32,
    I64,
    I32,
    Bool,
}

impl Kind {
    fn of(text: &str) -> Result<Self, String> {
        match text.trim_start_matches(['<', '=', '|']) {
            "f8" => Ok(Self::F64),
            "f4" => Ok(Self::F32),
            "i8" => Ok(Self::I64),
            "i4" => Ok(Self::I32),
            "b1" => Ok(Self::Bool),
            other => Err(format!("an array of `{other}`, which is not read")),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::Bool => 1,
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let eight = || bytes.try_into().unwrap_or([0; 8]);
        let four = || bytes.try_into().unwrap_or([0; 4]);
        match self {
            Self::F64 => f64::from_le_bytes(eight()),
            Self::I64 => i64::from_le_bytes(eight()) as f64,
            Self::F32 => f64::from(f32::from_le_bytes(four())),
            Self::I32 => f64::from(i32::from_le_bytes(four())),
            Self::Bool => f64::from(bytes.first().copied().unwrap_or(0)),
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    place: usize,
    stack: Vec<Node>,
    memo: Vec<Node>,
    /// Values made or copied so far.
    made: usize,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Value, String> {
        if self.byte()? != 0x80 {
            return Err("not a Python pickle".into());
        }
        let protocol = self.byte()?;
        if !(2..=5).contains(&protocol) {
            return Err(format!("a pickle of protocol {protocol}; 2 to 5 are read"));
        }
        loop {
            let instruction = self.byte()?;
            if instruction == b'.' {
                return self.pop()?.value();
            }
            self.step(instruction)?;
            self.made += 1;
            if self.made > MAX_VALUES {
                return Err("too many values".into());
            }
        }
    }

    fn step(&mut self, instruction: u8) -> Result<(), String> {
        let node = match instruction {
            // A frame only says how much may be read at once.
            0x95 => return self.take(8).map(|_| ()),
            b'q' | b'r' | 0x94 => return self.remember(instruction),
            b'a' | b'e' | b's' | b'u' => return self.fill(instruction),
            b'(' => Node::Mark,
            b'N' => Node::Leaf(Value::None),
            0x88 | 0x89 => Node::Leaf(Value::Bool(instruction == 0x88)),
            b'K' | b'M' | b'J' | 0x8a => Node::Leaf(Value::Int(self.int(instruction)?)),
            b'G' => {
                let bytes = self.take(8)?.try_into().unwrap_or([0; 8]);
                Node::Leaf(Value::Float(f64::from_be_bytes(bytes)))
            }
            b'X' | 0x8c | 0x8d => {
                let text = std::str::from_utf8(self.string(instruction)?);
                Node::Leaf(Value::Text(
                    text.map_err(|_| "a text that is not UTF-8")?.into(),
                ))
            }
            b'B' | b'C' | 0x8e => Node::Leaf(Value::Bytes(self.string(instruction)?.into())),
            b']' => Node::List(Nodes::default()),
            b'}' => Node::Dict(Nodes::default()),
            b')' => Node::Tuple(Nodes::default()),
            0x85..=0x87 => {
                let from = self
                    .stack
                    .len()
                    .checked_sub(usize::from(instruction - 0x84));
                tuple(
                    self.stack
                        .split_off(from.ok_or("a tuple of more than there is")?),
                )?
            }
            b't' => tuple(self.since_mark()?)?,
            b'h' | b'j' => self.recall(instruction)?,
            b'c' | 0x93 => Node::Name(self.name(instruction)?),
            b'R' => self.call()?,
            b'b' => self.build()?,
            other => {
                return Err(format!(
                    "the instruction {other:#04x}, which is not followed"
                ));
            }
        };
        self.stack.push(node);
        Ok(())
    }

    fn int(&mut self, instruction: u8) -> Result<i64, String> {
        Ok(match instruction {
            b'K' => self.number(1)? as i64,
            b'M' => self.number(2)? as i64,
            b'J' => i64::from(self.number(4)? as u32 as i32),
            _ => match self.byte()? {
                0 => 0,
                length @ 1..=8 => {
                    let unused = 64 - 8 * u32::from(length);
                    (self.number(length.into())? as i64) << unused >> unused
                }
                _ => return Err("a whole number beyond 64 bits".into()),
            },
        })
    }

    fn string(&mut self, instruction: u8) -> Result<&'a [u8], String> {
        let length = match instruction {
            0x8c | b'C' => self.number(1)?,
            b'X' | b'B' => self.number(4)?,
            _ => self.number(8)?,
        };
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Pickles number what they remember one by one.
    fn remember(&mut self, instruction: u8) -> Result<(), String> {
        let index = match instruction {
            b'q' => self.number(1)?,
            b'r' => self.number(4)?,
            _ => self.memo.len() as u64,
        };
        if index != self.memo.len() as u64 {
            return Err("a memory that skips numbers".into());
        }
        let node = self.stack.last().ok_or("nothing to remember")?;
        self.made += node.size();
        self.memo.push(node.clone());
        Ok(())
    }

    fn recall(&mut self, instruction: u8) -> Result<Node, String> {
        let index = self.number(if instruction == b'h' { 1 } else { 4 })?;
        let node = usize::try_from(index).ok().and_then(|i| self.memo.get(i));
        let node = node.ok_or("something that was never remembered")?;
        if matches!(node, Node::List(_) | Node::Dict(_) | Node::Mark) {
            return Err("a list or dictionary in two places, which is not read".into());
        }
        self.made += node.size();
        Ok(node.clone())
    }

    /// Adds items to a list, or keys and values to a dictionary.
    fn fill(&mut self, instruction: u8) -> Result<(), String> {
        let items = match instruction {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.since_mark()?,
        };
        match (self.stack.last_mut(), instruction) {
            (Some(Node::List(nodes)), b'a' | b'e') => nodes.extend(items),
            (Some(Node::Dict(nodes)), b's' | b'u') if items.len().is_multiple_of(2) => {
                nodes.extend(items)
            }
            _ => Err("items for what is no container of that kind".into()),
        }
    }

    fn name(&mut self, instruction: u8) -> Result<Name, String> {
        let (module, name) = if instruction == b'c' {
            (self.line()?.to_owned(), self.line()?.to_owned())
        } else {
            match (self.pop()?, self.pop()?) {
                (Node::Leaf(Value::Text(name)), Node::Leaf(Value::Text(module))) => (module, name),
                _ => return Err("a name that is no text".into()),
            }
        };
        match (module.as_str(), name.as_str()) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Ok(Name::Reconstruct)
            }
            ("numpy", "ndarray") => Ok(Name::NdArray),
            ("numpy", "dtype") => Ok(Name::DataType),
            _ => Err(format!(
                "it wants to run `{module}.{name}`: only numbers and arrays are read"
            )),
        }
    }

    /// The two calls that make an array: its kind of number, and the array without its numbers.
    fn call(&mut self) -> Result<Node, String> {
        let Node::Tuple(arguments) = self.pop()? else {
            return Err("a call without arguments".into());
        };
        match (self.pop()?, arguments.items.as_slice()) {
            (Node::Name(Name::DataType), [Node::Leaf(Value::Text(kind)), ..]) => {
                Ok(Node::Kind(Kind::of(kind)?))
            }
            (Node::Name(Name::Reconstruct), [Node::Name(Name::NdArray), ..]) => {
                Ok(Node::Blank(self.place))
            }
            _ => Err("a call of something else than NumPy's arrays".into()),
        }
    }

    /// Sets the numbers of an array, or the byte order of its kind of number.
    fn build(&mut self) -> Result<Node, String> {
        let Node::Tuple(state) = self.pop()? else {
            return Err("a state that is no tuple".into());
        };
        match self.pop()? {
            Node::Kind(kind) => match state.items.get(1) {
                Some(Node::Leaf(Value::Text(order))) if order == ">" => {
                    Err("an array of big-endian numbers, which is not read".into())
                }
                _ => Ok(Node::Kind(kind)),
            },
            Node::Blank(place) => {
                let array = Node::Leaf(Value::Array(Rc::new(array(&state.items)?)));
                // Wherever it was remembered, it now has its numbers.
                let same = |node: &&mut Node| matches!(node, Node::Blank(at) if *at == place);
                for blank in self.memo.iter_mut().rev().take(64).filter(same) {
                    *blank = array.clone();
                }
                Ok(array)
            }
            _ => Err("a state of what is no array".into()),
        }
    }

    fn since_mark(&mut self) -> Result<Vec<Node>, String> {
        let mark = self
            .stack
            .iter()
            .rposition(|node| matches!(node, Node::Mark));
        let mark = mark.ok_or("an end without a beginning")?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn pop(&mut self) -> Result<Node, String> {
        match self.stack.pop() {
            None | Some(Node::Mark) => Err("a value is missing".into()),
            Some(node) => Ok(node),
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.place.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.place..end));
        let taken = taken.ok_or("the file ends too early")?;
        self.place += count;
        Ok(taken)
    }

    /// A little-endian number of up to 8 bytes.
    fn number(&mut self, count: usize) -> Result<u64, String> {
        let bytes = self.take(count)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = self.bytes.get(self.place..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == b'\n');
        let line = self.take(end.ok_or("a name without an end")?)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|_| "a name that is not UTF-8".into())
    }
}

fn tuple(items: Vec<Node>) -> Result<Node, String> {
    let mut nodes = Nodes::default();
    nodes.extend(items)?;
    Ok(Node::Tuple(nodes))
}

/// The array of a state: version, shape, kind, whether by columns, bytes.
fn array(state: &[Node]) -> Result<Array, String> {
    let [
        _,
        Node::Tuple(shape),
        Node::Kind(kind),
        Node::Leaf(Value::Bool(by_columns)),
        Node::Leaf(Value::Bytes(bytes)),
    ] = state
    else {
        return Err("an array whose state is not NumPy's".into());
    };
    let shape: Option<Vec<usize>> = shape.items.iter().map(Node::int).collect();
    let shape = shape.ok_or("an array without a shape")?;
    let expected = shape
        .iter()
        .try_fold(kind.bytes(), |n, &side| n.checked_mul(side));
    if expected != Some(bytes.len()) {
        return Err("an array with more or fewer bytes than its shape asks for".into());
    }
    if *by_columns && shape.iter().filter(|&&side| side > 1).count() > 1 {
        return Err("an array stored by columns, which is not read".into());
    }
    let values = bytes
        .chunks_exact(kind.bytes())
        .map(|bytes| kind.number(bytes));
    Ok(Array {
        values: values.collect(),
        shape,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `pickle.dumps([{"x": np.array([[1.5, -2.0]]), "n": -3, "s": "\u00e9", "t": (True, None)}], 3)` of
    /// NumPy 2.4.
    const EXAMPLE: &[u8] = b"\x80\x03]q\x00}q\x01(X\x01\x00\x00\x00xq\x02cnumpy._core.multiarray\n\
        _reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85q\x05C\x01bq\x06\x87q\x07Rq\x08(K\x01K\x01\
        K\x02\x86q\tcnumpy\ndtype\nq\nX\x02\x00\x00\x00f8q\x0b\x89\x88\x87q\x0cRq\r(K\x03X\x01\x00\x00\
        \x00<q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb\x89C\x10\x00\x00\x00\x00\x00\x00\
        \xf8?\x00\x00\x00\x00\x00\x00\x00\xc0q\x10tq\x11bX\x01\x00\x00\x00nq\x12J\xfd\xff\xff\xffX\x01\
        \x00\x00\x00sq\x13X\x02\x00\x00\x00\xc3\xa9q\x14X\x01\x00\x00\x00tq\x15\x88N\x86q\x16ua.";

    #[test]
    fn numbers_texts_and_arrays_are_read() {
        let value = read(EXAMPLE).unwrap();
        let Value::List(paths) = &value else {
            panic!("{value:?}");
        };
        let x = paths[0].get("x").and_then(Value::array).unwrap();
        assert_eq!(
            (x.shape.as_slice(), x.values.as_slice()),
            (&[1, 2][..], &[1.5, -2.0][..])
        );
        assert_eq!(paths[0].get("n"), Some(&Value::Int(-3)));
        assert_eq!(paths[0].get("s"), Some(&Value::Text("\u{e9}".into())));
        let pair = vec![Value::Bool(true), Value::None];
        assert_eq!(paths[0].get("t"), Some(&Value::List(pair)));
    }

    #[test]
    fn nothing_is_run() {
        // pickle.dumps of an object whose __reduce__ is (os.system, ("true",)), protocols 3 and 4.
        let old = b"\x80\x03cposix\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03.";
        let new = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.";
        for bytes in [&old[..], &new[..]] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains("wants to run `posix.system`"), "{error}");
        }
    }

    #[test]
    fn few_bytes_do_not_make_many_values() {
        // Tuples of two of the last tuple, thirty times over.
        let mut bytes = vec![0x80, 4, b')', 0x94];
        for index in 0..30 {
            bytes.extend([b'h', index, b'h', index, 0x86, 0x94]);
        }
        bytes.push(b'.');
        let error = read(&bytes).unwrap_err();
        assert!(error.contains("too many values"), "{error}");
        let deep = [vec![0x80, 4, b')'], vec![0x85; 100], vec![b'.']].concat();
        assert!(read(&deep).unwrap_err().contains("too deep"));
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        use rand::{Rng, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let mut read_well = 0;
        for _ in 0..20_000 {
            let mut bytes = EXAMPLE.to_vec();
            for _ in 0..rng.random_range(1..4) {
                let place = rng.random_range(2..bytes.len());
                match rng.random_range(0..3) {
                    0 => bytes[place] = rng.random(),
                    1 => bytes[place] = EXAMPLE[rng.random_range(2..EXAMPLE.len())],
                    _ => bytes.truncate(place + 1),
                }
            }
            read_well += usize::from(read(&bytes).is_ok());
        }
        assert!(
            read_well > 100,
            "too few mutations are readable: {read_well}"
        );
    }
}
