//! Numbered places for records, so that every index can name a record in four bytes.

/// The number of a place.
pub(super) type Slot = u32;

/// Places in one chunk. Growing adds a chunk and never moves what is there, so that no write waits for a
/// million records to be copied.
const CHUNK: usize = 1024;

/// Records by number. The number of a removed record is used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<Slot>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }

    /// Numbers given out so far, whether in use or free: every slot is below it.
    pub(super) fn end(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    pub(super) fn insert(&mut self, value: T) -> Slot {
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.place(slot) {
                *place = Some(value);
            }
            return slot;
        }
        let slot = self.end();
        if slot.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(Some(value));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "2^32 records do not fit in any machine's memory"
        )]
        let slot = slot as Slot;
        slot
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<T> {
        let value = self.place(slot)?.take()?;
        self.free.push(slot);
        Some(value)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.place(slot)?.as_mut()
    }

    fn place(&mut self, slot: Slot) -> Option<&mut Option<T>> {
        self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_its_record_until_it_is_removed_and_is_then_used_again() {
        let mut slab = Slab::new();
        let slots: Vec<Slot> = (0..3 * CHUNK).map(|n| slab.insert(n)).collect();
        assert_eq!(slab.end(), 3 * CHUNK);
        for (n, slot) in slots.iter().enumerate() {
            assert_eq!(slab.get(*slot), Some(&n), "slot {slot}");
        }
        assert_eq!(slab.remove(slots[CHUNK]), Some(CHUNK));
        assert_eq!(slab.remove(slots[CHUNK]), None, "a record is removed once");
        assert_eq!(slab.get(slots[CHUNK]), None);
        assert_eq!(slab.insert(7), slots[CHUNK], "the free place comes first");
        assert_eq!(slab.end(), 3 * CHUNK);
    }
}
