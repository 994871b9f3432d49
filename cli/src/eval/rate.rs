//! A share with its confidence interval.

/// The 97.5th percentile of the normal distribution: two-sided 95%.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    pub hits: u64,
    pub of: u64,
}

impl Rate {
    /// The share; none of nothing.
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// Wilson's score interval of 95% (Wilson 1927), which holds for small numbers and near 0 and 1 as well.
    pub fn interval(self) -> Option<(f64, f64)> {
        let (share, n) = (self.value()?, self.of as f64);
        let weight = 1.0 + Z * Z / n;
        let centre = share + Z * Z / (2.0 * n);
        let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some((((centre - spread) / weight).max(0.0), ((centre + spread) / weight).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn intervals_are_wilsons() {
        // Expected values from the closed form, worked out by hand to four places.
        for (hits, of, low, high) in [
            (0, 10, 0.0, 0.2775),
            (10, 10, 0.7225, 1.0),
            (81, 263, 0.2553, 0.3662),
            (1, 1000, 0.0002, 0.0056),
        ] {
            let (a, b) = Rate { hits, of }.interval().unwrap();
            assert!((a - low).abs() < 5e-5 && (b - high).abs() < 5e-5, "{hits}/{of}: {a} {b}");
        }
        assert_eq!(Rate { hits: 0, of: 0 }.interval(), None);
    }
}
