//! One decision in memory: the aggregates it loaded, what it made of them, the events that tell it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use skstore_domain::events::Event;
use skstore_domain::json;
use skstore_domain::time::Timestamp;

use crate::store::{Changes, Key, Loaded, Write};

/// What a store keeps as one aggregate.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Its kind, as in the store's `kind` column.
    const KIND: &'static str;

    fn revision(&self) -> u64;

    /// Since when it waits for something that may never come; the store finds it by that.
    fn waiting_since(&self) -> Option<Timestamp> {
        None
    }
}

/// The aggregates of one kind in a decision.
#[derive(Debug)]
pub(crate) struct Table<R> {
    slots: BTreeMap<String, Slot<R>>,
}

#[derive(Debug)]
struct Slot<R> {
    read: u64,
    record: R,
    is_changed: bool,
    /// When it has to be looked after next, if it does not change.
    look: Option<Timestamp>,
}

impl<R: Record> Table<R> {
    /// Takes the rows of this kind out of what was loaded.
    ///
    /// # Errors
    /// A stored state that cannot be read: the key and why.
    pub(crate) fn load(loaded: &Loaded) -> Result<Self, Unreadable> {
        let first = Key::new(R::KIND, "");
        let mut slots = BTreeMap::new();
        for (key, row) in loaded.range(first..).take_while(|(key, _)| key.kind == R::KIND) {
            let record = serde_json::from_str(&row.body)
                .map_err(|error| Unreadable { key: key.clone(), cause: error.to_string() })?;
            slots.insert(key.id.clone(), Slot { read: row.revision, record, is_changed: false, look: None });
        }
        Ok(Self { slots })
    }

    /// The aggregate as it is now in this decision.
    pub(crate) fn get(&self, id: &str) -> Option<&R> {
        self.slots.get(id).map(|slot| &slot.record)
    }

    /// The aggregate after a transition.
    pub(crate) fn put(&mut self, id: &str, record: R) {
        match self.slots.get_mut(id) {
            Some(slot) => {
                slot.record = record;
                slot.is_changed = true;
            }
            None => {
                self.slots.insert(id.to_owned(), Slot { read: 0, record, is_changed: true, look: None });
            }
        }
    }

    /// It has to be looked after then, if nothing happens to it before.
    pub(crate) fn look_after(&mut self, id: &str, at: Timestamp) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.look = Some(at);
        }
    }

    /// Appends what has changed.
    pub(crate) fn write_into(self, changes: &mut Changes) {
        for (id, slot) in self.slots {
            if slot.is_changed {
                changes.writes.push(Write {
                    key: Key { kind: R::KIND, id },
                    read: slot.read,
                    revision: slot.record.revision(),
                    body: json::text(&slot.record),
                    due: slot.record.waiting_since(),
                });
            } else if let Some(at) = slot.look {
                changes.looks.push((Key { kind: R::KIND, id }, at));
            }
        }
    }
}

/// A stored state that this program cannot read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the stored {} '{}' cannot be read: {cause}", key.kind, key.id)]
pub(crate) struct Unreadable {
    pub key: Key,
    pub cause: String,
}

/// All that one decision has loaded and changed.
pub(crate) trait UnitOfWork: Sized {
    /// # Errors
    /// [`Unreadable`] for a state that cannot be read.
    fn load(loaded: &Loaded) -> Result<Self, Unreadable>;

    /// The events so far.
    fn events(&mut self) -> &mut Vec<Event>;

    /// What is to be written.
    fn into_changes(self) -> Changes;
}

/// Implements [`Record`] for types that count their transitions in a field `revision`, each with its kind.
macro_rules! records {
    ($($kind:literal: $record:ty),+ $(,)?) => {$(
        impl $crate::unit_of_work::Record for $record {
            const KIND: &'static str = $kind;

            fn revision(&self) -> u64 {
                self.revision
            }
        }
    )+};
}
pub(crate) use records;

/// Defines a unit of work: its tables, and after a semicolon what else it keeps, which begins empty.
macro_rules! unit_of_work {
    (
        $(#[$doc:meta])* $name:ident {
            $($table:ident: $record:ty),+ $(; $($(#[$about:meta])* $more:ident: $type:ty),+)?
        }
    ) => {
        $(#[$doc])*
        pub(crate) struct $name {
            $($table: $crate::unit_of_work::Table<$record>,)+
            $($($(#[$about])* $more: $type,)+)?
            events: Vec<skstore_domain::events::Event>,
            again: Vec<$crate::store::Again>,
        }

        impl $crate::unit_of_work::UnitOfWork for $name {
            fn load(loaded: &$crate::store::Loaded) -> Result<Self, $crate::unit_of_work::Unreadable> {
                Ok(Self {
                    $($table: $crate::unit_of_work::Table::load(loaded)?,)+
                    $($($more: Default::default(),)+)?
                    events: Vec::new(),
                    again: Vec::new(),
                })
            }

            fn events(&mut self) -> &mut Vec<skstore_domain::events::Event> {
                &mut self.events
            }

            fn into_changes(self) -> $crate::store::Changes {
                let mut changes = $crate::store::Changes::default();
                $(self.$table.write_into(&mut changes);)+
                changes.events = self.events.iter().map($crate::store::NewEvent::from).collect();
                changes.again = self.again;
                changes
            }
        }
    };
}
pub(crate) use unit_of_work;
