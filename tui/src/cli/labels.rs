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
    /// A name that programs and people have alike.
    pub(crate) const fn same(name: &'static str) -> Self {
        Self { korean: name, english: name }
    }

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
    ACCOUNTS = "계좌", "accounts";
    AMOUNT = "금액", "amount";
    APPLIED = "반영됨", "applied";
    AT = "시각", "at";
    AVAILABILITY = "가용성", "Availability";
    BALANCE = "잔액", "balance";
    BALANCES = "잔액 합계", "balances";
    BECAME = "결과", "became of the orders";
    BODY = "본문", "body";
    BREAKER = "차단기", "breaker";
    BYTES = "바이트", "bytes";
    CALLS = "호출", "calls";
    CALLS_MADE = "보낸 호출", "calls made";
    CAME_TO = "결과", "result";
    CANCELLED = "취소", "cancelled";
    CANCELS = "취소 요청", "cancels";
    CHANGES = "상태 변화", "changes";
    CHARGES = "결제 건", "charges";
    CHARGES_REFUSED = "차단한 결제", "charges refused";
    CONCURRENCY = "동시성", "Concurrency";
    CONSUMERS = "소비자", "consumers";
    CUSTOMER = "고객", "customer";
    DELIVERING = "배송시작", "delivering";
    DELIVERIES = "배송", "deliveries";
    DELIVERY = "배송", "delivery";
    DROPPED = "버림", "dropped";
    ELAPSED_TIME = "경과 시간", "Elapsed time";
    ENTRIES = "항목", "entries";
    EVENTS = "이벤트", "events";
    EXCHANGE = "교환기", "exchange";
    FAILED = "실패", "failed";
    FAILED_TRANSACTIONS = "실패한 거래", "Failed transactions";
    FAILURES_LET_THROUGH = "통과시킨 실패", "failures let through";
    FAULT = "장애", "fault";
    FATE = "결과", "result";
    FILE = "파일", "file";
    FORGOTTEN = "복원으로 생긴 차이", "left by a restore";
    FROM = "원본", "from";
    GAPS = "누락 구간", "gaps";
    HANDLED = "처리", "handled";
    HEADERS = "헤더", "headers";
    ID = "식별자", "id";
    INSTANCE = "인스턴스", "instance";
    IN_FLIGHT = "처리 중", "in flight";
    ITEM = "상품", "item";
    ITEMS = "상품", "items";
    KEY = "라우팅 키", "routing key";
    LOG = "로그", "log";
    LONGEST_TRANSACTION = "가장 긴 거래", "Longest transaction";
    MAY_DOUBLE = "식별자 없음: 이미 처리되었을 수 있음", "has no id: may have taken effect already";
    MESSAGES = "메시지", "messages";
    MISSING = "누락", "missing";
    MODE = "모드", "mode";
    MORE_PARKED = "더 보관된 메시지:", "more are parked:";
    NAME = "이름", "name";
    NEVER_SENT = "제때 보내지 못함", "due and never sent";
    NOTE = "비고", "note";
    NOT_FOLLOWED = "끝까지 확인 안 함", "not followed";
    NOT_PLACED = "주문되지 않음", "not placed";
    NOT_READY = "멈춤", "not ready";
    NOWHERE = "보낼 곳을 알 수 없음", "does not say where it came from";
    OPEN = "끝나지 않음", "open";
    OPEN_ORDERS = "끝나지 않은 주문", "open orders";
    ORDER = "주문", "order";
    ORDERS = "주문", "orders";
    OUTLOOK = "재전송하면", "if replayed";
    PAYMENT = "결제", "payment";
    PAYMENTS = "결제", "payments";
    PER_SECOND = "초당", "per second";
    PLACED_AT = "주문 시각", "placed at";
    PRICE = "단가", "unit price";
    QTY = "수량", "qty";
    QUEUE = "큐", "queue";
    READY = "준비됨", "ready";
    REASON = "사유", "reason";
    REBUILDING = "재구축", "rebuilding";
    RECORDED = "기록", "recorded";
    REFUSED = "거부", "refused";
    REFUSED_AGAIN = "다시 거부됨", "refused again";
    REFUSED_TRANSACTIONS = "거부된 거래", "Refused transactions";
    REJECTED = "거절", "rejected";
    REMEDY = "조치", "what is done";
    REPEATS = "반복", "repeats";
    REPLAYED = "재전송됨", "replayed";
    REPLAYED_UNDER = "다시 재생", "replayed";
    RESPONSE_TIME = "응답 시간", "Response time";
    RESTORED = "복원됨", "restored";
    ROWS = "행", "rows";
    RUN = "실행", "Run";
    SECONDS_HALF_OPEN = "반열림(초)", "seconds half-open";
    SECONDS_OPEN = "열림(초)", "seconds open";
    SEED = "시드", "Seed";
    SERVICE = "서비스", "service";
    SETTING = "설정", "setting";
    SHORTEST_TRANSACTION = "가장 짧은 거래", "Shortest transaction";
    SHOWN = "뷰 항목", "shown";
    SLOW = "느림", "slow";
    STATE = "상태", "state";
    STATUS = "상태", "status";
    STAYS = "그대로 둠", "stays";
    STOCK = "재고", "stock";
    SUCCESSFUL_TRANSACTIONS = "성공한 거래", "Successful transactions";
    TABLE = "테이블", "table";
    TAKES_EFFECT = "처리됨 (같은 식별자로는 한 번만)", "takes effect (once for its id)";
    TIMES_OPENED = "열린 횟수", "times opened";
    TO = "사본", "to";
    TOOK = "걸린 시간", "took";
    TRANSACTIONS = "거래", "Transactions";
    TRANSACTION_RATE = "초당 거래", "Transaction rate";
    UNACKED = "확인 대기", "unacked";
    UNDECIDED = "판단 보류", "undecided";
    UNSENT = "미전송", "unsent";
    UPDATED_AT = "변경 시각", "updated at";
    VIOLATIONS = "위반", "violations";
    WHAT = "내용", "event";
    WHEN_FAILED = "실패한 거래의 시간", "when failed";
    WHEN_REFUSED = "거부된 거래의 시간", "when refused";
    WOULD_DROP = "버릴 예정", "would be dropped";
    WOULD_REPLAY = "재전송할 예정", "would be replayed";
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
