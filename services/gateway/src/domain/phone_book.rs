//! The numbers of one customer: how many there may be, and that one of them is the primary one, which is rung.

/// Most numbers of one customer.
pub(crate) const MOST: usize = 20;

/// What is known about whether a number can be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhoneStatus {
    /// May be rung.
    Active,
    /// Nobody is reached there.
    Unreachable,
    /// Whoever is there does not want to be called.
    OptedOut,
}

impl PhoneStatus {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Active, Self::Unreachable, Self::OptedOut];

    /// The name in tables and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unreachable => "unreachable",
            Self::OptedOut => "opted_out",
        }
    }

    /// Accepts a status by its name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| "must be active, unreachable or opted_out".to_owned())
    }
}

/// A number as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<K> {
    /// Which.
    pub(crate) id: K,
    /// E.164.
    pub(crate) value: String,
    /// The one that is rung.
    pub(crate) is_primary: bool,
}

/// Why a number cannot be added, changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are [`MOST`] already.
    Full,
    /// The customer has this number.
    Known,
    /// It is the primary one, and there are others that could be.
    Primary,
}

impl Refusal {
    /// The stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Full => "phone_limit_reached",
            Self::Known => "phone_taken",
            Self::Primary => "phone_is_primary",
        }
    }

    /// What is wrong and what would be right.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Full => format!("A customer has at most {MOST} phone numbers; remove one first"),
            Self::Known => "The customer has this phone number already".to_owned(),
            Self::Primary => {
                "This is the primary phone number; make another one the primary one first".to_owned()
            }
        }
    }
}

/// Whether a new number becomes the primary one: when that is asked for, or when it is the first one.
pub(crate) fn add<K>(book: &[Entry<K>], value: &str, primary: bool) -> Result<bool, Refusal> {
    if book.iter().any(|entry| entry.value == value) {
        return Err(Refusal::Known);
    }
    if book.len() >= MOST {
        return Err(Refusal::Full);
    }
    Ok(primary || book.is_empty())
}

/// Whether the number `id` is the primary one after a change: it may become it, and it stays it until another one is.
pub(crate) fn change<K: PartialEq>(
    book: &[Entry<K>],
    id: &K,
    value: Option<&str>,
    primary: Option<bool>,
) -> Result<bool, Refusal> {
    if book.iter().any(|entry| entry.id != *id && Some(entry.value.as_str()) == value) {
        return Err(Refusal::Known);
    }
    let is_now = book.iter().any(|entry| entry.id == *id && entry.is_primary);
    match primary {
        Some(false) if is_now => Err(Refusal::Primary),
        Some(wanted) => Ok(wanted),
        None => Ok(is_now),
    }
}

/// Whether the number `id` may go: the primary one only as the last one.
pub(crate) fn remove<K: PartialEq>(book: &[Entry<K>], id: &K) -> Result<(), Refusal> {
    let is_primary = book.iter().any(|entry| entry.id == *id && entry.is_primary);
    if is_primary && book.len() > 1 { Err(Refusal::Primary) } else { Ok(()) }
}

/// A change of a number: its status when none is named. A new number has not been tried yet; a person who has opted out has
/// done so with any number.
pub(crate) fn status(old: &str, named: Option<PhoneStatus>, other_value: bool) -> &str {
    match named {
        Some(status) => status.as_str(),
        None if other_value && old == PhoneStatus::Unreachable.as_str() => PhoneStatus::Active.as_str(),
        None => old,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn book(values: &[&str]) -> Vec<Entry<usize>> {
        let entry =
            |(id, value): (usize, &&str)| Entry { id, value: (*value).to_owned(), is_primary: id == 0 };
        values.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn the_first_number_is_the_primary_one_and_a_further_one_when_asked() {
        assert_eq!(add(&book(&[]), "+1", false), Ok(true));
        assert_eq!(add(&book(&["+1"]), "+2", false), Ok(false));
        assert_eq!(add(&book(&["+1"]), "+2", true), Ok(true));
        assert_eq!(add(&book(&["+1"]), "+1", true), Err(Refusal::Known));
        let many: Vec<String> = (0..MOST).map(|n| format!("+{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(add(&book(&many), "+99", false), Err(Refusal::Full));
        assert_eq!(add(&book(&many[1..]), "+99", false), Ok(false));
    }

    #[test]
    fn the_primary_one_goes_last() {
        assert_eq!(remove(&book(&["+1", "+2"]), &0), Err(Refusal::Primary));
        assert_eq!(remove(&book(&["+1", "+2"]), &1), Ok(()));
        assert_eq!(remove(&book(&["+1"]), &0), Ok(()));
    }

    #[test]
    fn a_new_number_has_not_been_tried_yet_and_who_opted_out_stays_so() {
        assert_eq!(status("unreachable", None, true), "active");
        assert_eq!(status("unreachable", None, false), "unreachable");
        assert_eq!(status("opted_out", None, true), "opted_out");
        assert_eq!(status("opted_out", Some(PhoneStatus::Active), false), "active");
    }

    /// One step: what is done, and to which number.
    type Step = (u8, usize, u8, Option<bool>);

    fn apply(book: &mut Vec<Entry<usize>>, next: &mut usize, (what, at, value, primary): Step) {
        let value = format!("+{value}");
        let moved = |book: &mut Vec<Entry<usize>>, id: usize| {
            book.iter_mut().for_each(|entry| entry.is_primary = entry.id == id);
        };
        let id = book.get(at % book.len().max(1)).map(|entry| entry.id);
        match (what, id) {
            (0, _) => {
                if let Ok(first) = add(book, &value, primary == Some(true)) {
                    book.push(Entry { id: *next, value, is_primary: false });
                    if first {
                        moved(book, *next);
                    }
                    *next += 1;
                }
            }
            (1, Some(id)) => {
                if let Ok(first) = change(book, &id, Some(&value), primary) {
                    book.iter_mut().filter(|e| e.id == id).for_each(|e| e.value.clone_from(&value));
                    if first {
                        moved(book, id);
                    }
                }
            }
            (_, Some(id)) if remove(book, &id).is_ok() => book.retain(|entry| entry.id != id),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn there_is_always_exactly_one_primary_number_and_none_twice(
            steps in prop::collection::vec((0_u8..3, any::<usize>(), 0_u8..30, any::<Option<bool>>()), 0..60)
        ) {
            let (mut book, mut next) = (Vec::new(), 0);
            for step in steps {
                apply(&mut book, &mut next, step);
                prop_assert!(book.len() <= MOST);
                prop_assert_eq!(book.iter().filter(|e| e.is_primary).count(), usize::from(!book.is_empty()));
                let values: std::collections::HashSet<_> = book.iter().map(|e| &e.value).collect();
                prop_assert_eq!(values.len(), book.len());
            }
        }
    }
}
