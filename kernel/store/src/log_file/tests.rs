//! What reaches the log's file, and when: in pieces, by what another connection sees, and by what copies of the files hold. Not: that
//! it is on the disk.

use std::path::Path;

use rusqlite::Connection;

use super::*;

fn header(size: u32) -> [u8; HEADER] {
    let mut header = [7; HEADER];
    header[4..8].copy_from_slice(&size.to_be_bytes());
    header
}

#[test]
fn a_commit_is_gathered_until_its_last_page() {
    let (mut gathered, page) = (Gathered::default(), [1; 512]);
    assert_eq!(gathered.take(&header(0), 32), Fate::Kept);
    assert_eq!(gathered.take(&page, 56), Fate::Kept);
    assert_eq!(gathered.take(&header(9), 568), Fate::Kept);
    assert_eq!(gathered.take(&page, 592), Fate::Full);
    assert_eq!((gathered.bytes.len(), gathered.begin), (2 * 536, 32));
    gathered.clear();
    assert_eq!(
        gathered.take(&header(9), 1_104),
        Fate::Passed,
        "a commit of one page, or a header that is written anew"
    );
    assert_eq!(gathered.take(&page, 1_128), Fate::Passed);
}

#[test]
fn what_does_not_go_on_is_not_mixed_with_what_is_gathered() {
    let (mut gathered, page) = (Gathered::default(), [1; 512]);
    assert_eq!(gathered.take(&page, 56), Fate::Passed, "a page that is written anew");
    assert_eq!(gathered.take(&header(0), 32), Fate::Kept);
    assert_eq!(gathered.take(&header(0), 568), Fate::WriteFirst);
    gathered.clear();
    assert_eq!(gathered.take(&header(0), 568), Fate::Kept);
    let many = vec![1; MOST];
    assert_eq!(gathered.take(&many, 592), Fate::Full, "it is bounded");
}

/// A cache of 10 pages is too small for most transactions of these tests.
fn writer(database: &Path, page: usize, spill: &str) -> Connection {
    let writer = LAYER.connect(database).unwrap();
    let settings = format!(
        "PRAGMA page_size={page}; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=10;
         PRAGMA cache_spill={spill}; PRAGMA wal_autocheckpoint=0;
         CREATE TABLE goods (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
    );
    writer.execute_batch(&settings).unwrap();
    writer
}

fn content(connection: &Connection) -> Vec<(i64, String)> {
    let mut statement = connection.prepare("SELECT id, text FROM goods ORDER BY id").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// What somebody finds who comes when the process is gone: copies of both files, opened anew.
fn found_later(database: &Path) -> Vec<(i64, String)> {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.db");
    std::fs::copy(database, &copy).unwrap();
    std::fs::copy(database.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let later = Connection::open(&copy).unwrap();
    let sound: String = later.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    content(&later)
}

/// Numbers that look random, the same in every run.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}

#[test]
fn after_each_commit_all_of_it_is_in_the_file_and_nothing_of_what_was_taken_back() {
    for seed in 0..4 {
        // With `ON` pages go to the log before their commit, are read again, and change there.
        let spill = if seed % 2 == 0 { "OFF" } else { "ON" };
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("goods.db");
        let (mut writer, mut dice) = (writer(&database, 512, spill), dice(seed));
        let reader = Connection::open(&database).unwrap();
        let mut known = Vec::new();
        for _ in 0..60 {
            let transaction = writer.transaction().unwrap();
            for _ in 0..dice(60) {
                let (id, length) = (dice(200).cast_signed(), dice(900));
                let text = "x".repeat(usize::try_from(length).unwrap());
                let put = "INSERT INTO goods VALUES (?1, ?2) ON CONFLICT DO UPDATE SET text = excluded.text";
                transaction.execute(put, (id, text)).unwrap();
            }
            if dice(4) == 0 {
                transaction.rollback().unwrap();
            } else {
                known = content(&transaction);
                transaction.commit().unwrap();
            }
            assert_eq!(content(&reader), known, "seed {seed}: what another connection sees");
            assert_eq!(found_later(&database), known, "seed {seed}: what is in the files");
            if dice(6) == 0 {
                // The log begins anew.
                reader.query_row("PRAGMA wal_checkpoint(RESTART)", (), |_| Ok(())).unwrap();
            }
        }
        drop(writer);
        assert_eq!(content(&reader), known, "seed {seed}: it was closed");
    }
}

#[test]
fn a_commit_of_many_pages_is_written_whole() {
    for (page, rows) in [(512, 3_000_u16), (4_096, 300), (65_536, 20)] {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("goods.db");
        let mut writer = writer(&database, page, "OFF");
        let transaction = writer.transaction().unwrap();
        for id in 0..rows {
            transaction.execute("INSERT INTO goods VALUES (?1, ?2)", (id, "x".repeat(page))).unwrap();
        }
        transaction.commit().unwrap();
        assert_eq!(found_later(&database).len(), usize::from(rows), "pages of {page} bytes");
    }
}

#[test]
fn a_file_that_is_no_log_is_the_machines_own() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("goods.db");
    let writer = writer(&database, 4_096, "OFF");
    writer.execute_batch("PRAGMA journal_mode=DELETE; INSERT INTO goods VALUES (1, 'a')").unwrap();
    assert_eq!(content(&Connection::open(&database).unwrap()), [(1, "a".to_owned())]);
    let nowhere = directory.path().join("no/such/folder/goods.db");
    assert!(LAYER.connect(&nowhere).is_err());
}
