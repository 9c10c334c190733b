//! R11: the disk is full, and then it is not.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use persistence::{store::DatabaseSettings, test_support::rounds};
use reqwest::StatusCode;

use crate::{
    load::{Load, tally_of},
    world::{World, seconds, until},
};

/// A file system of 64 MB in memory; gone when dropped.
struct SmallDisk(PathBuf, tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("small");
        std::fs::create_dir(&path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m,mode=0700", "janela-test"]).arg(&path);
        let status = mount.status().expect("mount runs");
        assert!(status.success(), "R11 mounts a small file system, which takes root: {status}");
        Self(path, folder)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// Fills what is free.
    fn fill(&self) {
        let mut dd = Command::new("dd");
        dd.args(["if=/dev/zero", "bs=64k", "status=none"])
            .arg(format!("of={}", self.ballast().display()));
        // It ends because there is no room left.
        let ended = dd.stderr(std::process::Stdio::null()).status().expect("dd runs");
        assert!(!ended.success(), "the disk is full");
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted below {}", self.0.display(), self.1.path().display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_a_full_disk_is_said_and_loses_nothing_that_was_acknowledged() {
    let disk = SmallDisk::mount();
    let settings = DatabaseSettings {
        url: format!("sqlite:{}", disk.path().join("desk.db").display()),
        data_dir: disk.path().to_owned(),
        connections: 4,
    };
    let world = World::at(settings, Box::new(())).await;
    let node = world.serve(0).await;
    let rate = u32::try_from(rounds(100, 264)).expect("few");
    let posts = Load::of(&world, 0, rate, seconds(12, 30));
    let status = async || node.status(&world.client, "/readyz").await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        disk.fill();
        let full = Instant::now();
        until("red", Duration::from_secs(30), async || {
            (status().await == Some(StatusCode::SERVICE_UNAVAILABLE)).then_some(())
        })
        .await;
        let red = full.elapsed();
        tokio::time::sleep(Duration::from_secs(4)).await;
        // What was written ahead is gone by now: from here on nothing has room.
        let body = world.platform.text("5511955550011", "wamid.full", &"x".repeat(100_000));
        let answer = world.platform.post(0, &world.webhook_at(&node.url), body).await;
        disk.free();
        let freed = Instant::now();
        until("normal again", Duration::from_secs(60), async || {
            let body = world.platform.text("5511955550011", "wamid.again", "Olá");
            let answer = world.platform.post(0, &world.webhook_at(&node.url), body).await;
            (answer == Some(StatusCode::OK) && status().await == Some(StatusCode::OK)).then_some(())
        })
        .await;
        (red, answer, freed.elapsed())
    };
    let (posted, (red, answer, back)) = tokio::join!(posts.post(), trouble);
    let refused =
        posted.iter().filter(|post| post.status == Some(StatusCode::SERVICE_UNAVAILABLE)).count();
    let odd = posted
        .iter()
        .filter(|post| !matches!(post.status.map(|it| it.as_u16()), Some(200 | 503)))
        .count();
    let mut tally = tally_of(&world, &posted).await;
    tally.recovered = refused;
    println!(
        "R11 sqlite: red after {red:?}, normal {back:?} after there was room, {refused} were told 503"
    );
    tally.must_be_clean("R11 sqlite");
    assert_eq!(answer, Some(StatusCode::SERVICE_UNAVAILABLE), "never 200 while it is full");
    assert!(refused > 0 && odd == 0, "{odd} answers were neither 200 nor 503");
    assert!(red <= seconds(12, 5), "red after {red:?}");
    assert!(back <= seconds(45, 30), "normal after {back:?}");
    drop(node);
    let damage = world.store.blocking_read(persistence::health::find_damage).expect("a look");
    assert_eq!(damage, None, "the file is whole");
    // The file is closed before its disk goes.
    drop(world);
}
