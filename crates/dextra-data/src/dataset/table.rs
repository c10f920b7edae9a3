//! Tables of numbers as Parquet files, and back.
//!
//! A column holds one value per row or a list of a fixed length per row. That is all that LeRobot's and
//! Minari's numeric columns need, and what a reader can check without trusting the file.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    basic::{Compression, ConvertedType, Encoding, Repetition, Type as Physical},
    column::{
        reader::{ColumnReader, ColumnReaderImpl},
        writer::ColumnWriter,
    },
    data_type::{ByteArray, DataType},
    errors::{ParquetError, Result},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        reader::{FileReader, RowGroupReader},
        serialized_reader::SerializedFileReader,
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnDescriptor, SchemaDescriptor, Type},
};

/// Values of one column that a reader accepts; more is a hostile or a foreign file.
const MAX_VALUES: usize = 1 << 26;
/// Rows decoded at a time, so that a small file that claims much is noticed early.
const ROWS_AT_ONCE: usize = 1 << 12;

/// The values of a column, row after row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<String>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn physical(&self) -> (Physical, ConvertedType) {
        match self {
            Self::F32(_) => (Physical::FLOAT, ConvertedType::NONE),
            Self::F64(_) => (Physical::DOUBLE, ConvertedType::NONE),
            Self::I64(_) => (Physical::INT64, ConvertedType::NONE),
            Self::Bool(_) => (Physical::BOOLEAN, ConvertedType::NONE),
            Self::Text(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        }
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    /// Values per row of a list; `None` for a single value per row.
    pub width: Option<usize>,
    pub values: Values,
}

/// Columns of as many rows each, and texts about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub rows: usize,
    pub columns: Vec<Column>,
    pub texts: Vec<(String, String)>,
}

impl Table {
    pub fn push(&mut self, name: &str, values: Values) {
        self.columns.push(Column {
            name: name.to_owned(),
            width: None,
            values,
        });
    }

    pub fn push_list(&mut self, name: &str, width: usize, values: Values) {
        self.columns.push(Column {
            name: name.to_owned(),
            width: Some(width),
            values,
        });
    }

    /// Takes a column out.
    pub fn take(&mut self, name: &str) -> Option<Column> {
        let index = self.columns.iter().position(|c| c.name == name)?;
        Some(self.columns.swap_remove(index))
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(k, _)| k == key);
        found.map(|(_, text)| text.as_str())
    }
}

/// A table as a Parquet file: one row group, Snappy.
pub(crate) fn encode(table: &Table) -> std::result::Result<Vec<u8>, String> {
    write(table).map_err(|error| error.to_string())
}

fn write(table: &Table) -> Result<Vec<u8>> {
    let fields = table.columns.iter().map(field).collect::<Result<_>>()?;
    let schema = Type::group_type_builder("schema")
        .with_fields(fields)
        .build()?;
    let texts = table.texts.iter();
    let texts = texts.map(|(key, text)| KeyValue::new(key.clone(), text.clone()));
    let schema = Arc::new(schema);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // An episode is read whole: nobody looks for values in it.
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false)
        .set_created_by(concat!("dextra ", env!("CARGO_PKG_VERSION")).into())
        .set_key_value_metadata(Some(texts.collect()));
    // Numbers that change little from row to row: alike bytes stand together and compress.
    for leaf in SchemaDescriptor::new(Arc::clone(&schema)).columns() {
        if matches!(
            leaf.physical_type(),
            Physical::FLOAT | Physical::DOUBLE | Physical::INT64
        ) {
            properties =
                properties.set_column_encoding(leaf.path().clone(), Encoding::BYTE_STREAM_SPLIT);
        }
    }
    let properties = Arc::new(properties.build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut group = file.next_row_group()?;
    for column in &table.columns {
        let width = column.width.unwrap_or(1);
        if column.values.len() != table.rows * width {
            let (name, found) = (&column.name, column.values.len());
            return Err(ParquetError::General(format!(
                "column {name} has {found} values for {} rows of {width}",
                table.rows
            )));
        }
        let Some(mut writer) = group.next_column()? else {
            return Err(ParquetError::General("the schema lacks a column".into()));
        };
        write_values(writer.untyped(), column, table.rows)?;
        writer.close()?;
    }
    group.close()?;
    file.into_inner()
}

fn field(column: &Column) -> Result<Arc<Type>> {
    let (physical, converted) = column.values.physical();
    let primitive = |name: &str| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_converted_type(converted)
            .build()
    };
    if column.width.is_none() {
        return Ok(Arc::new(primitive(&column.name)?));
    }
    let list = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(primitive("element")?)])
        .build()?;
    let group = Type::group_type_builder(&column.name)
        .with_repetition(Repetition::REQUIRED)
        .with_converted_type(ConvertedType::LIST)
        .with_fields(vec![Arc::new(list)])
        .build()?;
    Ok(Arc::new(group))
}

fn write_values(writer: &mut ColumnWriter, column: &Column, rows: usize) -> Result<()> {
    // A list's values are all present (1); the first of each row begins a record (0).
    let levels = column.width.map(|width| {
        let begins = |i: usize| i16::from(!i.is_multiple_of(width));
        (
            vec![1i16; rows * width],
            (0..rows * width).map(begins).collect::<Vec<_>>(),
        )
    });
    let present = levels.as_ref().map(|(present, _)| present.as_slice());
    let begins = levels.as_ref().map(|(_, begins)| begins.as_slice());
    match (writer, &column.values) {
        (ColumnWriter::FloatColumnWriter(w), Values::F32(values)) => {
            w.write_batch(values, present, begins)
        }
        (ColumnWriter::DoubleColumnWriter(w), Values::F64(values)) => {
            w.write_batch(values, present, begins)
        }
        (ColumnWriter::Int64ColumnWriter(w), Values::I64(values)) => {
            w.write_batch(values, present, begins)
        }
        (ColumnWriter::BoolColumnWriter(w), Values::Bool(values)) => {
            w.write_batch(values, present, begins)
        }
        (ColumnWriter::ByteArrayColumnWriter(w), Values::Text(values)) => {
            let values: Vec<_> = values
                .iter()
                .map(|text| ByteArray::from(text.as_str()))
                .collect();
            w.write_batch(&values, present, begins)
        }
        _ => Err(ParquetError::General(
            "the schema does not fit the table".into(),
        )),
    }
    .map(|_| ())
}

/// Reads a Parquet file. Columns of other kinds than [`Values`] are left out; a nested column is named by
/// its path with dots.
///
/// # Errors
/// What is wrong with the file, in a few words.
pub(crate) fn decode(bytes: Vec<u8>) -> std::result::Result<Table, String> {
    // The reader trusts some lengths that a file states; a file that lies about them is no more than
    // another damaged file.
    match catch_unwind(AssertUnwindSafe(|| read(Bytes::from(bytes)))) {
        Ok(Ok(table)) => Ok(table),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it contradicts itself".into()),
    }
}

fn read(bytes: Bytes) -> Result<Table> {
    let file = SerializedFileReader::new(bytes)?;
    let metadata = file.metadata().file_metadata();
    let rows = usize::try_from(metadata.num_rows()).unwrap_or(usize::MAX);
    if rows > MAX_VALUES {
        return Err(ParquetError::General(format!("it claims {rows} rows")));
    }
    let texts = metadata.key_value_metadata().into_iter().flatten();
    let mut table = Table {
        rows,
        columns: Vec::new(),
        texts: texts
            .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
            .collect(),
    };
    for index in 0..metadata.schema_descr().num_columns() {
        let descriptor = metadata.schema_descr().column(index);
        let mut decoded: Option<Decoded> = None;
        for group in 0..file.num_row_groups() {
            let group = file.get_row_group(group)?;
            let Some(more) = read_chunk(group.as_ref(), index, &descriptor)? else {
                decoded = None;
                break;
            };
            match &mut decoded {
                None => decoded = Some(more),
                Some(decoded) => decoded.append(more)?,
            }
        }
        if let Some(decoded) = decoded {
            table.columns.push(decoded.column(&descriptor, rows)?);
        }
    }
    Ok(table)
}

/// The values of a column chunk, and how many each of its rows has.
struct Decoded {
    values: Values,
    lengths: Vec<usize>,
}

impl Decoded {
    fn append(&mut self, more: Self) -> Result<()> {
        self.lengths.extend(more.lengths);
        match (&mut self.values, more.values) {
            (Values::F32(all), Values::F32(more)) => all.extend(more),
            (Values::F64(all), Values::F64(more)) => all.extend(more),
            (Values::I64(all), Values::I64(more)) => all.extend(more),
            (Values::Bool(all), Values::Bool(more)) => all.extend(more),
            (Values::Text(all), Values::Text(more)) => all.extend(more),
            _ => return Err(ParquetError::General("a column changes its kind".into())),
        }
        Ok(())
    }

    fn column(self, descriptor: &ColumnDescriptor, rows: usize) -> Result<Column> {
        let name = column_name(descriptor);
        let width = self.lengths.first().copied().unwrap_or(0);
        let even = self.lengths.iter().all(|&length| length == width);
        if self.lengths.len() != rows || !even {
            return Err(ParquetError::General(format!(
                "column {name} has missing values or rows of different lengths"
            )));
        }
        let is_list = descriptor.max_rep_level() > 0;
        Ok(Column {
            name,
            width: is_list.then_some(width),
            values: self.values,
        })
    }
}

/// The path without what Parquet adds to a list.
fn column_name(descriptor: &ColumnDescriptor) -> String {
    let parts = descriptor.path().parts();
    let added = if descriptor.max_rep_level() > 0 { 2 } else { 0 };
    let own = parts.len().saturating_sub(added).max(1);
    parts[..own.min(parts.len())].join(".")
}

/// Reads one column of a row group; `None` for a kind that is not read.
fn read_chunk(
    group: &dyn RowGroupReader,
    index: usize,
    descriptor: &ColumnDescriptor,
) -> Result<Option<Decoded>> {
    if descriptor.max_rep_level() > 1 {
        return Ok(None);
    }
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
    let is_text = descriptor.converted_type() == ConvertedType::UTF8;
    Ok(Some(match group.get_column_reader(index)? {
        ColumnReader::FloatColumnReader(r) => read_values(r, descriptor, rows, Values::F32)?,
        ColumnReader::DoubleColumnReader(r) => read_values(r, descriptor, rows, Values::F64)?,
        ColumnReader::Int64ColumnReader(r) => read_values(r, descriptor, rows, Values::I64)?,
        ColumnReader::Int32ColumnReader(r) => read_values(r, descriptor, rows, |values| {
            Values::I64(values.into_iter().map(i64::from).collect())
        })?,
        ColumnReader::BoolColumnReader(r) => read_values(r, descriptor, rows, Values::Bool)?,
        ColumnReader::ByteArrayColumnReader(r) if is_text => {
            read_values(r, descriptor, rows, |values: Vec<ByteArray>| {
                let text = |value: &ByteArray| String::from_utf8_lossy(value.data()).into_owned();
                Values::Text(values.iter().map(text).collect())
            })?
        }
        _ => return Ok(None),
    }))
}

fn read_values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    descriptor: &ColumnDescriptor,
    rows: usize,
    kind: impl FnOnce(Vec<T::T>) -> Values,
) -> Result<Decoded> {
    let (mut values, mut present, mut begins) = (Vec::new(), Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let (records, _, _) = reader.read_records(
            ROWS_AT_ONCE.min(rows - read),
            Some(&mut present),
            Some(&mut begins),
            &mut values,
        )?;
        if records == 0 {
            break;
        }
        read += records;
        if values.len() > MAX_VALUES || present.len() > MAX_VALUES {
            return Err(ParquetError::General("a column is too long".into()));
        }
    }
    let missing = present
        .iter()
        .any(|&level| level != descriptor.max_def_level());
    if missing {
        // A list of no values is told from one that is missing by these alone; neither is a row here.
        let name = column_name(descriptor);
        return Err(ParquetError::General(format!(
            "column {name} has missing values"
        )));
    }
    let lengths = if descriptor.max_rep_level() == 0 {
        vec![1; values.len()]
    } else {
        let mut lengths = Vec::with_capacity(read);
        for &level in &begins {
            match lengths.last_mut() {
                Some(length) if level > 0 => *length += 1,
                _ => lengths.push(1),
            }
        }
        lengths
    };
    Ok(Decoded {
        values: kind(values),
        lengths,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(super) fn example() -> Table {
        let mut table = Table {
            rows: 3,
            texts: vec![("about".into(), "three rows".into())],
            ..Table::default()
        };
        table.push("index", Values::I64(vec![0, 1, i64::MAX]));
        table.push("done", Values::Bool(vec![false, false, true]));
        table.push_list(
            "obs.state",
            2,
            Values::F32(vec![1.0, -0.0, f32::MIN_POSITIVE, 3.5, 1e30, -7.25]),
        );
        table.push_list("qpos", 1, Values::F64(vec![0.1, 0.2, 0.3]));
        table.push(
            "task",
            Values::Text(vec!["a".into(), "é".into(), "".into()]),
        );
        table
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        let table = example();
        let bytes = encode(&table).unwrap();
        assert_eq!(encode(&table).unwrap(), bytes);
        assert_eq!(decode(bytes).unwrap(), table);
    }

    #[test]
    fn a_column_of_another_length_is_not_written() {
        let mut table = example();
        table.push("short", Values::F32(vec![1.0]));
        assert!(encode(&table).unwrap_err().contains("short"));
    }
}
