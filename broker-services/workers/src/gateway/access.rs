//! Who may do what: the roles that tokens have, and the rights that operations ask for.

/// What somebody with a token is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Looks at everything.
    Viewer,
    /// Takes orders and cancels them.
    Desk,
    /// Tops accounts up, restocks and lists items.
    Teller,
    /// Does everything.
    Operator,
}

/// What an operation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Nothing, not even a token.
    None,
    /// To look.
    Look,
    /// To place and cancel orders.
    Order,
    /// To add money and units, and to list items.
    Supply,
    /// To have workers misbehave, and to hold the breaker.
    Operate,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Desk, Self::Teller, Self::Operator];

    /// What it is called in the file of tokens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Desk => "desk",
            Self::Teller => "teller",
            Self::Operator => "operator",
        }
    }

    /// The one whose [`word`](Self::word) this is.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    pub(super) const fn has(self, right: Right) -> bool {
        match right {
            Right::None | Right::Look => true,
            Right::Order => matches!(self, Self::Desk | Self::Operator),
            Right::Supply => matches!(self, Self::Teller | Self::Operator),
            Right::Operate => matches!(self, Self::Operator),
        }
    }
}

impl Right {
    /// What whoever lacks it may not do.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::None | Self::Look => "look",
            Self::Order => "place or cancel orders",
            Self::Supply => "top up, restock or list items",
            Self::Operate => "inject faults or hold the breaker",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Right, Role};

    #[test]
    fn each_role_may_look_and_do_what_it_is_there_for() {
        let table = [
            (Role::Viewer, [true, false, false, false]),
            (Role::Desk, [true, true, false, false]),
            (Role::Teller, [true, false, true, false]),
            (Role::Operator, [true, true, true, true]),
        ];
        for (role, may) in table {
            assert_eq!(
                [Right::Look, Right::Order, Right::Supply, Right::Operate].map(|right| role.has(right)),
                may,
                "{role:?}"
            );
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
    }
}
