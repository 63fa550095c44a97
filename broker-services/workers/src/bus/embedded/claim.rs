//! Claims on one bus.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bus::BusError;

/// Who has which claim, and how many hold it.
#[derive(Debug, Default, Clone)]
pub(super) struct Claims(Arc<Mutex<BTreeMap<String, (String, usize)>>>);

/// See [`Claim`](crate::bus::Claim).
#[derive(Debug)]
pub struct EmbeddedClaim {
    claims: Claims,
    name: String,
}

impl Claims {
    pub(super) fn take(&self, name: &str, owner: &str) -> Result<EmbeddedClaim, BusError> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (has_it, holders) = claims.entry(name.to_owned()).or_insert_with(|| (owner.to_owned(), 0));
        if has_it != owner {
            return Err(BusError::Occupied(format!("'{name}' belongs to '{has_it}'")));
        }
        *holders += 1;
        Ok(EmbeddedClaim { claims: self.clone(), name: name.to_owned() })
    }
}

impl Drop for EmbeddedClaim {
    fn drop(&mut self) {
        let mut claims = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, holders)) = claims.get_mut(&self.name) {
            *holders -= 1;
            if *holders == 0 {
                claims.remove(&self.name);
            }
        }
    }
}
