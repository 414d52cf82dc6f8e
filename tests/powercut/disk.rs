//! A disk whose power can be cut: ext4 on a loop device.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `_IOR('X', 125, u32)` with EXT4_GOING_FLAGS_NOLOGFLUSH: from now on nothing reaches the disk, neither data nor journal.
/// The interpreter starts early and waits for a line, so that the cut comes when it is asked for.
const SHUTDOWN: &str = "import fcntl, os, struct, sys
sys.stdin.readline()
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// A mounted filesystem of its own.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
    device: String,
    mounted: bool,
    cutter: Option<Child>,
}

impl Disk {
    /// Makes and mounts an empty one. Needs root, loop devices, e2fsprogs and mount.
    pub(crate) fn new(mebibytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(mebibytes * 1024 * 1024).unwrap();
        run("mkfs.ext4", &["-q", "-F", &text(&image)]);
        let free = run("losetup", &["-f"]);
        if !Path::new(&free).exists() {
            let number = free.trim_start_matches("/dev/loop").to_owned();
            run("mknod", &[&free, "b", "7", &number]);
        }
        let device = run("losetup", &["-f", "--show", &text(&image)]);
        std::fs::create_dir(folder.path().join("mount")).unwrap();
        let mut disk = Self { folder, device, mounted: false, cutter: None };
        disk.mount();
        disk
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// Cuts the power.
    pub(crate) fn cut(&mut self) {
        let mut cutter = self.cutter.take().expect("there is power");
        drop(cutter.stdin.take());
        assert!(cutter.wait().unwrap().success(), "this test needs ext4 that can be shut down");
    }

    /// Gives power again. Nobody may have a file open.
    pub(crate) fn restore(&mut self) {
        run("umount", &[&text(&self.path())]);
        self.mounted = false;
        self.mount();
    }

    fn mount(&mut self) {
        run("mount", &["-t", "ext4", &self.device, &text(&self.path())]);
        self.mounted = true;
        let cutter = Command::new("python3").args(["-c", SHUTDOWN, &text(&self.path())]).stdin(Stdio::piped()).spawn();
        self.cutter = Some(cutter.expect("this test needs python3"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(mut cutter) = self.cutter.take() {
            let _ = cutter.kill();
            let _ = cutter.wait();
        }
        // Also after a failure, which may have left either.
        if self.mounted {
            let _ = Command::new("umount").arg(self.path()).status();
        }
        let _ = Command::new("losetup").args(["-d", &self.device]).status();
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("this test needs {program} (as root, with loop devices): {error}"));
    assert!(
        output.status.success(),
        "this test needs root and loop devices with ext4; {program} {arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
