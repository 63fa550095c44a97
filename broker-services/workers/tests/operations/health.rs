//! `skstore-worker health`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::workers::{At, place, until};

#[tokio::test]
async fn health_tells_what_works_what_hangs_and_what_has_lost_its_broker() {
    let at = At::given();
    assert_eq!(at.health(&[]).unwrap_err(), "skstore-worker: no worker runs here\n");
    let mut order = at.start(&["order", "deposit"], &[]);
    until("they are at work", async || at.health(&["order", "deposit"]).is_ok()).await;
    assert_eq!(at.health(&[]), Ok(()));
    assert_eq!(at.health(&["item"]).unwrap_err(), "skstore-worker: item does not run here\n");

    order.signal("STOP");
    until("a hung process is noticed", async || {
        at.health(&["order"]).is_err_and(|why| why.contains("hangs"))
    })
    .await;
    order.signal("CONT");
    until("it goes on", async || at.health(&["order"]).is_ok()).await;

    at.vhost.call("DELETE", &format!("/api/vhosts/{}", at.vhost.name), "");
    until("a lost broker is noticed", async || {
        at.health(&[]).is_err_and(|why| {
            why.contains("order") && why.contains("is not ready: ") && why.contains("virtual host")
        })
    })
    .await;
    at.vhost.create_again();
    until("they are back at work", async || at.health(&[]).is_ok()).await;

    order.signal("TERM");
    assert!(order.end().await.0.success(), "{}", order.said());
    assert_eq!(at.health(&[]).unwrap_err(), "skstore-worker: no worker runs here\n");

    let killed = at.start(&["item"], &[]);
    until("it is at work", async || at.health(&["item"]).is_ok()).await;
    killed.kill();
    until("a killed process is missed", async || at.health(&[]).is_err_and(|why| why.contains("was killed")))
        .await;
    let _replaced = at.start(&["item"], &[]);
    until("it has a successor", async || at.health(&["item"]).is_ok()).await;
}

/// A small disk, mounted over a directory until it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn over(directory: &Path) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "small-disk"])
            .arg(directory)
            .output()
            .expect("mount(8)");
        assert!(mounted.status.success(), "a disk can be mounted by root only: {mounted:?}");
        Self(directory.to_owned())
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=4096"])
            .arg(format!("of={}", self.0.join("filler").display()))
            .output()
            .expect("dd(1)");
        assert!(String::from_utf8_lossy(&filled.stderr).contains("No space left"), "{filled:?}");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Those who had files there may be gone only now.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_who_needs_none_is_well_and_who_needs_one_says_why_not() {
    /// Longer than the silence that a hang is told by.
    const FULL_FOR: Duration = Duration::from_secs(9);
    let at = At::given();
    let disk = SmallDisk::over(at.data.path());
    let _workers = at.start_all();
    let all = ["order", "deposit", "item", "myinfo"];
    until("they are at work", async || at.health(&all).is_ok()).await;
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("an order is accepted", async || desk.place(&place(1)).await.is_ok_and(|answer| answer.ok)).await;

    disk.fill();
    let full = Instant::now();
    let mut look = interval(Duration::from_millis(500));
    let mut next = 2;
    while full.elapsed() < FULL_FOR {
        look.tick().await;
        // Whatever becomes of it: Order has to write.
        drop(tokio::time::timeout(Duration::from_millis(100), desk.place(&place(next))).await);
        next += 1;
        assert_eq!(at.health(&["myinfo"]), Ok(()), "after {:?}", full.elapsed());
        let order = at.health(&["order"]);
        assert!(!order.as_ref().is_err_and(|why| why.contains("hangs")), "{order:?}");
    }
    let why = at.health(&["order"]).unwrap_err();
    assert!(why.contains("is not ready") && why.contains("full"), "{why}");

    disk.make_room();
    until("there is room again", async || at.health(&all).is_ok()).await;
    process.stop().unwrap();
}
