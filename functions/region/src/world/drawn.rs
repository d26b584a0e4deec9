//! Ids and tokens, drawn by lot: the same seed gives the same ones in the same order.

use super::World;

impl World {
    pub(crate) fn request_id(&mut self) -> String {
        self.uuid()
    }

    /// A new id in EC2's long form, which always begins with a zero.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let digits = format!("{:016x}", self.random.u64(..));
        format!("{prefix}0{digits}")
    }

    /// A new id in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes = self.random.u128(..);
        bytes = bytes & !(0xf << 76) | 4 << 76;
        bytes = bytes & !(0x3 << 62) | 2 << 62;
        let digits = format!("{bytes:032x}");
        let part = |range| digits.get(range).unwrap_or_default();
        [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
    }

    pub(crate) fn token(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.random.alphanumeric()).take(length).collect()
    }
}
