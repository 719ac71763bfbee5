//! How this process uses memory.

/// Asks the kernel for ordinary pages only. The buffers of indexing and of request bodies come and go within fractions of a
/// second; with huge pages each of them costs the zeroing of far more memory than it uses. Without effect where the kernel
/// knows no such switch.
pub fn use_ordinary_pages() {
    if let Err(error) = nix::sys::prctl::set_thp_disable(true) {
        tracing::debug!(%error, "huge pages could not be turned off");
    }
}
