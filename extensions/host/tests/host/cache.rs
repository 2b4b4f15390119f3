//! Compiled extensions are kept, and nothing but what this directory's own key has sealed is ever loaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mortise_host::{Ceilings, CompileCache, Extension, Runtime};
use mortise_points::Verdict;

use crate::support::{ask, bind, folder, host, hostile, only, question};

fn runtime(directory: &Path) -> Arc<Runtime> {
    Arc::new(Runtime::start(Ceilings::default(), Some(CompileCache::open(directory).unwrap())).unwrap())
}

fn works(directory: &Path, extension: &Path) -> bool {
    let runtime = runtime(directory);
    let host = host(&runtime, [Extension::load(&runtime, extension).unwrap()], &bind(&["nothing"], "skip"));
    only(&ask(&host, "nothing", &question(1)).unwrap().answers).verdict == Verdict::Answered
}

fn compiled(directory: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|file| file.extension().is_some_and(|extension| extension == "cwasm")).collect()
}

#[test]
fn what_is_compiled_is_kept_and_a_foreign_file_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let extension = folder(&fs::read(hostile()).unwrap());
    assert!(works(directory.path(), extension.path()));
    let files = compiled(directory.path());
    assert_eq!(files.len(), 1);
    let kept = fs::read(&files[0]).unwrap();
    assert!(works(directory.path(), extension.path()));
    assert_eq!(fs::read(&files[0]).unwrap(), kept);

    // One bit of the machine code is another: the seal does not hold, so it is compiled again.
    let mut forged = kept.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 1;
    fs::write(&files[0], &forged).unwrap();
    assert!(works(directory.path(), extension.path()));
    assert_ne!(fs::read(&files[0]).unwrap(), forged);

    // Another directory's file is as good as none.
    let other = tempfile::tempdir().unwrap();
    drop(CompileCache::open(other.path()).unwrap());
    let foreign = other.path().join(files[0].file_name().unwrap());
    fs::write(&foreign, &kept).unwrap();
    assert!(works(other.path(), extension.path()));
    assert_ne!(fs::read(&foreign).unwrap(), kept);
    for short in [&b""[..], b"short"] {
        fs::write(&foreign, short).unwrap();
        assert!(works(other.path(), extension.path()));
    }
}

#[test]
fn the_key_is_the_directorys_own_and_nobody_elses_to_read() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = |directory: &Path| {
        drop(CompileCache::open(directory).unwrap());
        fs::read(directory.join("seal.key")).unwrap()
    };
    assert_eq!(key(one.path()), key(one.path()));
    assert_ne!(key(one.path()), key(two.path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(one.path().join("seal.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    fs::write(one.path().join("seal.key"), "too short").unwrap();
    assert!(CompileCache::open(one.path()).is_err());
}
