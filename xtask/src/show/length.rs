//! How long a demonstration takes, and by what it is judged.

/// How long a demonstration takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// As people see it.
    Whole,
    /// As long as it takes to see that it works: a slow machine meets no bounds of time then.
    Short,
}

impl Length {
    /// One of two numbers.
    pub(super) const fn pick<T: Copy>(self, whole: T, short: T) -> T {
        match self {
            Self::Whole => whole,
            Self::Short => short,
        }
    }
}
