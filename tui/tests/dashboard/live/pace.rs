//! How often the screen changes: with what happens, with the clock, and for those who want it to be calm.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::pace::FRAMES_PER_SECOND;
use skstore_workers::clock::Clock;
use tokio::time::Instant;

use super::user::{Motion, bare_desk, runtime, watch, watch_in, written};
use crate::builders::*;

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    runtime(true).block_on(async {
        let (desk, _view) = bare_desk().await;
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["No orders yet"]).await;
            let before = user.glass.frames();
            tokio::time::sleep(Duration::from_secs(120)).await;
            assert_eq!(user.glass.frames(), before, "frames in two minutes without a change");
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn ages_are_drawn_once_a_second_and_a_flood_of_changes_not_too_often() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..5)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 5"]).await;
            let before = user.glass.frames();
            tokio::time::sleep(Duration::from_secs(10)).await;
            let frames = user.glass.frames() - before;
            assert!((9..=11).contains(&frames), "{frames} frames in 10 s in which only ages change");
            let before = user.glass.frames();
            for number in 5..5_005 {
                view.apply(&written(number..number + 1)).await.unwrap();
                user.press(KeyCode::Down);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let frames = user.glass.frames() - before;
            let most = usize::try_from(FRAMES_PER_SECOND * 10).unwrap() + 10;
            assert!(frames <= most, "{frames} frames in 10 s of changes and keys");
            assert!(frames > most / 2, "only {frames} frames in 10 s of changes and keys");
            user
        })
        .await
        .unwrap();
    });
}

/// What the settings promise of `reduced_motion`.
#[test]
fn a_calm_screen_shows_orders_within_two_seconds_ages_every_ten_and_keys_at_once() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..5)).await.unwrap();
        watch_in(Motion::Calm, desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 5"]).await;
            let before = user.glass.frames();
            tokio::time::sleep(Duration::from_secs(60)).await;
            let frames = user.glass.frames() - before;
            assert!((5..=7).contains(&frames), "{frames} frames in a minute in which only ages change");

            let before = user.glass.frames();
            for number in 5..1_005 {
                view.apply(&written(number..number + 1)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let frames = user.glass.frames() - before;
            assert!((4..=7).contains(&frames), "{frames} frames in 10 s of changes");

            for number in 2_000..2_010 {
                view.apply(&written(number..number + 1)).await.unwrap();
                let written = Instant::now();
                user.sees(&[&format!("delivering 1,{:03}", number - 1_994)]).await;
                let took = written.elapsed();
                assert!(took <= Duration::from_secs(2), "an order was shown after {took:?}");
            }

            let pressed = Instant::now();
            user.press(KeyCode::Char('2'));
            user.sees(&["[2 accounts]"]).await;
            let took = pressed.elapsed();
            assert!(took < Duration::from_millis(100), "a key was shown after {took:?}");
            user
        })
        .await
        .unwrap();
    });
}
