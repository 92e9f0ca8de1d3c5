//! What the store can keep, and what it refuses before it begins.

use biosignal::Timestamp;

use crate::error::Refusal;

/// 2200-01-01. A gateway that has lost its clock says 1970, which is kept.
const END_OF_TIME: Timestamp = Timestamp::from_seconds(7_258_118_400);

/// Numbers start with 1 and fit in a column.
pub(crate) fn sequence(number: u64) -> Result<(), Refusal> {
    if (1..i64::MAX.cast_unsigned()).contains(&number) {
        return Ok(());
    }
    let why = format!("{number} is not between 1 and 2^63 - 2");
    Err(Refusal::Unfit { what: "sequence", why })
}

/// A moment is a date that somebody may have lived at.
pub(crate) fn moment(what: &'static str, moment: Timestamp) -> Result<(), Refusal> {
    if (Timestamp::default()..END_OF_TIME).contains(&moment) {
        return Ok(());
    }
    let why = format!("{} us is not between 1970 and 2200", moment.as_micros());
    Err(Refusal::Unfit { what, why })
}
