//! What a rule does with what it finds.

crate::policy::words! {
    /// Actions on text, weakest first: where findings overlap, the greatest wins.
    #[derive(Default)]
    pub enum Action {
        /// Count it, change nothing.
        #[default]
        Audit,
        /// Replace it by a fixed note (requests only).
        Neutralize,
        /// Replace it by a label.
        Mask,
        /// Refuse the request, or the rest of the answer.
        Reject,
    }
    later ["Tokenize"]
}
