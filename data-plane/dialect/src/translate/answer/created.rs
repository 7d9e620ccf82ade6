//! When an answer was made, where a dialect says so. There is no clock here; a UUIDv7 has the time in it.

/// The seconds since 1970 that a UUIDv7 tells, with or without dashes; 0 for other ids.
pub(super) fn seconds(id: &str) -> u64 {
    let digits: String = id.chars().filter(|char| *char != '-').take(33).collect();
    if digits.len() != 32 || digits.chars().nth(12) != Some('7') {
        return 0;
    }
    let time = digits
        .get(..12)
        .and_then(|time| u64::from_str_radix(time, 16).ok());
    time.unwrap_or_default() / 1000
}
