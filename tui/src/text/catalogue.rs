//! The strings themselves, both languages side by side.
//!
//! Placeholders are `{0}`, `{1}` …; both languages have the same ones, in the order that each of them wants.

macro_rules! texts {
    ($($name:ident { $korean:literal, $english:literal })+) => {
        /// Every shown string, by what it says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Text { $(#[doc = $english] $name),+ }

        impl Text {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub(super) const fn korean(self) -> &'static str {
                match self { $(Self::$name => $korean),+ }
            }

            pub(super) const fn english(self) -> &'static str {
                match self { $(Self::$name => $english),+ }
            }
        }
    };
}

texts! {
    // The header.
    ConnectionStarting { "연결 중", "connecting" }
    ConnectionLive { "연결됨", "connected" }
    ConnectionLost { "연결 끊김", "disconnected" }
    Total { "전체", "all" }
    BreakerTitle { "차단기", "breaker" }
    BreakerUnknown { "알 수 없음", "unknown" }
    BreakersAffected { "{0} {1}/{2}", "{0} {1}/{2}" }
    WaitingLong { "10초 넘게 대기 {0}", "waiting over 10 s: {0}" }
    NewAbove { "위에 새 주문 {0}건", "{0} new above" }

    // Banners.
    BannerViewLost {
        "뷰를 읽을 수 없습니다. {2}초 뒤 다시 시도합니다. 화면은 {1} 전 것입니다: {0}",
        "The view cannot be read. Next try in {2} s. This is from {1} ago: {0}"
    }
    BannerBusLost {
        "메시지 버스에 연결할 수 없습니다: {0}. 보낸 것은 없습니다",
        "The message bus cannot be reached: {0}. Nothing was sent"
    }
    BannerBusDown {
        "메시지 버스가 {1} 전에 끊겼습니다. {2}초 뒤 다시 시도합니다: {0}",
        "The message bus was lost {1} ago. Next try in {2} s: {0}"
    }
    BannerFaults { "주입된 장애: {0} ({1})", "injected faults: {0} ({1})" }
    FaultOf { "{0} {1}", "{0} {1}" }
    BannerStale {
        "{0} 동안 워커의 새 소식이 없습니다. 화면은 그만큼 오래된 것일 수 있습니다",
        "No news from any worker for {0}: what is shown may be as old"
    }
    BannerRebuilding {
        "뷰를 다시 만드는 중입니다: {0} %. 끝날 때까지 일부 주문이 보이지 않을 수 있습니다",
        "The view is being rebuilt: {0} %. Until then some orders may be missing"
    }
    TooSmall {
        "화면이 너무 작습니다: {0}×{1}. {2}×{3} 이상이 필요합니다",
        "The screen is too small: {0}x{1}. It needs at least {2}x{3}"
    }

    NoScreen {
        "skstore: TERM='{0}'에는 화면을 그릴 수 없어 대시보드 대신 상태를 한 번 출력합니다. 대시보드를 보려면: export TERM=xterm-256color",
        "skstore: nothing can be drawn on a terminal with TERM='{0}', so this is the status instead of the dashboard. For the dashboard: export TERM=xterm-256color"
    }

    // The tables of accounts and items, and what stands beside them.
    AccountsTitle { "계좌", "accounts" }
    ItemsTitle { "상품", "items" }
    AccountsSum { "{0}개, 합계 {1}원", "{0}, {1} won in all" }
    ItemsCount { "{0}가지", "{0}" }
    ColumnBalance { "잔액(원)", "balance (won)" }
    ColumnId { "번호", "id" }
    ColumnName { "이름", "name" }
    ColumnPrice { "단가(원)", "price (won)" }
    ColumnStock { "재고", "stock" }
    ColumnDelivery { "배송", "delivery" }
    ColumnQty { "수량", "qty" }
    NoAccounts { "아직 계좌가 없습니다. {0} 키로 충전하면 생깁니다", "No accounts yet. {0} tops one up" }
    NoItems { "아직 상품이 없습니다", "No items yet" }
    PaymentsOf { "{0}의 결제", "payments of {0}" }
    DeliveriesOf { "{0} 배송", "deliveries of {0}" }
    EventsTitle { "이벤트", "events" }
    EventTitle { "고른 이벤트", "the selected event" }
    FollowingEvents { "최신 {0}건을 따라가는 중", "following, the newest {0}" }
    NoEvents { "아직 이벤트가 없습니다. 일이 생기면 여기 나타납니다", "No events yet. They appear here as they happen" }
    ColumnWhat { "내용", "what" }
    ColumnSubject { "대상", "about" }
    FromName { "{0}부터", "from {0}" }
    NoOrdersThere { "주문이 없습니다", "No orders" }

    // The table of orders.
    OrdersTitle { "주문", "orders" }
    Following { "최신 주문을 따라가는 중", "following the newest" }
    Sorted { "{0}건만 정렬", "{0} loaded ones sorted" }
    Frozen { "{0} 전에 멈춤", "frozen {0} ago" }
    FrozenNew { "{0} 전에 멈춤, 새 주문 {1}건", "frozen {0} ago, {1} new" }
    FilterLoaded { "읽은 {0}건 가운데 찾습니다", "among the {0} loaded" }
    NameHint { "이름의 첫 글자", "the beginning of a name" }
    EventsHint { "내용, 대상, 고객, 사유의 글자", "words of what, about, customer or reason" }
    FilterIndexed { "색인으로 찾습니다", "found by index" }
    FilterScans { "최근 {0}건씩 훑습니다", "scans the newest {0} at a time" }
    Filtered { "필터 {0}", "filter {0}" }
    Scanned { "{0}건 확인", "scanned {0}" }
    ColumnTime { "시각", "time" }
    ColumnCustomer { "고객", "customer" }
    ColumnItem { "상품", "item" }
    ColumnAmount { "금액(원)", "won" }
    ColumnStatus { "상태", "status" }
    ColumnPayment { "결제", "payment" }
    ColumnReason { "사유", "reason" }
    ColumnAge { "경과", "age" }
    Reading { "읽는 중입니다", "Reading" }
    NoOrders { "아직 주문이 없습니다. {0} 키를 눌러 첫 주문을 하세요", "No orders yet. Press {0} to place the first" }
    NoMatch { "맞는 주문이 없습니다. {0} 키로 필터를 지웁니다", "No order matches. {0} removes the filter" }
    NoMatchYet {
        "최근 {0}건 가운데 맞는 주문이 없습니다. {1} 키로 더 찾습니다",
        "No match among the newest {0}. {1} looks further"
    }

    // Statuses.
    StatusPaying { "결제중", "paying" }
    StatusPlaced { "주문완료", "placed" }
    StatusDelivering { "배송시작", "delivering" }
    StatusCancelled { "취소", "cancelled" }
    StatusRejected { "거절", "rejected" }
    CancelRequested { "취소 요청", "cancel requested" }
    PaymentNone { "없음", "none" }
    PaymentPaid { "결제됨", "paid" }
    PaymentRefunding { "결제됨, 환불 중", "paid, the refund is under way" }
    PaymentRefunded { "환불", "refunded" }
    PaymentVoided { "무효", "voided" }
    Declined { "결제거절", "declined" }
    DeliveryNone { "없음", "none" }
    DeliveryStarted { "배송시작", "started" }
    DeliveryCancelled { "배송취소", "delivery cancelled" }
    SoldOut { "품절", "sold out" }
    ReasonCustomer { "고객 요청", "customer" }
    ReasonPaymentTimeout { "결제 시간초과", "payment timeout" }
    ReasonPaymentUnavailable { "결제 불가", "payment unavailable" }
    ReasonRestored { "저장소 복원", "store restored" }
    ReasonInsufficientBalance { "잔액 부족", "insufficient balance" }
    ReasonOrderCancelled { "주문 취소", "order cancelled" }
    ReasonOrderRejected { "주문 거절", "order rejected" }
    EventDeliveryStarted { "배송 시작", "delivery started" }
    EventNoted { "기록", "noted" }
    EventDisowned { "없는 주문", "disowned" }
    EventToppedUp { "충전", "topped up" }
    EventListed { "상품 등록", "listed" }
    EventRestocked { "입고", "restocked" }

    // Services and faults.
    ServiceOrder { "주문", "order" }
    ServiceDeposit { "예치금", "deposit" }
    ServiceItem { "상품", "item" }
    ServiceMyInfo { "내정보", "myinfo" }
    ServicesTitle { "서비스", "services" }
    ColumnService { "서비스", "service" }
    ColumnInstance { "번호", "id" }
    ColumnState { "상태", "state" }
    ColumnBeat { "신호", "beat" }
    ColumnRate { "msg/s", "msg/s" }
    ColumnUnsent { "미전송", "unsent" }
    ServiceReady { "준비됨", "ready" }
    ServiceNotReady { "멈춤", "not ready" }
    ServiceSilent { "무응답", "silent" }
    NoServices { "서비스에서 온 신호가 없습니다", "No service has been heard of" }
    LastError { "오류: {0}", "error: {0}" }
    WasWrong { "지난 일: {0}", "was: {0}" }
    WasWrongAgo { "지난 일({1} 전): {0}", "was, {1} ago: {0}" }
    PutRight { "조치 필요: {0}", "to put right: {0}" }
    SilentFor { "{0}째 무응답", "silent for {0}" }
    WaitsPayment {
        "결제(예치금)를 기다리는 주문 {0}건, 가장 오래된 것 {1}째, {2}",
        "orders that wait for their payment (deposit): {0}, the oldest for {1}, {2}"
    }
    WaitsDelivery {
        "배송(상품)을 기다리는 주문 {0}건, 가장 오래된 것 {1}째, {2}",
        "orders that wait for their delivery (item): {0}, the oldest for {1}, {2}"
    }
    WaitsRelease {
        "환불(예치금)이나 재고 복원(상품)을 기다리는 주문 {0}건, 가장 오래된 것 {1}째, {2}",
        "orders that wait for their refund (deposit), or for their units to be taken back (item): {0}, the oldest for {1}, {2}"
    }
    InjectedFault { "주입된 장애: {0}", "injected fault: {0}" }
    FaultNone { "정상", "none" }
    FaultSlow { "느림", "slow" }
    FaultLostReplies { "응답 유실", "lost replies" }
    FaultStopped { "정지", "stopped" }

    // The breaker.
    BreakerClosed { "닫힘", "closed" }
    BreakerOpen { "열림", "open" }
    BreakerHalfOpen { "반열림", "half-open" }
    ModeAuto { "자동", "auto" }
    ModeOpen { "열림 고정", "forced open" }
    ModeClosed { "닫힘 고정", "forced closed" }
    BreakerSince { "{0}째", "for {0}" }
    BreakerInFlight { "전송중 {0}/{1}", "in flight {0}/{1}" }
    BreakerProbeIn { "{0}초 뒤 시험 호출", "next probe in {0} s" }
    BreakerProbeNow { "다음 주문이 시험 호출", "the next order is a probe" }
    BreakerProbes { "시험 호출 {0}건 성공", "{0} probes succeeded" }
    BreakerJudges { "{0}건, {1}건부터 판단", "charges: {0}, judged from {1}" }
    PercentOf { "{0}/{1}%", "{0}/{1}%" }
    CountOk { "성공", "ok" }
    CountFailed { "실패", "failed" }
    CountSlow { "느림", "slow" }
    CountRefused { "차단", "refused" }
    BreakerWaitsOperator { "운영자가 놓을 때까지 고정", "held until an operator lets go" }
    BreakerWaitsTime { "{0}초 뒤 반열림", "half-open in {0} s" }
    BreakerWaitsOrder {
        "시험 호출 {1}건 중 {0}건 성공; 다음 주문이 시험 호출",
        "{0} of {1} probes succeeded; the next order is the next probe"
    }
    BreakerWaitsProbes {
        "시험 호출 {1}건 중 {0}건 성공; 전송중 {2}건",
        "{0} of {1} probes succeeded; in flight: {2}"
    }
    BreakerWaitsRow { "연속 실패 {0}/{1}회", "{0} of {1} failures in a row" }
    BreakerWaitsCharges { "결제 {0}/{1}건부터 비율로 판단", "{0} of {1} charges before shares count" }
    BreakerWaitsCalls { "호출 {0}/{1}회부터 비율로 판단", "{0} of {1} calls before shares count" }
    BreakerWaitsShares {
        "실패 {1} %(현재 {0}) 또는 느림·실패 {3} %(현재 {2})에 열림",
        "opens at {1} % failed (now {0}) or {3} % slow or failed (now {2})"
    }
    BreakerWhyRow {
        "호출 {0}회 연속 실패(앞 호출과 {1}초 이내); 한도 {2}회",
        "{0} calls in a row had no usable answer, each within {1} s of the one before; the limit is {2}"
    }
    BreakerWhyFailed {
        "{3}초 동안 호출 {2}회의 결제 {1}건 중 {0}건 실패; 한도 {4} %",
        "{0} of {1} charges in {2} calls within {3} s failed; the limit is {4} %"
    }
    BreakerWhySlow {
        "{3}초 동안 호출 {2}회의 결제 {1}건 중 {0}건 느림·실패; 한도 {4} %",
        "{0} of {1} charges in {2} calls within {3} s were slow or failed; the limit is {4} %"
    }
    BreakerWhyTime { "시험 호출할 때가 됨", "it is time to probe" }
    BreakerWhyProbeFailed { "시험 호출 실패", "a probe failed" }
    BreakerWhyProbeSlow { "시험 호출에 {0} ms 걸림", "a probe took {0} ms" }
    BreakerWhyProbeHangs { "시험 호출이 {0} ms 동안 답을 받지 못함", "a probe had no answer after {0} ms" }
    BreakerWhyHeldOpen { "운영자가 열림으로 고정", "held open by an operator" }
    BreakerWhyHeldClosed { "운영자가 닫힘으로 고정", "held closed by an operator" }
    BreakerWhyLetGo { "운영자가 놓음", "let go by an operator" }
    BreakerWhyLetGoToProbe { "운영자가 놓음: 시험 호출", "let go by an operator: it probes" }
    BreakerHistory { "최근 변화", "recent changes" }

    // A recording of it and its replay.
    Calls { "호출 {0}회", "{0} calls" }
    OneCall { "호출 {0}회", "{0} call" }
    RecordingRuns { "기록 중: {0}, {1}", "recording: {0}, {1}" }
    RecordingSilent { "기록 중: {0}, {1}째 소식 없음", "recording: {0}, nothing heard for {1}" }
    RecordingBegun {
        "{0}의 차단기를 기록합니다. {1} 키로 끝냅니다",
        "Recording the breaker of {0}. {1} ends it"
    }
    RecordingEnded { "{0}를 기록했습니다. 다른 설정으로 다시 재생: {1}", "Recorded {0}. Under other settings: {1}" }
    RecordingFull {
        "기록이 {0} MiB가 되어 끝났습니다: {1}. 다른 설정으로 다시 재생: {2}",
        "The recording is full at {0} MiB, with {1}. Under other settings: {2}"
    }
    RecordingNotTold {
        "기록하지 못했습니다: 그 워커의 소식이 없거나 워커가 호출을 알리지 않습니다",
        "Not recorded: its worker is not heard of any more, or does not tell its calls"
    }
    RecordingNoView { "뷰를 읽을 수 없어 기록하지 못했습니다: {0}", "Not recorded, the view cannot be read: {0}" }
    RecordingNotMade { "{0}을(를) 만들 수 없어 기록하지 못했습니다: {1}", "Not recorded, {0} cannot be made: {1}" }
    RecordingNotWritten {
        "{0}에 더 쓸 수 없어 기록을 끝냈습니다: {1}. 그때까지의 기록은 온전합니다",
        "The recording has ended, {0} cannot be written any more: {1}. It is whole up to there"
    }
    WhyRecordingChanges { "기록을 시작하거나 끝내는 중입니다", "The recording is just beginning or ending" }
    WhyNoBreaker {
        "소식이 있는 주문 워커가 없어 기록할 차단기가 없습니다",
        "No worker of order is heard of, so there is no breaker to record"
    }
    WhySeveralBreakers {
        "차단기가 여럿입니다. 하나를 골라 기록하세요: skstore breaker record FILE --instance NAME",
        "There are several breakers. This records one: skstore breaker record FILE --instance NAME"
    }
    WhyNoCallsTold {
        "이 주문 워커의 버전은 호출을 알리지 않습니다. 새 버전으로 바꾸세요",
        "This worker of order is of a version that does not tell its calls; bring it up to date"
    }
    ReplayOf { "{0}의 차단기, {1}부터 {2}초", "the breaker of {0}, from {1} on for {2} s" }
    ReplayNotRecorded { "기록 없음", "not recorded" }
    ReplaySameSettings {
        "설정이 같습니다. 바꾸려면: --set breaker.KEY=VALUE",
        "The settings are the same. To change one: --set breaker.KEY=VALUE"
    }
    ReplayGuessed {
        "다시 재생에서 보낸 결제 가운데 {0}건은 기록할 때 차단되어 결과가 알려지지 않았습니다. 시각이 가장 가까운 호출의 결과로 추정했습니다.",
        "Charges that were refused when recorded and are let through here: {0}. Nobody knows what they would have come to; they come to what the nearest call did."
    }
    ReplayUnknown {
        "가까운 호출이 없어 결과를 추정하지 못한 결제가 {0}건 있습니다. 통과했지만 아무것도 세지 않았습니다.",
        "Charges that are let through here with no call near enough to guess from: {0}. They count for nothing."
    }
    ReplayGaps {
        "누락 구간이 {0}곳 있습니다(알려진 누락 항목 {1}개). 그 뒤로는 양쪽 모두 기록된 상태에서 다시 시작합니다.",
        "Gaps: {0}, with {1} entries missing as far as known. After each, both begin anew from the recorded state."
    }

    // The detail.
    DetailTitle { "주문 상세", "order" }
    DetailMissing { "뷰에 이 주문이 없습니다", "The view does not have this order" }
    FieldQty { "수량", "quantity" }
    FieldUnitPrice { "단가", "unit price" }
    FieldAmount { "금액", "amount" }
    FieldDelivery { "배송", "delivery" }
    FieldCancelRequested { "취소 요청", "cancel asked" }
    FieldPlacedAt { "주문 시각", "placed" }
    FieldUpdatedAt { "변경 시각", "updated" }
    FieldRevision { "개정", "revision" }
    WonAmount { "{0}원", "{0} won" }
    Units { "{0}개", "{0}" }
    DepositAnswers { "예치금 서비스의 답", "Deposit answers" }
    OrderAnswers { "주문 서비스의 답", "Order answers" }
    Asking { "묻는 중입니다", "asking" }
    AskedAgo { "{0} 전", "{0} ago" }
    SameAsShown { "화면과 같음", "same as shown" }
    NewerThanShown { "화면보다 최신", "newer than shown" }
    TimelineTitle { "진행", "timeline" }
    TimelineEarlier { "이전 {0}건, {1}", "{0} earlier, {1}" }
    ToldAgain { "다시 알림 ({0}번째)", "told again ({0} time)" }
    AsItWas { "{0}에 이랬습니다 ({1}/{2}단계)", "as it was at {0} (step {1} of {2})" }
    RawOrder { "뷰에 있는 그대로", "word for word from the view" }
    RawSteps { "이벤트에서 뷰에 남은 것", "what the view keeps of the events" }
    NoTimeline { "아직 기록이 없습니다", "Nothing recorded yet" }

    // Forms.
    FormPlace { "주문하기", "place an order" }
    FormTopUp { "예치금 충전", "top up an account" }
    FormRestock { "상품 입고", "restock an item" }
    FieldItem { "상품", "item" }
    FieldCustomer { "고객", "customer" }
    FieldUnits { "개수", "units" }
    FieldTotal { "합계", "total" }
    Stock { "재고 {0}", "stock {0}" }
    Balance { "잔액 {0}원", "balance {0} won" }
    BalanceAfter { "결제 후 잔액 {0}원", "leaves {0} won" }
    NewAccount { "새 고객, 잔액 0원", "new customer, balance 0 won" }
    UnlistedAccount { "목록에 없음, 잔액 모름", "not listed, balance unknown" }
    NothingMatches { "맞는 것이 없습니다", "nothing matches" }
    MoreChoices { "외 {0}개", "{0} more" }
    WarnShort { "잔액이 {0}원 부족합니다. 결제가 거절될 것입니다", "The balance is {0} won short: it would be declined" }
    WarnStock { "재고가 {0}개뿐입니다. 품절로 취소될 것입니다", "Only {0} in stock. It would be cancelled as sold out" }
    NeedsItem { "상품을 고르세요", "Choose an item" }
    NeedsCustomer { "고객을 고르거나 이름을 적으세요", "Choose a customer or type a name" }
    OldName {
        "이제 쓸 수 없는 이름입니다. 이미 있는 주문만 계속됩니다",
        "This name is no longer accepted; only its orders go on"
    }
    NeedsQuantity { "수량은 1에서 1,000 사이여야 합니다", "The quantity must be 1 to 1,000" }
    NeedsAmount { "금액은 1원에서 1조 원 사이여야 합니다", "The amount must be 1 to 1,000,000,000,000 won" }
    NeedsUnits { "개수는 1에서 1조 사이여야 합니다", "The units must be 1 to 1,000,000,000,000" }
    NeedsId { "번호를 준비하는 중입니다. 다시 누르세요", "Its id is being made. Press again" }

    // Menus and questions.
    MenuBreaker { "차단기 조작", "what the breaker shall do" }
    MenuFaults { "장애 주입", "inject a fault" }
    ChoiceAuto { "자동: 스스로 판단합니다", "auto: it decides by itself" }
    ChoiceOpen { "열림 고정: 결제를 호출하지 않습니다", "forced open: no payment is called" }
    ChoiceClosed { "닫힘 고정: 실패해도 계속 호출합니다", "forced closed: it calls however much fails" }
    ChoiceFault { "{0}: {1}", "{0}: {1}" }
    SlowBy { "{0} ms 느림", "slow by {0} ms" }
    LosesReplies { "응답 {0}% 유실", "loses {0} % of its replies" }
    FaultLeft { "{0}, {1} 남음", "{0}, {1} left" }
    NoFaults { "일부러 장애를 일으킨 워커가 없습니다", "No worker misbehaves on purpose" }
    ChoiceHeal { "모두 복구", "heal all" }
    ChoiceCrash { "{0}: 죽었다 다시 시작", "{0}: crashes and starts again" }
    FaultEnds { "늦어도 {0} 뒤에는 저절로 끝납니다", "It is over by itself after {0} at the latest" }
    CrashOnBus { "브로커를 쓰면 워커의 프로세스가 죽습니다", "Over a broker the worker's whole process dies" }
    WhyFaultsForbidden {
        "이 워커의 설정(faults.allowed)은 장애 주입을 허용하지 않습니다",
        "The settings of this worker (faults.allowed) do not let faults be injected"
    }
    AskCancel { "이 주문을 취소할까요?", "Cancel this order?" }
    AskCancelPaying { "결제 결과를 안 뒤에 취소됩니다", "It is cancelled once its payment is known" }
    AskCancelPaid { "결제한 금액은 환불됩니다", "What was paid is refunded" }
    AskBreaker { "모든 주문 워커의 차단기를 바꿀까요?", "Change the breakers of all order workers?" }
    AskFault { "정말로 이 장애를 일으킬까요?", "Really make it misbehave?" }
    Yes { "예", "yes" }
    No { "아니요", "no" }
    FilterPrompt { "필터", "filter" }
    FilterHint {
        "상태:결제중 고객:kim 상품:10 번호:0193 그 밖의 글자",
        "status:paying customer:kim item:10 id:0193 any text"
    }
    BadStatus {
        "'{0}' 상태는 없습니다. 결제중, 주문완료, 배송시작, 취소, 거절 가운데 하나여야 합니다",
        "There is no status '{0}'. It must be paying, placed, delivering, cancelled or rejected"
    }
    BadItem { "'{0}'(으)로 시작하는 상품이 여럿입니다", "More than one item begins with '{0}'" }
    BadName {
        "'{0}'은(는) 쓸 수 없는 이름입니다. 보이는 글자로 64자까지입니다",
        "'{0}' cannot be a name: at most 64 characters, all to be seen"
    }

    // The load.
    LoadTitle { "부하", "load" }
    LoadHint { "load-1 … load-100 이름으로 넉넉한 상품을 주문합니다", "Orders what there is enough of, for load-1 to load-100" }
    LoadPreparing { "준비 중: 고객들의 예치금을 채웁니다", "preparing: its customers get money" }
    LoadRunning { "실행 {0}, {1}초째, 전송중 {2}", "run {0}, for {1} s, in flight {2}" }
    LoadStopping { "멈추는 중: 보낸 주문의 답을 기다립니다", "stopping: it waits for what is in flight" }
    LoadFollowing { "아직 끝나지 않은 주문 {0}건을 기다립니다", "waiting for {0} orders to end" }
    LoadEnded { "실행 {0} 끝남, 주문 {1}건", "run {0} is over, {1} orders" }
    LoadRate { "초당 주문", "orders/s" }
    LoadFastest { "최대", "max" }
    LoadPerSecond { "초당 답", "answers/s" }
    LoadRefused { "거부", "refused" }
    LoadTimes { "응답 시간", "answer time" }
    LoadBecame { "결과:", "became:" }
    LoadNotPlaced { "주문 안 됨", "not placed" }
    LoadOpen { "끝나지 않음", "open" }
    LoadNotFollowed { "끝까지 확인 안 함", "not followed" }
    LoadInHeader { "부하 {0}/초", "load {0}/s" }
    LoadFastestInHeader { "부하 최대", "load max" }
    WhyLoadRuns { "이미 주문을 넣고 있습니다", "Load is being put on already" }
    WhyNoLoad { "멈출 부하가 없습니다", "There is no load to stop" }
    WhyFastest { "이보다 빠를 수 없습니다", "It is as fast as can be" }
    WhySlowest { "이보다 느릴 수 없습니다", "It is as slow as can be" }

    // Messages.
    ToastPlace { "주문 {0}, {1} {2}개", "order by {0}, {2} of {1}" }
    ToastCancel { "취소 {0}", "cancel {0}" }
    ToastTopUp { "충전 {0}, {1}원", "top up {0} by {1} won" }
    ToastRestock { "입고 {0}, {1}개", "restock {0} by {1}" }
    ToastBreaker { "차단기 {0}", "breaker {0}" }
    ToastFault { "{0} 장애 {1}", "{0} fault {1}" }
    ToastCrash { "{0} 워커 죽이기", "crash {0}" }
    ToastHeal { "장애 복구", "heal the faults" }
    ToastQuery { "조회 {0}", "query {0}" }
    Sent { "보냈습니다. 답을 기다립니다", "sent, waiting for the answer" }
    Done { "완료", "done" }
    DoneOrder { "완료: {0}", "done: {0}" }
    RetryIn { "{0}초 뒤에 {1} 키로 같은 번호로 다시 보내세요", "In {0} s press {1} to send it again with the same id" }
    RetryNow { "{0} 키로 같은 번호로 다시 보내세요", "Press {0} to send it again with the same id" }
    NoAnswer {
        "{0} 서비스가 {1}초 안에 답하지 않았습니다. 이미 처리되었을 수 있습니다",
        "No answer from {0} within {1} s. It may still take effect"
    }
    AnswerLost {
        "{0} 서비스가 답하기 전에 메시지 버스가 끊겼습니다. 이미 처리되었을 수 있습니다",
        "The message bus was lost before {0} answered. It may still take effect"
    }
    AskAgain { "{0} 키로 같은 번호로 다시 물어보세요", "Press {0} to ask again with the same id" }
    Unreachable { "메시지 버스에 연결할 수 없어 보내지 못했습니다: {0}", "Not sent, the message bus cannot be reached: {0}" }
    CodeInvalid { "잘못된 요청입니다", "invalid" }
    CodeNotFound { "찾을 수 없습니다", "not found" }
    CodeConflict { "가격이나 내용이 그사이 달라졌습니다", "conflict: price or content is another one" }
    CodeDeclined { "잔액이 부족하여 결제가 거절되었습니다", "declined: the balance does not cover it" }
    CodePaymentTimeout {
        "결제가 제때 되지 않아 거절되었습니다. 빠져나간 돈은 환불됩니다",
        "the payment timed out: rejected, and what was charged is refunded"
    }
    CodeTryLater { "지금은 받을 수 없습니다. 아무 일도 일어나지 않았습니다", "try later: nothing has happened" }
    CodeCancelled { "주문되기 전에 취소되었습니다", "cancelled before it was placed" }
    CodeInternal { "내부 오류입니다. 메시지를 따로 보관했습니다", "a mistake of ours; the message is parked" }
    WhyNothingSelected { "선택한 주문이 없습니다", "No order is selected" }
    WhyAlreadyCancelled { "이미 취소된 주문입니다", "This order is cancelled already" }
    WhyAlreadyRejected { "거절된 주문은 취소할 것이 없습니다", "A rejected order needs no cancelling" }
    WhyCancelRequested {
        "이미 취소를 요청했습니다. 결제 결과를 기다립니다",
        "Its cancel is requested already and waits for the payment"
    }
    WhyAlreadyOpen { "이미 열려 있습니다", "It is open already" }
    WhyNothingOpen { "닫을 것이 없습니다", "Nothing is open" }
    WhyNothingToRepeat { "다시 보낼 것이 없습니다", "There is nothing to send again" }
    WhyNoMessages { "지울 메시지가 없습니다", "There is no message to dismiss" }
    WhyNoTimeline { "주문 상세를 연 뒤에 쓸 수 있습니다", "Open an order first: this goes through its timeline" }
    WhyNothingToScan { "더 찾을 주문이 없습니다", "There are no further orders to look at" }

    // Keys.
    KeyRetry { "다시 보내기", "send again" }
    KeyScanOn { "더 찾기", "look further" }
    KeyNewOrder { "주문", "order" }
    KeyCancelOrder { "취소", "cancel" }
    KeyOpen { "상세", "detail" }
    KeyBack { "뒤로", "back" }
    KeyFilter { "필터", "filter" }
    KeyTopUp { "충전", "top up" }
    KeyRestock { "입고", "restock" }
    KeyBreaker { "차단기", "breaker" }
    KeyFaults { "장애", "faults" }
    KeyLoad { "부하", "load" }
    KeyStartLoad { "시작", "start" }
    KeyStopLoad { "멈춤", "stop" }
    KeyFaster { "빠르게", "faster" }
    KeySlower { "느리게", "slower" }
    KeyNewer { "더 새 주문", "newer" }
    KeyOlder { "더 옛 주문", "older" }
    KeySwitch { "예/아니요 바꾸기", "switch" }
    KeyIncrease { "늘리기", "more" }
    KeyDecrease { "줄이기", "less" }
    KeyUp { "위로", "up" }
    KeyDown { "아래로", "down" }
    KeyPageUp { "한 화면 위로", "page up" }
    KeyPageDown { "한 화면 아래로", "page down" }
    KeyNewest { "가장 새것으로", "to the newest" }
    KeyFirst { "처음으로", "to the first" }
    KeyLast { "읽은 마지막으로", "to the last one read" }
    KeyTheirOrders { "주문 보기", "orders" }
    KeyShow { "대상 보기", "show" }
    KeyNextTab { "다음 화면", "next tab" }
    KeyPrevTab { "이전 화면", "tab before" }
    KeySort { "정렬", "sort" }
    KeyReverseSort { "거꾸로 정렬", "reverse the order" }
    KeyFreeze { "멈춤", "freeze" }
    KeyOldest { "가장 오래된 것으로", "to the oldest" }
    KeyStepBack { "앞 단계", "earlier" }
    KeyStepForward { "다음 단계", "later" }
    KeyRaw { "원문", "raw" }
    KeyPalette { "명령", "commands" }
    KeyDetailUp { "상세 위로", "detail up" }
    KeyDetailDown { "상세 아래로", "detail down" }
    KeyAccept { "선택", "choose" }
    KeySend { "보내기", "send" }
    KeyNextField { "다음 칸", "next field" }
    KeyPrevField { "이전 칸", "previous field" }
    KeyClose { "닫기", "close" }
    KeyDismiss { "메시지 지우기", "dismiss" }
    KeyPanel { "옆 창", "panel" }
    KeyLanguage { "언어", "language" }
    KeyTheme { "색", "theme" }
    KeyTime { "현지 시각/UTC", "local time or UTC" }
    TimesIn { "시각은 {0} 기준입니다", "Times are in {0}" }
    KeyHelp { "도움말", "help" }
    KeyQuit { "끝내기", "quit" }
    HelpBack { "뒤로, 없으면 메시지 지우기", "back, else dismiss a message" }
    HelpTitle { "도움말", "help" }
    ScopeOrders { "주문 목록", "orders" }
    ScopeDetail { "상세 화면", "detail" }
    ScopeFilter { "필터 입력", "filter" }
    ScopePicker { "고르는 칸", "choosing a field's value" }
    ScopeNumber { "숫자 칸", "typing a number" }
    ScopeMenu { "메뉴", "menu" }
    ScopeConfirm { "확인 질문", "question" }
    ScopePalette { "명령 찾기", "commands" }
    ScopeHelp { "도움말", "help" }
    ScopeTooSmall { "너무 작은 화면", "a screen that is too small" }

    // The tab of health.
    HealthTitle { "상태", "health" }
    PromisesTitle { "약속", "promises" }
    PromiseMoney { "돈", "money" }
    PromiseStock { "재고", "stock" }
    PromiseOrders { "주문", "orders" }
    PromiseUntold { "아직 소식이 없습니다", "nothing was told of it yet" }
    PromiseMoneyKept { "충전 {0} = 잔액 {1} + 결제 {2}", "{0} topped up = {1} held + {2} charged" }
    PromiseStockKept { "상품 {1}개, {0}단위, 음수 없음", "{0} units of {1} items, none below zero" }
    PromiseOrdersKept { "{0}건, 진행 중 {1}, 멈춘 것 없음", "{0}, {1} under way, none stuck" }
    PromiseReadTo { "({0} % 읽음)", "({0} % read)" }
    PromiseBroken { "{0}: {1}, {2} 전부터", "{0}: {1}, for {2}" }
    BreachUnbalanced { "잔액이 맞지 않습니다", "the books do not balance" }
    BreachOverdrawn { "잔액이 음수입니다", "a balance is below zero" }
    BreachStockChanged { "재고가 까닭 없이 달라졌습니다", "stock changed for no reason" }
    BreachNegativeStock { "재고가 음수입니다", "a stock is below zero" }
    BreachStuckPaying { "결제에서 멈췄습니다", "stuck while paying" }
    BreachStuckPlaced { "배송을 오래 기다립니다", "stuck waiting for its delivery" }
    BreachMissing { "로그에 빠진 것이 있습니다", "an entry of the log is missing" }
    BreachUnreadable { "로그에 읽을 수 없는 것이 있습니다", "an entry of the log cannot be read" }
    QueuesTitle { "큐", "queues" }
    QueuesUntold { "아직 알 수 없습니다", "not known" }
    UnattendedNoWorker {
        "{0}을(를) 읽는 소비자가 없습니다. 워커를 시작하세요: skstore-worker {1}",
        "nobody reads {0}: start a worker, skstore-worker {1}"
    }
    UnattendedNoReader {
        "{0}을(를) 읽는 소비자가 없습니다. {1} 워커의 소식은 있으니 왜 일을 받지 않는지 확인하세요",
        "nobody reads {0}, though a worker of {1} is heard of: see why it takes no work"
    }
    UnattendedOthers {
        "{0}의 소비자 {1}, 소식이 있는 {2} 워커 {3}. 무응답이거나 방금 끝난 워커가 없다면 다른 누군가가 메시지를 가져갑니다",
        "readers of {0}: {1}, workers of {2} that are heard of: {3}. Somebody else takes messages there, unless a worker is silent or has just ended"
    }
    ColumnQueue { "큐", "queue" }
    ColumnWaiting { "대기", "waiting" }
    ColumnInHand { "처리 중", "in hand" }
    ColumnConsumers { "소비자", "readers" }
    ColumnVersion { "버전", "version" }
    ColumnUp { "가동", "up" }
    ColumnInFlight { "처리중", "hand" }
    ChartOrders { "주문/초", "orders/s" }
    ChartLatency { "응답 ms p50/p99", "answer ms p50/p99" }
    ChartRefused { "거부/초", "refused/s" }
    RangeMinute { "1분", "1 min" }
    RangeFiveMinutes { "5분", "5 min" }
    RangeHalfHour { "30분", "30 min" }
    RangeTwoHours { "2시간", "2 h" }
    MoreBelow { "아래에 {0}줄 더", "{0} more lines below" }
    KeyRange { "기간", "range" }
    KeyRecord { "기록", "record" }
    HelpRecord { "차단기 기록 시작/끝", "record the breaker, or end that" }

    // The parked messages.
    DeadTitle { "보관된 메시지", "dead letters" }
    DeadShort { "보관", "dead" }
    DeadOldest { "가장 오래된 {0}건, 전체 {1}건", "the oldest {0} of {1}" }
    DeadBusy { "다루는 중", "in hand" }
    DeadNone {
        "보관된 메시지가 없습니다. 처리할 수 없는 메시지가 이유와 함께 여기에 놓입니다",
        "No message is parked. What cannot be handled is put here, with the reason"
    }
    DeadOriginal { "원본", "original" }
    DeadFrom { "{0} / {1}, 큐 {2}에서", "from {0} / {1}, queue {2}" }
    ColumnKey { "키", "key" }
    OutlookTakesEffect { "다시 보내면 처리됩니다", "Replayed, it takes effect" }
    OutlookMayDouble {
        "번호 없이 왔고 이미 처리되었을 수 있습니다. 다시 보내면 두 번 처리될 수 있습니다",
        "It came without an id and may have taken effect: replayed, it may do so twice"
    }
    OutlookRefused { "다시 보내도 거절됩니다: {0}", "Replayed, it would be refused again: {0}" }
    OutlookNowhere { "어디서 왔는지 알 수 없어 다시 보낼 수 없습니다", "It does not say where it came from, so it cannot be replayed" }
    AskDeal { "정말로 할까요?", "Really do this?" }
    PlanReplayOne { "메시지 {0}을(를) 같은 번호로 온 곳에 다시 보냅니다", "Message {0} is sent where it came from, with the same ids" }
    PlanReplayAll { "메시지 {0}건을 같은 번호로 온 곳에 다시 보냅니다", "{0} messages are sent where they came from, with the same ids" }
    PlanDropOne { "메시지 {0}을(를) 영영 버립니다", "Message {0} is dropped for good" }
    PlanDropAll { "메시지 {0}건을 영영 버립니다", "{0} messages are dropped for good" }
    PlanStay { "{0}건은 그대로 둡니다: {1}", "{0} stay parked: {1}" }
    PlanLeft { "{0}건은 다음 차례입니다", "{0} are left for another time" }
    DealtNothing { "할 것이 없습니다.", "Nothing would be done." }
    DealtReplayed { "{0}건을 다시 보냈습니다.", "Replayed {0}." }
    DealtDropped { "{0}건을 버렸습니다.", "Dropped {0}." }
    WhyNoPanel { "이 화면에는 옆 창이 없습니다", "This tab has nothing beside it" }
    WhyNothingParked { "보관된 메시지가 없습니다", "No message is parked" }
    WhyParkedBusy { "보관된 메시지를 다루는 중입니다", "The parked messages are in hand" }
    KeyReplayDead { "다시 보내기", "replay" }
    KeyReplayAllDead { "모두 다시", "replay all" }
    KeyDropDead { "버리기", "drop" }
    KeyDropAllDead { "모두 버리기", "drop all" }

    // The log, the clipboard, the shell.
    LogTitle { "로그", "log" }
    LogEmpty { "이 프로세스는 아직 아무것도 기록하지 않았습니다", "This process has logged nothing yet" }
    CopySent { "터미널에 복사를 맡겼습니다: {0}", "sent to the terminal to be copied: {0}" }
    WhySyllableActsNot {
        "'{0}'은(는) 글쇠 하나가 아니라 여럿({1})이라 아무 일도 하지 않았습니다. 하나씩 누르거나 영문으로 바꾸세요",
        "'{0}' is no key but several ({1}), so it did nothing. Press them one by one, or switch to Latin letters"
    }
    WhyPasteActsNot {
        "붙여 넣은 글은 여기서 아무 일도 하지 않습니다. 글을 적는 칸에 붙여 넣으세요",
        "Pasted text does nothing here. Paste it where text is typed"
    }
    GatewayListens { "HTTP 주소: {0}", "HTTP at {0}" }
    NoGateway { "이 대시보드 곁에 HTTP 게이트웨이가 없습니다: {0}", "There is no HTTP gateway beside this dashboard: {0}" }
    WhyNoShell { "되돌려 줄 셸이 없어 멈출 수 없습니다", "There is no shell that could continue it" }
    KeyLog { "로그", "log" }
    KeyCopyId { "번호 복사", "copy the id" }
    KeySuspend { "잠시 멈추기", "suspend" }
    DeadUnreachable {
        "메시지 버스에 연결할 수 없어 보관된 메시지를 볼 수 없습니다: {0}",
        "The parked messages cannot be seen, since the message bus cannot be reached: {0}"
    }
    DeadOccupied {
        "다른 사람이 보관된 메시지를 다루는 중입니다: {0}",
        "Somebody else has the parked messages in hand: {0}"
    }

    // The doctor.
    DoctorOk { "정상", "ok" }
    DoctorWrong { "이상", "wrong" }
    DoctorRemedy { "조치: {0}", "do: {0}" }
    DoctorVersion { "버전", "version" }
    DoctorTerminal { "터미널", "terminal" }
    DoctorSettings { "설정", "settings" }
    DoctorData { "데이터", "data" }
    DoctorLog { "로그", "log" }
    DoctorStores { "저장소", "stores" }
    DoctorBus { "버스", "bus" }
    DoctorView { "뷰", "view" }
    DoctorWorkers { "워커", "workers" }
    DoctorNoTerminal {
        "출력이 터미널이 아니므로 대시보드 대신 상태를 한 번 출력합니다",
        "the output is no terminal, so the status is printed instead of the dashboard"
    }
    DoctorNoKeys { "입력이 터미널이 아니어서 키를 읽을 수 없습니다", "the input is no terminal, so no keys can be read" }
    DoctorGiveKeys { "입력을 다른 곳에서 받지 말고 실행하세요", "run it without redirecting its input" }
    DoctorNoTerm { "TERM='{0}'은(는) 화면을 그릴 수 있는 터미널이 아닙니다", "TERM='{0}' is no terminal that can be drawn on" }
    DoctorSmall { "화면이 {0}x{1}로 너무 작습니다", "the screen is too small: {0}x{1}" }
    DoctorEnlarge { "{0}x{1} 이상으로 키우세요", "enlarge it to at least {0}x{1}" }
    DoctorNoZone {
        "TZ='{0}'은(는) 이 기계가 아는 시간대가 아니어서 시각을 UTC로 보여 줍니다",
        "TZ='{0}' is no time zone that is known on this machine, so times are shown in UTC"
    }
    DoctorGiveZone {
        "tzdata를 설치하거나 POSIX 방식으로 쓰세요: TZ=KST-9",
        "install tzdata, or write it as POSIX does: TZ=KST-9"
    }
    DoctorBuiltIn { "내장된 기본값", "the built-in defaults" }
    DoctorCorrectSettings {
        "그곳을 고치세요. config/skstore.toml에 모든 키가 설명되어 있습니다",
        "correct it there; config/skstore.toml explains every key"
    }
    DoctorUnwritable { "{0}에 쓸 수 없습니다: {1}", "{0} cannot be written: {1}" }
    DoctorOtherDirectory {
        "쓸 수 있게 하거나 --data-dir로 다른 디렉터리를 지정하세요",
        "make it writable, or name another directory with --data-dir"
    }
    DoctorOtherLog {
        "쓸 수 있게 하거나 --set log.file=경로로 다른 파일을 지정하세요",
        "make it writable, or name another file with --set log.file=PATH"
    }
    DoctorHeld { "{0}, 워커는 {1}에 있음", "{0}, whose workers are in {1}" }
    DoctorNotYet { "{0}, 처음 시작할 때 만듭니다", "{0}, made at the first start" }
    DoctorNoStores { "아직 없음, 처음 시작할 때 만듭니다", "none yet, made at the first start" }
    DoctorStoresElsewhere { "여기에는 없음, 워커가 있는 곳에 있습니다", "none here; they are where the workers run" }
    DoctorStoresOpen { "{0}개, 이 버전으로 열 수 있습니다", "{0}, which this version can open" }
    DoctorStoreMissing { "{0}의 저장소 {1} 가 없는데 다른 저장소는 있습니다", "{0}'s store {1} is missing, where others are there" }
    DoctorStoreOfAnother { "{0}의 저장소 {1} 는 {2}의 것입니다", "{0}'s store {1} is that of {2}" }
    DoctorStoreNameItsOwn { "설정에 제 저장소를 적거나 파일을 제자리에 두세요", "name its own in the settings, or put each file in its place" }
    DoctorStorePutBack {
        "파일을 제자리에 두세요. 다른 곳에 있다면 그 설정(--config, SKSTORE__…)으로 시작하세요",
        "put its file back; if it is elsewhere, start with the settings that say so (--config, SKSTORE__…)"
    }
    DoctorOldCustomers {
        "이제 쓸 수 없는 이름의 계좌 {0}개: {1}",
        "{0} accounts under names that are no longer accepted: {1}"
    }
    DoctorOldCustomersRemedy {
        "그 계좌의 주문은 계속되고 환불도 들어오지만, 새 주문이나 충전은 할 수 없습니다. 다른 이름으로 계좌를 여세요",
        "their orders go on and refunds reach them; nothing new is ordered or paid in under them. Open accounts under other names"
    }
    DoctorOldItems { "이제 쓸 수 없는 번호의 상품 {0}개: {1}", "{0} items under ids that are no longer accepted: {1}" }
    DoctorOldItemsRemedy {
        "그 상품의 주문은 계속되지만, 새 주문이나 입고는 할 수 없습니다. 다른 번호로 상품을 등록하세요",
        "their orders go on; nothing new is ordered or restocked under them. List them under other ids"
    }
    DoctorStoreVersion {
        "그것을 만든 프로그램을 쓰거나 --data-dir로 다른 디렉터리를 지정하세요",
        "use the program that wrote it, or name another directory with --data-dir"
    }
    DoctorStoreServer {
        "PostgreSQL 서버와 그 권한을 확인하세요; 테이블은 워커가 처음 시작할 때 만듭니다",
        "see to the PostgreSQL server and to what its user may do there; the tables are made by the first worker that starts"
    }
    DoctorStoreBroken {
        "백업에서 {0}을(를) 되돌리거나 그 권한과 디스크를 확인하세요",
        "check the permissions and the disk of {0}, or bring it back from a backup"
    }
    DoctorEmbedded { "{0} 이 프로세스 안에 있습니다", "{0} it is within this process" }
    DoctorConnected { "{0} 응답합니다", "{0} answers" }
    DoctorMissing { "브로커에 없습니다: {0}", "not on the broker: {0}" }
    DoctorStartWorker {
        "워커를 시작하세요. 실행 중인 워커는 30초 안에 다시 선언합니다",
        "start a worker, which declares it; those that run do so within half a minute"
    }
    DoctorOverruled {
        "{0}이(가) 큐 '{1}'에 {2}을(를) 적용합니다. 메시지가 사라지거나 거부될 수 있습니다",
        "{0} sets {2} on queue '{1}', where messages can then be lost or refused"
    }
    DoctorClearPolicy {
        "정책이 그 큐에 맞지 않게 하거나 지우세요 (rabbitmqctl list_policies, list_operator_policies)",
        "have the policy not match that queue, or clear it (rabbitmqctl list_policies, list_operator_policies)"
    }
    DoctorBlocked { "브로커가 발행을 막고 있습니다: {0}", "the broker blocks all who publish: {0}" }
    DoctorFreeBroker {
        "브로커의 메모리나 디스크를 비우세요 (rabbitmq-diagnostics alarms). 그때까지 아무 주문도 받지 않습니다",
        "give the broker memory or disk space (rabbitmq-diagnostics alarms tells which); until then no order is taken"
    }
    DoctorTakesTooLong {
        "브로커가 {0} MiB가 넘는 메시지도 받습니다. 보내는 사람 하나가 브로커의 메모리를 채울 수 있습니다",
        "the broker takes messages of more than {0} MiB: one sender can fill its memory"
    }
    DoctorLimitSize {
        "rabbitmq.conf에 max_message_size = 1048576 을 넣고 브로커를 다시 시작하세요. 우리 메시지는 가장 긴 것도 그보다 짧습니다",
        "set max_message_size = 1048576 in rabbitmq.conf and restart the broker; the longest message of ours is shorter"
    }
    DoctorUnseen { "{0} 바인딩과 정책은 볼 수 없습니다: {1}", "{0} answers; bindings and policies cannot be seen: {1}" }
    DoctorStartBroker {
        "그곳의 RabbitMQ를 시작하거나 bus.url을 고치세요 (자기만의 것: cargo xtask servers)",
        "start RabbitMQ there, or correct bus.url (one of your own: cargo xtask servers)"
    }
    DoctorMendBroker { "위에 적힌 대로 브로커를 고치거나 bus.url을 고치세요", "mend the broker as it says, or correct bus.url" }
    DoctorStartView {
        "그곳의 Redis를 시작하거나 view.url을 고치세요 (자기만의 것: cargo xtask servers)",
        "start Redis there, or correct view.url (one of your own: cargo xtask servers)"
    }
    DoctorViewUnseen {
        "bus.url은 브로커인데 view.url은 embedded:여서 다른 프로세스의 뷰를 볼 수 없습니다",
        "bus.url is a broker but view.url is embedded:, so the view of the other processes cannot be seen"
    }
    DoctorShareView { "view.url을 함께 쓰는 redis://…로 바꾸세요", "set view.url to one that they share: redis://…" }
    DoctorWorkersWithin { "이 프로그램과 함께 시작합니다", "they start with this program" }
    DoctorNoWorkers {
        "소식을 전하는 워커가 없습니다. 다른 워커의 소식은 myinfo가 전합니다",
        "no worker is heard of; what the others tell comes by way of myinfo"
    }
    DoctorStartWorkers { "실행 중이 아닌 워커를 시작하세요: {0}", "start those that do not run: {0}" }
    DoctorUnknownBus {
        "버스가 아무것도 받지 않는 동안에는 워커의 상태를 알 수 없습니다",
        "nothing can be known of the workers while the bus takes nothing"
    }
    DoctorUnknownView {
        "뷰를 읽을 수 없는 동안에는 워커의 상태를 알 수 없습니다",
        "nothing can be known of the workers while the view cannot be read"
    }
    DoctorMendFirst { "먼저 위에 적힌 조치를 하세요", "first do what stands above" }
    DoctorWorkerMissing { "{0} 워커의 소식이 없습니다", "no {0} worker is heard of" }
    DoctorOtherVersion { "{0}의 버전은 {1}이고 이것은 {2}입니다", "{0} is version {1}, this is {2}" }
    DoctorUpdate { "모두 같은 버전으로 맞추세요", "run the same version everywhere" }
    DoctorWorkerNotReady { "{0}이(가) 일을 받지 않습니다. {1}", "{0} takes no work: {1}" }
    DoctorFindReader {
        "누가 읽는지 찾으세요 (rabbitmqctl list_consumers)",
        "find out who reads there (rabbitmqctl list_consumers)"
    }
    DoctorSeeWhoOwes {
        "기다리게 하는 서비스가 일하는지, 누가 그 큐를 읽는지 확인하세요 (skstore status, skstore queues)",
        "see whether the service that they wait for works, and who reads its queues (skstore status, skstore queues)"
    }
    DoctorSeeItsLog { "그 로그에 이유와 조치가 있습니다", "its log says why and what to do" }

    // Times.
    AgeSeconds { "{0}초", "{0}s" }
    AgeMinutes { "{0}분", "{0}m" }
    AgeHours { "{0}시간", "{0}h" }
    AgeDays { "{0}일", "{0}d" }

    // How long something took.
    TookSeconds { "{0}초", "{0}s" }
    TookMinutes { "{0}분{1}초", "{0}m{1}s" }
    TookHours { "{0}시간{1}분", "{0}h{1}m" }
    MeasuredSeconds { "{0}초", "{0} s" }
    MeasuredPerSecond { "{0} /초", "{0} /s" }

    // Moving a store.
    StoreCopied {
        "다음: {0}.store.url을 {1}(으)로 바꾸고 {0} 워커를 시작한 뒤 skstore audit로 확인하세요. 원본은 그대로 남아 있습니다: 어떤 워커도 쓰지 못하게 치워 두세요",
        "Next: set {0}.store.url to {1}, start the workers of {0}, and check all books: skstore audit. The old store is as it was; move it out of every worker's reach"
    }
    StoreCopiedAsSet {
        "다음: 설정이 이미 사본을 가리키므로 {0} 워커를 시작한 뒤 skstore audit로 확인하세요. 원본은 그대로 남아 있습니다: 어떤 워커도 쓰지 못하게 치워 두세요",
        "Next: the settings name the copy already; start the workers of {0}, and check all books: skstore audit. The old store is as it was; move it out of every worker's reach"
    }

    // Reconciling the services.
    SettleCharge { "{0}의 계좌에서 {1}원 결제", "charge {0} {1} won" }
    SettleUncovered { "{0}의 잔액이 {1}원보다 적어 취소", "cancel: the account of {0} does not cover {1} won" }
    SettleDeliver { "상품 {0}: {1}개 배송", "deliver {1} of item {0}" }
    SettleSoldOut { "상품 {0}: 재고가 {1}개보다 적어 취소", "cancel: fewer than {1} of item {0} are left" }
    SettleCancel { "취소", "cancel" }
    SettleRelease { "{0}에게 {1}원 환불", "give {0} {1} won back" }
    SettleTakeBack { "상품 {0}: {1}개 재고로 되돌림", "put {1} of item {0} back into stock" }
    SettleTellAgain { "어떻게 끝났는지 다시 알림", "tell the others again how it ended" }
    SettleDisown { "없는 주문으로 기록", "disown it: Order knows no such order" }
    SettleByHand { "먼저 취소해야 함: 식별자가 두 주문에 쓰임", "cancel it first: its id stands for two orders" }
    SettleNothing { "서비스가 모두 일치합니다: 정리할 것이 없습니다", "the services agree: there is nothing to settle" }
    SettleLeft { "정리되지 않음", "not settled" }
}
