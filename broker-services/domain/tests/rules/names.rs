//! Names from outside: whatever looks the same is the same, whatever is accepted can be seen, and what older versions
//! have kept is still read as it was written.

use proptest::prelude::*;
use skstore_domain::ids::{Customer, ItemId, MAX_ID_CHARS, MAX_MARKS, is_mark, is_unsafe_to_show, unseen};

fn read(text: &str) -> Option<String> {
    Customer::new(text).ok().map(|name| name.as_str().to_owned())
}

fn kept(text: &str) -> Result<Customer, serde_json::Error> {
    serde_json::from_value(text.into())
}

#[test]
fn names_that_look_the_same_are_the_same() {
    let table = [
        ("kim", "kim"),
        (" kim", "kim"),
        ("kim ", "kim"),
        ("\t kim\u{3000}\n", "kim"),
        ("kim lee", "kim lee"),
        ("한", "한"),
        ("\u{1112}\u{1161}\u{11ab}", "한"),
        ("e\u{301}", "é"),
        ("\u{212b}", "Å"),
        ("Ω", "\u{3a9}"),
        ("a\u{323}\u{302}", "ậ"),
        ("a\u{302}\u{323}", "ậ"),
        ("김철수", "김철수"),
        ("👋", "👋"),
    ];
    for (text, name) in table {
        assert_eq!(read(text).as_deref(), Some(name), "customer {text:?}");
        let item = ItemId::new(text).map(|id| id.as_str().to_owned());
        assert_eq!(item.as_deref(), Ok(name), "item {text:?}");
    }
}

#[test]
fn names_that_look_like_another_or_like_nothing_are_refused() {
    let too_long = "가".repeat(MAX_ID_CHARS + 1);
    let pile = format!("e{}", "\u{331}".repeat(MAX_MARKS + 1));
    let table = [
        // Fillers, which count as letters.
        "\u{3164}",
        "kim\u{3164}",
        "\u{115f}kim",
        "k\u{1160}im",
        "\u{ffa0}",
        // Joiners, selectors, soft hyphens, tags.
        "kim\u{200b}",
        "kim\u{200d}",
        "\u{feff}kim",
        "k\u{ad}im",
        "kim\u{fe0f}",
        "kim\u{e0061}",
        "kim\u{34f}",
        "kim\u{2060}",
        // Directions and controls.
        "kim\u{202e}",
        "kim\u{200e}",
        "\u{61c}kim",
        "kim\u{2066}",
        "kim\u{0}",
        "kim\u{1b}[2J",
        "kim\u{7f}",
        "kim\u{85}lee",
        "kim\u{2028}lee",
        // Blanks that look like the plain one, and one that is drawn as nothing.
        "kim\u{a0}lee",
        "kim\u{3000}lee",
        "kim\u{2003}lee",
        "\u{2800}",
        // Nobody's, and nobody's yet.
        "kim\u{e000}",
        "kim\u{f0000}",
        "kim\u{378}",
        "kim\u{ffff}",
        "kim\u{10ffff}",
        // Marks without a letter of their own, and too many on one.
        "\u{301}",
        "\u{1161}",
        &pile,
        // Nothing, and too much.
        "",
        "  ",
        "\u{3000}",
        &too_long,
    ];
    for text in table {
        assert_eq!(read(text), None, "customer {text:?}");
        assert!(ItemId::new(text).is_err(), "item {text:?}");
    }
}

#[test]
fn a_name_is_counted_as_it_is_kept() {
    let parts = "\u{1112}\u{1161}\u{11ab}".repeat(MAX_ID_CHARS);
    assert_eq!(read(&parts), Some("한".repeat(MAX_ID_CHARS)), "64 syllables in 192 parts");
    assert_eq!(read(&format!("{parts}a")), None, "one more");
    let blanks = format!("{}kim{}", " ".repeat(100), " ".repeat(100));
    assert_eq!(read(&blanks).as_deref(), Some("kim"));
    assert_eq!(read(&"a".repeat(100_000)), None);
}

#[test]
fn what_older_versions_have_kept_is_read_byte_for_byte() {
    for text in [
        "kim",
        "kim ",
        " kim",
        "\u{3164}",
        "kim\u{3164}",
        "\u{1112}\u{1161}\u{11ab}",
        "kim\u{fe0f}",
        "\u{e000}",
    ] {
        let customer = kept(text).expect("it was accepted once");
        assert_eq!(customer.as_str(), text);
        assert_eq!(serde_json::to_value(&customer).unwrap(), text, "it is written as it was read");
        assert_eq!(customer.is_accepted(), text == "kim", "{text:?}");
    }
    for text in ["", "  ", "a\u{1b}", "a\u{202e}", "a\u{200b}"] {
        assert!(kept(text).is_err(), "{text:?} was never accepted");
    }
    let old = kept("kim ").unwrap();
    assert!(old.is_named_by(&Customer::new("kim ").unwrap()), "what is sent again is what was sent");
    assert!(!old.is_named_by(&Customer::new("lee").unwrap()));
}

#[test]
fn what_is_there_can_be_looked_up_by_the_name_it_has() {
    for (text, found) in [("kim ", "kim"), ("kim\u{3164}", "kim\u{3164}"), ("\u{1112}\u{1161}\u{11ab}", "한")]
    {
        assert_eq!(Customer::to_look_up(text).unwrap().as_str(), found);
    }
    assert!(Customer::to_look_up("a\u{1b}").is_err());
}

/// Texts in which the characters that matter here are as likely as all others together.
fn texts() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        ' ',
        '\u{a0}',
        '\u{3000}',
        '\u{3164}',
        '\u{115f}',
        '\u{200b}',
        '\u{200d}',
        '\u{feff}',
        '\u{202e}',
        '\u{301}',
        '\u{323}',
        '\u{302}',
        '\u{1112}',
        '\u{1161}',
        '\u{11ab}',
        '한',
        '\u{fe0f}',
        '\u{ad}',
        '\u{0}',
        '\u{7f}',
        '\u{e000}',
        '\u{378}',
        '\u{10ffff}',
        '\u{2800}',
        '\u{e0061}',
        '\u{1d15e}',
        '\u{f43}',
        '\u{344}',
        'a',
        'é',
    ]);
    let any = prop_oneof![odd, any::<char>(), prop::char::range('a', 'z')];
    prop::collection::vec(any, 0..80).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn to_read_a_name_again_changes_nothing(text in texts()) {
        if let Some(name) = read(&text) {
            prop_assert_eq!(read(&name), Some(name.clone()));
            prop_assert!(kept(&name).is_ok_and(|kept| kept.is_accepted()), "a store must be able to keep {:?}", name);
        }
    }

    #[test]
    fn what_is_accepted_can_be_seen(text in texts()) {
        if let Some(name) = read(&text) {
            prop_assert!((1..=MAX_ID_CHARS).contains(&name.chars().count()));
            prop_assert_eq!(name.trim(), &*name);
            prop_assert!(!name.chars().any(|c| unseen(c).is_some() || is_unsafe_to_show(c)), "{:?}", name);
            prop_assert!(!name.starts_with(is_mark), "{:?}", name);
        }
    }

    #[test]
    fn whatever_stands_around_a_name_that_cannot_be_seen_makes_no_other_name(
        name in "[a-z가-힣]{1,8}",
        outside in texts(),
    ) {
        let unseen_ones: String = outside.chars().filter(|c| c.is_whitespace() || unseen(*c).is_some()).collect();
        for text in [format!("{name}{unseen_ones}"), format!("{unseen_ones}{name}")] {
            prop_assert!(read(&text).is_none_or(|read| read == name), "{:?} is another name than {}", text, name);
        }
    }

    #[test]
    fn a_syllable_in_parts_is_the_syllable(syllables in "[가-힣]{1,20}") {
        let parts: String = syllables.chars().flat_map(parts_of).collect();
        prop_assert_eq!(read(&parts), Some(syllables));
    }
}

/// A Hangul syllable as Unicode's standard takes it apart, by arithmetic.
fn parts_of(syllable: char) -> Vec<char> {
    const FIRST: u32 = 0xac00;
    const VOWELS: u32 = 21;
    const FINALS: u32 = 28;
    let number = u32::from(syllable) - FIRST;
    let (lead, vowel, last) = (number / (VOWELS * FINALS), number / FINALS % VOWELS, number % FINALS);
    let parts = [Some(0x1100 + lead), Some(0x1161 + vowel), (last > 0).then_some(0x11a7 + last)];
    parts.into_iter().flatten().filter_map(char::from_u32).collect()
}
