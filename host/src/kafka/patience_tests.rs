use super::*;

#[test]
fn a_change_is_news_once() {
    let outage = Outage::new("p");
    let topic = Thing::Topic("t".to_owned());
    assert!(!outage.back(&topic), "it was never away");
    assert!(outage.away(&topic, &"gone"));
    assert!(!outage.away(&topic, &"still gone"));
    assert!(outage.away(&Thing::Registry, &"another thing"));
    assert!(outage.back(&topic));
    assert!(!outage.back(&topic));
    outage.all_back();
    assert!(!outage.back(&Thing::Registry));
}

#[test]
fn a_request_that_does_not_come_back_is_noticed_from_outside() {
    let outage = Arc::new(Outage::new("p"));
    let Some(long_ago) = Instant::now().checked_sub(BUSY_MAX * 2) else { return };
    let request = Arc::new(Request { epoch: long_ago, since_ms: AtomicU64::new(0) });
    outage.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    request.begins();
    outage.watch();
    assert!(!outage.back(&Thing::Brokers), "it has just begun");
    request.since_ms.store(1, Relaxed);
    outage.watch();
    assert!(outage.back(&Thing::Brokers));
    request.ends();
    outage.watch();
    assert!(!outage.back(&Thing::Brokers));
}

#[test]
fn pauses_grow_from_a_tenth_of_a_second_to_ten() {
    let mut backoff = Backoff::default();
    let pauses: Vec<u128> = (0..9).map(|_| backoff.pause().as_millis()).collect();
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    backoff.reset();
    assert_eq!(backoff.pause(), Backoff::FIRST);
}

#[test]
fn an_unanswered_request_is_repeated_until_it_is_answered_or_stopping_is_asked_for() {
    let stop = Shutdown::new();
    let patience = Patience::new(&stop, &Arc::new(Outage::new("p")));
    let silence = || KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
    let mut tries = 0;
    let answer = patience.ask(|_| {
        tries += 1;
        if tries < 3 { Err(silence()) } else { Ok(tries) }
    });
    assert_eq!(answer, Ok(3));
    let refused = patience.ask(|_| Err::<(), _>(KafkaError::MetadataFetch(RDKafkaErrorCode::InvalidTopic)));
    assert!(refused.is_err());
    stop.request();
    assert_eq!(patience.ask(|_| Err::<(), _>(silence())), Err(silence()));
}
