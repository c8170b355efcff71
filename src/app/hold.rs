//! Holding units: what is held is not applied until the hold ends.

use std::time::Duration;

use crate::app::change::ChangeOptions;
use crate::app::outcome::Outcome;
use crate::app::related::Related;
use crate::app::rollout::duration;
use crate::app::select::Selection;
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Hold, Unit};

impl App {
    /// Holds units: an apply of them is refused, and workers leave them alone.
    ///
    /// Holding what is held already changes the end and the reason.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the selection is empty; [`Kind::Conflict`] when it moved.
    pub fn hold(
        &self,
        selection: &Selection,
        until: Option<Timestamp>,
        why: Option<&str>,
    ) -> Result<Outcome> {
        let by = self.actor();
        let why = why.map(ToOwned::to_owned).or_else(|| self.message());
        let verb = match until {
            None => "hold".to_owned(),
            Some(until) => format!("hold until {}", until.to_minutes()),
        };
        self.set_held(selection, &verb, &|unit, now| {
            let before = unit.held.as_ref().filter(|hold| hold.is_in_force(now));
            let hold = Hold {
                by: by.clone(),
                at: now,
                until,
                why: why.clone(),
            };
            match before {
                Some(same) if (same.until, &same.why) == (until, &why) => unit.held.clone(),
                _ => Some(hold),
            }
        })
    }

    /// Ends the holds of units.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub fn unhold(&self, selection: &Selection) -> Result<Outcome> {
        self.set_held(selection, "unhold", &|_, _| None)
    }

    fn set_held(
        &self,
        selection: &Selection,
        verb: &str,
        held: &dyn Fn(&Unit, Timestamp) -> Option<Hold>,
    ) -> Result<Outcome> {
        let options = ChangeOptions::default();
        self.change_records(selection, Verb::new(verb), options, &|unit, now| {
            unit.held = held(unit, now);
        })
    }

    /// The units that are held, by whom and until when.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn hold_table(&self, selection: &Selection) -> Result<Table> {
        self.read(|view| {
            let mut related = Related::new(view);
            let mut table = Table::new(["Unit", "By", "Since", "Until", "Why"]);
            for pin in selection.pins() {
                let unit = view.unit(pin.unit)?;
                let in_force = unit
                    .held
                    .as_ref()
                    .filter(|hold| hold.is_in_force(view.now()));
                let Some(hold) = in_force else {
                    continue;
                };
                let space = related.space(unit.space)?;
                let until = hold.until.map(Timestamp::to_minutes).unwrap_or_default();
                table.push(vec![
                    Cell::text(format!("{}/{}", space.slug, unit.slug)),
                    Cell::text(hold.by.clone()),
                    Cell::text(hold.at.to_minutes()),
                    Cell::text(until),
                    Cell::text(hold.why.clone().unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }

    /// Reads when a hold is to end: a duration from now (`2h`) or an instant.
    ///
    /// # Errors
    /// [`Kind::Usage`] when it is neither, or has passed already.
    pub fn instant_ahead(&self, text: &str) -> Result<Timestamp> {
        let now = self.now();
        let until = match duration(text) {
            Ok(length) => now.plus_microseconds(microseconds(length)),
            Err(_) => text.parse().map_err(|_| {
                Error::new(
                    Kind::Usage,
                    format!("expected a duration such as 2h or a time such as 2026-11-26, found `{text}`"),
                )
            })?,
        };
        if until <= now {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "expected a time after {}, found {}",
                    now.to_minutes(),
                    until.to_minutes()
                ),
            ));
        }
        Ok(until)
    }
}

impl App {
    /// Reads an instant that has passed: a time of today (`02:40`, yesterday's where that is still to
    /// come), or a date with a time; none where it is neither.
    pub fn instant_past(&self, text: &str) -> Option<Timestamp> {
        let now = self.now();
        if let Ok(at) = text.parse::<Timestamp>() {
            return (at <= now).then_some(at);
        }
        let time: jiff::civil::Time = text.parse().ok()?;
        let zone = jiff::tz::TimeZone::system();
        let today = jiff::Timestamp::from_microsecond(now.microseconds())
            .ok()?
            .to_zoned(zone.clone());
        let at = today.date().to_datetime(time).to_zoned(zone).ok()?;
        let at = if at > today {
            at.checked_sub(jiff::Span::new().days(1)).ok()?
        } else {
            at
        };
        Some(Timestamp::from_microseconds(
            at.timestamp().as_microsecond(),
        ))
    }
}

fn microseconds(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
