//! CSV files with named columns, and complaints that say where.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use csv::{Reader, ReaderBuilder, StringRecord, Terminator, Trim};

/// A file that is read row by row.
pub(crate) struct Table {
    path: PathBuf,
    reader: Reader<File>,
    header: StringRecord,
    record: StringRecord,
}

/// A row, as long as it is the last one read.
pub(crate) struct Row<'a> {
    table: &'a Table,
}

impl Table {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        // Lines end with \n alone, so that they are counted right where a \r stands before it.
        let mut reader = ReaderBuilder::new()
            .terminator(Terminator::Any(b'\n'))
            .trim(Trim::All)
            .from_reader(file);
        let header = reader.headers().with_context(|| path.display().to_string())?.clone();
        Ok(Self { path: path.to_owned(), reader, header, record: StringRecord::new() })
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> anyhow::Result<usize> {
        self.header
            .iter()
            .position(|it| it == name)
            .with_context(|| format!("{}: no column {name}", self.path.display()))
    }

    pub(crate) fn next_row(&mut self) -> anyhow::Result<Option<Row<'_>>> {
        let more = self
            .reader
            .read_record(&mut self.record)
            .with_context(|| self.path.display().to_string())?;
        Ok(more.then_some(Row { table: self }))
    }
}

impl Row<'_> {
    pub(crate) fn text(&self, column: usize) -> &str {
        self.table.record[column].trim()
    }

    /// A number that is there.
    pub(crate) fn number(&self, column: usize) -> anyhow::Result<f64> {
        let text = self.text(column);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.complain(column, &format!("{text:?} is not a number")))
    }

    /// A number, or none where the field is empty or says NaN.
    pub(crate) fn optional(&self, column: usize) -> anyhow::Result<Option<f64>> {
        let text = self.text(column);
        if text.is_empty() || text.eq_ignore_ascii_case("nan") {
            return Ok(None);
        }
        self.number(column).map(Some)
    }

    pub(crate) fn complain(&self, column: usize, what: &str) -> anyhow::Error {
        let line = self.table.record.position().map_or(0, csv::Position::line);
        let name = &self.table.header[column];
        anyhow!("{} line {line}, column {name}: {what}", self.table.path.display())
    }
}
