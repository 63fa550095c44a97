//! Headings and labels of the command line, in both languages. The words of the domain itself (statuses, reasons,
//! services, events) come from [`skstore::text`].

use skstore::text::Language;

/// A heading in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    korean: &'static str,
    english: &'static str,
}

impl Label {
    /// The heading as `language` has it.
    pub(crate) const fn of(self, language: Language) -> &'static str {
        match language {
            Language::Korean => self.korean,
            Language::English => self.english,
        }
    }
}

macro_rules! labels {
    ($($name:ident = $korean:literal, $english:literal;)+) => {
        $(pub(crate) const $name: Label = Label { korean: $korean, english: $english };)+
        #[cfg(test)]
        const ALL: &[Label] = &[$($name),+];
    };
}

labels! {
    ACCOUNTS = "계정", "accounts";
    AMOUNT = "금액", "amount";
    AT = "시각", "at";
    BALANCE = "잔액", "balance";
    BALANCES = "잔액 합계", "balances";
    BREAKER = "차단기", "breaker";
    CHARGES = "결제 건", "charges";
    CUSTOMER = "고객", "customer";
    DELIVERY = "배송", "delivery";
    FAILED = "실패", "failed";
    HANDLED = "처리", "handled";
    INSTANCE = "인스턴스", "instance";
    IN_FLIGHT = "처리 중", "in flight";
    ITEM = "상품", "item";
    ITEMS = "상품", "items";
    MODE = "모드", "mode";
    NAME = "이름", "name";
    NOT_READY = "멈춤", "not ready";
    NOTE = "비고", "note";
    ORDER = "주문", "order";
    ORDERS = "주문", "orders";
    PAYMENT = "결제", "payment";
    PER_SECOND = "초당", "per second";
    PLACED_AT = "주문 시각", "placed at";
    PRICE = "단가", "unit price";
    QTY = "수량", "qty";
    READY = "준비됨", "ready";
    REASON = "사유", "reason";
    REFUSED = "거부", "refused";
    SERVICE = "서비스", "service";
    SLOW = "느림", "slow";
    STATE = "상태", "state";
    STATUS = "상태", "status";
    STOCK = "재고", "stock";
    UNSENT = "미전송", "unsent";
    UPDATED_AT = "변경 시각", "updated at";
    WHAT = "내용", "event";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_there_in_every_language() {
        for label in ALL {
            for language in [Language::Korean, Language::English] {
                assert!(!label.of(language).is_empty(), "{label:?} in {language:?}");
            }
            assert!(!label.korean.is_ascii(), "{label:?} is not Korean");
        }
    }
}
