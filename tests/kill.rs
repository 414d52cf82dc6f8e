//! The writing process is killed: none of the commits that were acknowledged may be lost, none may be half done.

#[cfg(test)]
#[path = "powercut/load.rs"]
mod load;

use load::{Promised, Writing, be_the_writing_process, compare};

#[test]
fn the_writing_process() {
    be_the_writing_process();
}

#[test]
fn a_kill_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("store");
    let mut promised = Promised::default();
    for round in 0..8_usize {
        let moment = if round == 0 { 1 } else { 50 + round * 397 % 1000 };
        let acknowledged = Writing::start(&folder, true).stop_after(moment, &mut promised, || {});
        let wrong = compare(&folder, &mut promised);
        assert!(wrong.is_empty(), "kill {round}, after {acknowledged} commits: {} wrong: {wrong:#?}", wrong.len());
        println!("kill {round}: {acknowledged} commits acknowledged, none lost; {} objects", promised.objects());
    }
}
