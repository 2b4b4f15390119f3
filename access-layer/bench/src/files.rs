//! Folders that a run works in: on a real disk, made and removed by it. Moves bytes, knows nothing of what they mean.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// File systems that lose everything with the power, and so measure nothing here.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// A folder that is removed when it is dropped, and the file system below it.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) file_system: String,
}

impl Bench {
    /// Makes one below `disk`.
    ///
    /// # Errors
    /// A folder that cannot be made, or one in memory.
    pub(crate) fn on(disk: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(disk).map_err(|error| Failure::file(disk, &error))?;
        let disk = disk.canonicalize().map_err(|error| Failure::file(disk, &error))?;
        let file_system = file_system(&disk, &std::fs::read_to_string("/proc/mounts").unwrap_or_default());
        if IN_MEMORY.contains(&&*file_system) {
            let told = format!(
                "{} is {file_system}: nothing there is durable. Name a folder on a disk with --disk.",
                disk.display()
            );
            return Err(Failure::words(told));
        }
        let folder = tempfile::Builder::new().prefix("mortise-bench-").tempdir_in(&disk)?;
        Ok(Self { folder, file_system })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The file system of a path, by the longest mount point above it.
fn file_system(path: &Path, mounts: &str) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| path.starts_with(point));
    let nearest = above.max_by_key(|(point, _)| point.len());
    nearest.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(|error| Failure::file(to, &error))?;
    for entry in std::fs::read_dir(from).map_err(|error| Failure::file(from, &error))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).map_err(|error| Failure::file(&target, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_point_says_the_file_system() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\n";
        for (path, kind) in
            [("/work", "ext4"), ("/tmp/a", "tmpfs"), ("/tmp/disk/a", "xfs"), ("/tmpfile", "ext4")]
        {
            assert_eq!(file_system(Path::new(path), mounts), kind, "{path}");
        }
        assert_eq!(file_system(Path::new("/work"), ""), "unknown");
    }

    #[test]
    fn a_folder_is_copied_with_the_folders_in_it() {
        let bench = tempfile::tempdir().unwrap();
        let (from, to) = (bench.path().join("from"), bench.path().join("to"));
        std::fs::create_dir_all(from.join("inner")).unwrap();
        std::fs::write(from.join("inner/file"), "text").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("inner/file")).unwrap(), "text");
    }
}
