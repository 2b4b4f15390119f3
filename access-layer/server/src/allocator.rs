//! The binary's allocator: mimalloc, for its C code too. An order makes and drops thousands of small values on several threads; the
//! system's allocator costs a tenth of its time more.

use mimalloc::MiMalloc;

/// On Linux mimalloc stands in for the C library's functions (`override`), which the standard library calls: asked by Rust's own
/// interface it takes a size that is no power of two for a wish of alignment, and cuts it out of a larger block.
#[cfg(not(target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Which mimalloc it is. That something of it is called has the linker take its functions, `malloc` among them.
pub(crate) fn version() -> u32 {
    MiMalloc.version()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_of_the_system() -> i64 {
        let stats = MiMalloc::stats_json().expect("mimalloc counts");
        let stats: serde_json::Value = serde_json::from_slice(stats.to_bytes()).expect("and says it as JSON");
        stats["committed"]["current"].as_i64().expect("what is committed is counted")
    }

    #[test]
    fn values_of_rust_are_its_own() {
        const MANY: usize = 64 << 20;
        let before = asked_of_the_system();
        let many = std::hint::black_box(vec![1_u8; MANY]);
        let after = asked_of_the_system();
        assert!(after - before >= MANY as i64, "{before} bytes before, {after} after {} more", many.len());
    }
}
