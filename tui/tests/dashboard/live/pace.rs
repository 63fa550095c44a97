//! How often the screen changes: with what happens, with the clock, and for those who want it to be calm.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::pace::FRAMES_PER_SECOND;
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::clock::Clock;
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
            let max = usize::try_from(FRAMES_PER_SECOND * 10).unwrap() + 10;
            assert!(frames <= max, "{frames} frames in 10 s of changes and keys");
            assert!(frames > max / 2, "only {frames} frames in 10 s of changes and keys");
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_heartbeats_of_all_workers_are_one_frame_a_second_and_the_last_one_is_shown() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        let last_error = "the store sqlite:item.db failed: disk is full";
        watch(desk, Clock::paused_at(NOW), |user| async {
            let mut frames = 0;
            for second in 1..=11 {
                for service in Service::ALL {
                    let at = NOW.after(Duration::from_secs(second));
                    view.beat(&Beat { at, ..beat(*service) }).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                if second == 1 {
                    frames = user.glass.frames();
                }
            }
            let frames = user.glass.frames() - frames;
            assert!((9..=11).contains(&frames), "{frames} frames in 10 s of heartbeats");

            user.press(KeyCode::Char('4'));
            user.sees(&["[4 health]"]).await;
            // Right after what the key had read.
            let at = NOW.after(Duration::from_secs(12));
            let last = Beat { at, last_error: Some(last_error.to_owned()), ..beat(Service::Item) };
            view.beat(&last).await.unwrap();
            let told = Instant::now();
            user.sees(&[last_error]).await;
            let took = told.elapsed();
            assert!(took <= Duration::from_secs(2), "the last heartbeat of all was shown after {took:?}");
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
