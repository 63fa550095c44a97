//! What a breaker waits for and why it changed, in a sentence.

use std::time::Duration;

use skstore_domain::breaker::{Share, WaitsFor, Why};

use super::numbers::grouped;
use super::{Language, Text};

/// What has to happen before it goes to another state, as `language` has it.
#[must_use]
pub fn waits_for_words(language: Language, waits: WaitsFor) -> String {
    match waits {
        WaitsFor::Operator => language.get(Text::BreakerWaitsOperator).to_owned(),
        WaitsFor::Time { left_ms } => {
            // Never 0.0 while there is time left.
            let tenths = left_ms.div_ceil(100);
            language.fill(Text::BreakerWaitsTime, &[&format!("{}.{}", tenths / 10, tenths % 10)])
        }
        WaitsFor::NextOrder { succeeded, probes } => {
            language.fill(Text::BreakerWaitsOrder, &[&succeeded, &probes])
        }
        WaitsFor::Probes { succeeded, probes, in_flight } => {
            language.fill(Text::BreakerWaitsProbes, &[&succeeded, &probes, &in_flight])
        }
        WaitsFor::Failures { in_a_row, consecutive_failures, charges, least_charges, calls, least_calls } => {
            let shares = if charges < least_charges {
                let numbers = [grouped(charges.into()), grouped(least_charges.into())];
                language.fill(Text::BreakerWaitsCharges, &[&numbers[0], &numbers[1]])
            } else {
                language.fill(Text::BreakerWaitsCalls, &[&calls, &least_calls])
            };
            if consecutive_failures == 0 {
                return shares;
            }
            let row = language.fill(Text::BreakerWaitsRow, &[&in_a_row, &consecutive_failures]);
            format!("{row}; {shares}")
        }
        WaitsFor::Shares { failed, failed_percent, slow, slow_percent } => {
            language.fill(Text::BreakerWaitsShares, &[&failed, &failed_percent, &slow, &slow_percent])
        }
    }
}

/// So many calls, as `language` has it.
#[must_use]
pub fn calls_words(language: Language, calls: u64) -> String {
    let text = if calls == 1 { Text::OneCall } else { Text::Calls };
    language.fill(text, &[&grouped(calls)])
}

/// Why it changed, as `language` has it.
#[must_use]
pub fn why_words(language: Language, why: Why) -> String {
    let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
    let share = |text: Text, share: Share| {
        let Share { part, charges, calls, within_ms, percent } = share;
        language.fill(text, &[&part, &charges, &calls, &seconds(within_ms), &percent])
    };
    let text = match why {
        Why::InARow { calls, within_ms, limit } => {
            return language.fill(Text::BreakerWhyRow, &[&calls, &seconds(within_ms), &limit]);
        }
        Why::Failed(failed) => return share(Text::BreakerWhyFailed, failed),
        Why::Slow(slow) => return share(Text::BreakerWhySlow, slow),
        Why::ProbesSucceeded { probes } => return language.fill(Text::BreakerProbes, &[&probes]),
        Why::ProbeSlow { took_ms } => return language.fill(Text::BreakerWhyProbeSlow, &[&took_ms]),
        Why::ProbeHangs { after_ms } => return language.fill(Text::BreakerWhyProbeHangs, &[&after_ms]),
        Why::TimeToProbe => Text::BreakerWhyTime,
        Why::ProbeFailed => Text::BreakerWhyProbeFailed,
        Why::HeldOpen => Text::BreakerWhyHeldOpen,
        Why::HeldClosed => Text::BreakerWhyHeldClosed,
        Why::LetGo => Text::BreakerWhyLetGo,
        Why::LetGoToProbe => Text::BreakerWhyLetGoToProbe,
    };
    language.get(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_why_a_breaker_changed_in_both_languages_and_in_english_as_its_worker_says_it() {
        let share = Share { part: 20, charges: 25, calls: 5, within_ms: 10_000, percent: 50 };
        let table = [
            (
                Why::InARow { calls: 5, within_ms: 2_500, limit: 4 },
                "호출 5회 연속 실패(앞 호출과 2.5초 이내); 한도 4회",
            ),
            (Why::Failed(share), "10초 동안 호출 5회의 결제 25건 중 20건 실패; 한도 50 %"),
            (Why::Slow(share), "10초 동안 호출 5회의 결제 25건 중 20건 느림·실패; 한도 50 %"),
            (Why::TimeToProbe, "시험 호출할 때가 됨"),
            (Why::ProbesSucceeded { probes: 3 }, "시험 호출 3건 성공"),
            (Why::ProbeFailed, "시험 호출 실패"),
            (Why::ProbeSlow { took_ms: 412 }, "시험 호출에 412 ms 걸림"),
            (Why::ProbeHangs { after_ms: 300 }, "시험 호출이 300 ms 동안 답을 받지 못함"),
            (Why::HeldOpen, "운영자가 열림으로 고정"),
            (Why::HeldClosed, "운영자가 닫힘으로 고정"),
            (Why::LetGo, "운영자가 놓음"),
            (Why::LetGoToProbe, "운영자가 놓음: 시험 호출"),
        ];
        for (why, korean) in table {
            assert_eq!(why_words(Language::English, why), why.to_string());
            assert_eq!(why_words(Language::Korean, why), korean);
        }
    }

    #[test]
    fn calls_are_counted_as_they_are_said() {
        let said =
            |calls| Language::ALL.iter().map(|language| calls_words(*language, calls)).collect::<Vec<_>>();
        assert_eq!(said(0), ["호출 0회", "0 calls"]);
        assert_eq!(said(1), ["호출 1회", "1 call"]);
        assert_eq!(said(1_234), ["호출 1,234회", "1,234 calls"]);
    }

    #[test]
    fn it_is_said_what_a_breaker_waits_for_in_both_languages() {
        let failures = |consecutive_failures, charges| WaitsFor::Failures {
            in_a_row: 3,
            consecutive_failures,
            charges,
            least_charges: 20,
            calls: 4,
            least_calls: 5,
        };
        let table = [
            (WaitsFor::Operator, "held until an operator lets go", "운영자가 놓을 때까지 고정"),
            (WaitsFor::Time { left_ms: 1_101 }, "half-open in 1.2 s", "1.2초 뒤 반열림"),
            (
                WaitsFor::NextOrder { succeeded: 2, probes: 3 },
                "2 of 3 probes succeeded; the next order is the next probe",
                "시험 호출 3건 중 2건 성공; 다음 주문이 시험 호출",
            ),
            (
                WaitsFor::Probes { succeeded: 2, probes: 3, in_flight: 1 },
                "2 of 3 probes succeeded; in flight: 1",
                "시험 호출 3건 중 2건 성공; 전송중 1건",
            ),
            (
                failures(5, 12),
                "3 of 5 failures in a row; 12 of 20 charges before shares count",
                "연속 실패 3/5회; 결제 12/20건부터 비율로 판단",
            ),
            (failures(0, 25), "4 of 5 calls before shares count", "호출 4/5회부터 비율로 판단"),
            (
                WaitsFor::Shares { failed: 40, failed_percent: 50, slow: 53, slow_percent: 80 },
                "opens at 50 % failed (now 40) or 80 % slow or failed (now 53)",
                "실패 50 %(현재 40) 또는 느림·실패 80 %(현재 53)에 열림",
            ),
        ];
        for (waits, english, korean) in table {
            assert_eq!(waits_for_words(Language::English, waits), english);
            assert_eq!(waits_for_words(Language::Korean, waits), korean);
        }
    }
}
