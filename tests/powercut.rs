//! The power is cut while commits are written: none that was acknowledged may be lost, none may be half done.
//!
//! Needs root and loop devices. `KMIPD_POWERCUTS` is the number of cuts, 20 if it is not set.

#[cfg(test)]
#[path = "powercut/disk.rs"]
mod disk;
#[cfg(test)]
#[path = "powercut/load.rs"]
mod load;

use disk::Disk;
use load::{Promised, Writing, be_the_writing_process, compare};

/// Cuts without a sync.
const CONTROLS: usize = 5;

/// So many cuts meet the same store; then it is a new one on a new disk.
const CUTS_OF_A_STORE: usize = 5;

#[test]
fn the_writing_process() {
    be_the_writing_process();
}

/// After how many acknowledged commits to cut: right after the first of a new store, and anywhere.
fn moment(cut: usize) -> usize {
    match cut % CUTS_OF_A_STORE {
        0 => 1 + (cut / CUTS_OF_A_STORE % 2) * 300,
        _ => 20 + cut.wrapping_mul(2_654_435_761) % 1500,
    }
}

#[test]
fn no_acknowledged_commit_is_lost() {
    let cuts =
        std::env::var("KMIPD_POWERCUTS").map_or(20, |number| number.parse().expect("KMIPD_POWERCUTS is a number"));
    let mut disk = Disk::new(2048);
    let mut promised = Promised::default();
    let mut total = 0;
    for cut in 0..cuts {
        if cut % CUTS_OF_A_STORE == 0 && cut > 0 {
            disk = Disk::new(2048);
            promised = Promised::default();
        }
        let folder = disk.path().join("store");
        let acknowledged = Writing::start(&folder, true).stop_after(moment(cut), &mut promised, || disk.cut());
        disk.restore();
        let wrong = compare(&folder, &mut promised);
        assert!(wrong.is_empty(), "cut {cut}, after {acknowledged} commits: {} wrong: {wrong:#?}", wrong.len());
        total += acknowledged;
        println!("cut {cut}: {acknowledged} commits acknowledged, none lost; {} objects", promised.objects());
    }
    println!("{cuts} cuts, {total} commits acknowledged, none lost");
}

/// Without the sync the same cuts must lose something, or this test sees nothing.
#[test]
fn the_control_without_a_sync_loses_data() {
    let mut lost = 0;
    for cut in 0..CONTROLS {
        let mut disk = Disk::new(1024);
        let folder = disk.path().join("store");
        let mut promised = Promised::default();
        let acknowledged = Writing::start(&folder, false).stop_after(500 + cut * 37, &mut promised, || disk.cut());
        disk.restore();
        let wrong = compare(&folder, &mut promised);
        println!("control {cut}: {acknowledged} commits acknowledged; {:?}", wrong.first());
        lost += usize::from(!wrong.is_empty());
    }
    assert!(lost > 0, "{CONTROLS} cuts without a sync lost nothing: the test is blind");
}
