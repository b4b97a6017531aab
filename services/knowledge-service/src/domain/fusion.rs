//! One ranking out of two: by words, and by what they mean. Both are brought to 0–1 over their best 200 and added with a weight:
//! ranks alone (reciprocal rank fusion) lose where one of the two knows much better, as measured on six labelled sets.

use super::index::Fit;

/// Of each of the two so many are looked at.
const LOOKED_AT: usize = 200;

/// By place, how good each chunk is: more is better, 0 is nothing. `near` is the cosine of each, none where nothing is known of its
/// meaning: there its words alone decide. `weight` (0–1) is how much meaning counts against words.
pub(crate) fn fused(fits: &[Fit], near: &[Option<f32>], weight: f32) -> Vec<f32> {
    let words: Vec<f32> = fits.iter().map(|fit| fit.score).collect();
    let known: Vec<f32> = near.iter().flatten().copied().collect();
    let (by_words, by_meaning) = (Scale::of(&words, Some(0.0)), Scale::of(&known, None));
    let places = fits.len().max(near.len());
    let at = |place: usize| {
        let word = by_words.share(words.get(place).copied().unwrap_or(0.0));
        let meaning = near.get(place).copied().flatten().map_or(word, |near| by_meaning.share(near));
        (1.0 - weight) * word + weight * meaning
    };
    let fused: Vec<f32> = (0..places).map(at).collect();
    let best = fused.iter().copied().fold(0.0, f32::max);
    // The best is as good as the two find it together; the others stand in proportion to it.
    let height = (1.0 - weight) * by_words.best + weight * by_meaning.best.max(0.0);
    fused.into_iter().map(|one| if best > 0.0 { one / best * height.clamp(0.0, 1.0) } else { 0.0 }).collect()
}

/// From where to where the best of one ranking go.
struct Scale {
    least: f32,
    best: f32,
    /// Where 0 is.
    bottom: f32,
}

impl Scale {
    /// Words have a bottom of their own: at 0 nothing is said. Meaning has none: there it is the last that is looked at.
    fn of(scores: &[f32], bottom: Option<f32>) -> Self {
        let mut sorted = scores.to_vec();
        let last = LOOKED_AT.min(sorted.len());
        if last > 0 && last < sorted.len() {
            sorted.select_nth_unstable_by(last - 1, |a, b| b.total_cmp(a));
            sorted.truncate(last);
        }
        let first = sorted.first().copied().unwrap_or(0.0);
        let least = sorted.iter().copied().fold(first, f32::min);
        let best = sorted.iter().copied().fold(first, f32::max);
        Self { least, best, bottom: bottom.unwrap_or(least) }
    }

    fn share(&self, score: f32) -> f32 {
        let height = self.best - self.bottom;
        if score < self.least || height <= 0.0 { 0.0 } else { (score - self.bottom) / height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(scores: &[f32]) -> Vec<Fit> {
        scores.iter().map(|score| Fit { score: *score, covered: *score }).collect()
    }

    fn best(fused: &[f32]) -> usize {
        (0..fused.len()).max_by(|a, b| fused[*a].total_cmp(&fused[*b])).unwrap()
    }

    #[test]
    fn the_weight_decides_between_words_and_meaning() {
        let (words, meaning) = (fits(&[0.4, 0.1, 0.0]), [Some(0.1), Some(0.9), Some(0.2)]);
        assert_eq!(best(&fused(&words, &meaning, 0.0)), 0);
        assert_eq!(best(&fused(&words, &meaning, 0.9)), 1);
        let both = fused(&words, &meaning, 0.5);
        assert!(both.iter().all(|score| (0.0..=1.0).contains(score)), "{both:?}");
        assert!((both[best(&both)] - 0.65).abs() < 1e-6, "{both:?}");
    }

    #[test]
    fn without_a_meaning_the_words_alone_decide() {
        let words = fits(&[0.2, 0.4, 0.3]);
        let alone = fused(&words, &[], 0.5);
        assert_eq!(best(&alone), 1);
        let some = fused(&words, &[None, None, Some(0.5)], 0.5);
        assert!(some[1] > some[0], "{some:?}");
        assert!(fused(&fits(&[0.0, 0.0]), &[], 0.5).iter().all(|score| *score == 0.0));
        assert!(fused(&[], &[], 0.5).is_empty());
    }

    #[test]
    fn what_is_far_down_in_a_ranking_gets_nothing_from_it() {
        let words = fits(&vec![0.0; 300]);
        let meaning: Vec<Option<f32>> = (0..300_u16).map(|n| Some(1.0 - f32::from(n) / 300.0)).collect();
        let fused = fused(&words, &meaning, 0.5);
        assert!(fused[198] > 0.0 && fused[199..].iter().all(|score| *score == 0.0), "{:?}", &fused[196..202]);
    }
}
