//! The fault matrix.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that finds something else must fail")]

use std::collections::BTreeSet;
use privatelink_tests::faults::fault::{Fault, Often};
use privatelink_tests::faults::play::{Play, after};
use privatelink_tests::faults::scene::Scene;
use privatelink_tests::faults::way::Trouble;

#[test]
fn dump() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    let t = std::time::Instant::now();
    let mut cells = 0;
    for scene in Scene::ALL {
        let mut play = Play::begin(scene);
        let answer = play.look();
        println!("== {scene:?} {:?}", t.elapsed());
        println!("{answer:?}\nopen {:?} told {:?} broken {:?}", play.set.open(), play.set.told(), play.broken);
        let calls = play.way.book().calls.clone();
        for (op, n) in &calls { println!("   {n} x {op}"); }
        play.come_right("base");
        play.judge("base");
        println!("{:?}", play.broken);
        drop(play);
        if std::env::var("ALL").is_err() { continue; }
        let mut all = BTreeSet::new();
        for (of, n) in calls {
            for (_, faults) in Fault::COLUMNS {
                for fault in faults {
                    if !fault.concerns(&of) { continue; }
                    for often in Often::ALL {
                        for from in 1..=n.min(3) {
                            let mut play = Play::begin(scene);
                            play.break_calls(Some(Trouble { of: of.clone(), from, often, fault: *fault }));
                            let answer = play.look();
                            cells += 1;
                            let open = play.set.open();
                            play.judge("first");
                            after(&mut play, often, true);
                            let told: Vec<usize> = play.set.told().values().copied().collect();
                            let outcome = match &answer { Ok(v) => format!("ok {:?}", privatelink_tests::stage::outcomes(v)), Err(f) => format!("{f}") };
                            let outcome: String = outcome.chars().take(160).collect();
                            println!("{of} #{from} {fault:?} {often:?}: {outcome} | open {} | told {told:?} | untagged {} | {:?}", open.len(), play.set.untagged(), play.broken);
                            all.extend(play.broken.clone());
                        }
                    }
                }
            }
        }
        println!("ALL BROKEN {all:#?}");
    }
    println!("{cells} cells in {:?}", t.elapsed());
}
