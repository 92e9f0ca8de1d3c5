//! Between columns and the vocabulary.

use std::error::Error;
use std::str::FromStr;

use biosignal::{Channel, DeviceId, Timestamp};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction};

use crate::error::Acted;

/// A column that holds a word of the vocabulary: an id, a level, a role.
pub(crate) fn word<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    row.get_ref(index)?.as_str()?.parse().map_err(|error| unfit(index, Type::Text, error))
}

/// The same where the column may be empty.
pub(crate) fn optional_word<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    match row.get_ref(index)?.as_str_or_null()? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error| unfit(index, Type::Text, error)),
    }
}

pub(crate) fn moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    row.get(index).map(Timestamp::from_micros)
}

pub(crate) fn optional_moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_micros))
}

pub(crate) fn channel(row: &Row<'_>, index: usize) -> rusqlite::Result<Channel> {
    Channel::from_code(row.get(index)?).map_err(|error| unfit(index, Type::Integer, error))
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(index)?.as_str()?)
        .map_err(|error| unfit(index, Type::Text, error))
}

/// A number that the schema keeps signed, though it counts from 0.
pub(crate) fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(index)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

fn unfit(index: usize, kind: Type, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
}

/// The number under which the file knows a device, where it does.
pub(crate) fn device_number(
    transaction: &Transaction<'_>,
    device: &DeviceId,
) -> Acted<Option<i64>> {
    let mut find = transaction.prepare_cached("SELECT id FROM devices WHERE name = ?1")?;
    Ok(find.query_row([device.as_str()], |row| row.get(0)).optional()?)
}

/// The same, where a device that is new gets a number.
pub(crate) fn number_device(transaction: &Transaction<'_>, device: &DeviceId) -> Acted<i64> {
    if let Some(number) = device_number(transaction, device)? {
        return Ok(number);
    }
    let mut add = transaction.prepare_cached("INSERT INTO devices (name) VALUES (?1)")?;
    Ok(add.insert([device.as_str()])?)
}

/// A random id of so many hexadecimal digits, from SQLite's generator.
pub(crate) fn random_id(transaction: &Transaction<'_>) -> Acted<String> {
    Ok(transaction.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0))?)
}
