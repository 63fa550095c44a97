//! What a breaker waits for, in a sentence.

use skstore_domain::breaker::WaitsFor;

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

#[cfg(test)]
mod tests {
    use super::*;

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
                "opens at 50 % failed (40 % now) or 80 % slow or failed (53 % now)",
                "실패 50 %(현재 40 %) 또는 느림·실패 80 %(현재 53 %)에 열림",
            ),
        ];
        for (waits, english, korean) in table {
            assert_eq!(waits_for_words(Language::English, waits), english);
            assert_eq!(waits_for_words(Language::Korean, waits), korean);
        }
    }
}
