//! Selections in another order than that of creation.

use std::cmp::Ordering;

use serde_json::Value;

use crate::app::App;
use crate::app::record::{Column, UnitRecord};
use crate::app::related::Related;
use crate::app::select::{Pin, Selection};
use crate::error::Result;
use crate::query::Quantity;

impl App {
    /// The selection in the order of a column: as amounts where every value is a number or a
    /// quantity such as `500m`, else as text. Units without a value come last, and units that are
    /// equal stay in the order they had.
    ///
    /// # Errors
    /// When the column is neither an attribute nor a data path.
    pub fn sorted(&self, selection: &Selection, column: &str) -> Result<Selection> {
        let mut sorted = selection.emptied();
        for (pin, _) in self.keyed(selection, column)? {
            sorted.push(pin);
        }
        Ok(sorted)
    }

    /// The selection cut into pieces of one value of a column each, in the order of [`Self::sorted`].
    ///
    /// # Errors
    /// As [`Self::sorted`].
    pub(crate) fn grouped(
        &self,
        selection: &Selection,
        column: &str,
    ) -> Result<Vec<(Value, Selection)>> {
        let mut groups: Vec<(Value, Selection)> = Vec::new();
        for (pin, value) in self.keyed(selection, column)? {
            match groups.last_mut() {
                Some((last, group)) if *last == value => group.push(pin),
                _ => {
                    let mut group = selection.emptied();
                    group.push(pin);
                    groups.push((value, group));
                }
            }
        }
        Ok(groups)
    }

    fn keyed(&self, selection: &Selection, column: &str) -> Result<Vec<(Pin, Value)>> {
        let column = Column::parse(column)?;
        let mut keyed = self.read(|view| {
            let mut related = Related::new(view);
            let mut keyed = Vec::with_capacity(selection.pins().len());
            for pin in selection.pins() {
                let unit = view.unit(pin.unit)?;
                let facts = related.facts(&unit)?;
                let value =
                    UnitRecord::with(view, &unit, &facts, column.reads_data(), &mut |record| {
                        record.column(&column)
                    })?;
                keyed.push((*pin, value));
            }
            Ok(keyed)
        })?;
        let present = keyed.iter().filter(|(_, value)| !value.is_null());
        if present.clone().all(|(_, value)| amount(value).is_some()) {
            sort_by(&mut keyed, amount);
        } else {
            sort_by(&mut keyed, text);
        }
        Ok(keyed)
    }
}

fn sort_by<K: Ord>(keyed: &mut [(Pin, Value)], key: impl Fn(&Value) -> Option<K>) {
    keyed.sort_by_cached_key(|(_, value)| LastIfMissing(key(value)));
}

/// Orders what is missing after everything else.
#[derive(PartialEq, Eq)]
struct LastIfMissing<K>(Option<K>);

impl<K: Ord> Ord for LastIfMissing<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |of: &Self| of.0.is_none();
        key(self)
            .cmp(&key(other))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl<K: Ord> PartialOrd for LastIfMissing<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn amount(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Some(Quantity::of_integer(number.into())),
            None => Quantity::of_float(number.as_f64()?),
        },
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
