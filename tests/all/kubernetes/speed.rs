//! Many objects.

use std::time::Instant;

use windlass::deploy::{ApplyOptions, Target as _};

use super::{Room, deployment, done, planned, remembered};

/// Not a test of time: it prints how long it took, for whoever asks.
#[test]
#[ignore = "it is for measuring"]
fn two_thousand_deployments() {
    let Some(room) = Room::furnished("many") else {
        return;
    };
    let options = ApplyOptions::default();
    let units: Vec<_> = (0..2_000_u64)
        .map(|number| {
            room.unit(
                number + 1,
                &deployment(&format!("d{number}"), "replicas: 1", "img:1"),
            )
        })
        .collect();
    let timed = |name: &str, begun: Instant| eprintln!("{name}: {:?}", begun.elapsed());
    let wanted: Vec<_> = units.iter().map(|unit| (unit.clone(), None)).collect();
    let begun = Instant::now();
    let plans = room
        .target
        .plan(&remembered(&wanted), &options)
        .expect("planned");
    timed("plan of nothing there", begun);
    let batch: Vec<_> = units
        .iter()
        .cloned()
        .zip(plans.into_iter().map(|plan| plan.expect("planned")))
        .collect();
    let begun = Instant::now();
    let sent = room.target.send(&planned(&batch), &options);
    timed("create", begun);
    let had: Vec<_> = sent
        .into_iter()
        .map(|sent| done(sent).expect("applied").inventory)
        .collect();
    let wanted: Vec<_> = units.into_iter().zip(had).collect();
    for _ in 0..3 {
        let begun = Instant::now();
        let plans = room
            .target
            .plan(&remembered(&wanted), &options)
            .expect("planned");
        timed("plan of all there", begun);
        assert!(
            plans
                .into_iter()
                .all(|plan| !plan.expect("planned").is_change())
        );
    }
}
