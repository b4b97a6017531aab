//! What chunks mean, in numbers: vectors of length 1, by place, compared one by one. Exact: an app has so few chunks that nothing
//! has to be guessed. Kept in blocks, so that one more does not copy all.

use half::f16;

use super::index::Place;

/// Vectors in a block.
const BLOCK: usize = 1_024;

/// The vectors of an app, all of one size.
#[derive(Default)]
pub(crate) struct Vectors {
    size: usize,
    blocks: Vec<Box<[f32]>>,
    /// By place: there is one.
    there: Vec<bool>,
}

impl Vectors {
    /// Keeps the vector of the chunk at a place. One of another size than the first is left out: it means nothing beside the others.
    pub(crate) fn put(&mut self, place: Place, vector: &[f32]) {
        if self.size == 0 {
            self.size = vector.len();
        }
        if vector.len() != self.size || vector.iter().all(|n| *n == 0.0) {
            return;
        }
        let place = place as usize;
        while self.blocks.len() <= place / BLOCK {
            self.blocks.push(vec![0.0; BLOCK * self.size].into_boxed_slice());
        }
        if self.there.len() <= place {
            self.there.resize(place + 1, false);
        }
        self.there[place] = true;
        let from = place % BLOCK * self.size;
        self.blocks[place / BLOCK][from..from + self.size].copy_from_slice(vector);
    }

    /// Forgets those for whose places `gone` is true.
    pub(crate) fn remove(&mut self, gone: &[bool]) {
        for (there, gone) in self.there.iter_mut().zip(gone) {
            *there &= !gone;
        }
    }

    /// By place, how near each is to a vector of length 1: its cosine. None where there is no vector.
    pub(crate) fn cosines(&self, to: &[f32]) -> Vec<Option<f32>> {
        if to.len() != self.size || self.size == 0 {
            return Vec::new();
        }
        let all = self.blocks.iter().flat_map(|block| block.chunks_exact(self.size));
        all.zip(&self.there).map(|(vector, there)| there.then(|| dot(vector, to))).collect()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK * self.size * size_of::<f32>() + self.there.capacity()
    }
}

/// In sixteen sums, so that the machine can do several at once, and always in the same order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// The same direction with length 1. Something without a direction stays as it is.
pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|n| *n /= length);
    }
    vector
}

/// Vectors one after the other, as a table keeps them: each number in half precision, the lower byte first. One that is missing is
/// all zeros.
pub(crate) fn packed(vectors: &[Option<Vec<f32>>]) -> Vec<u8> {
    let size = vectors.iter().flatten().map(Vec::len).next().unwrap_or(0);
    let numbers = vectors.iter().flat_map(|vector| match vector {
        Some(vector) => vector.clone(),
        None => vec![0.0; size],
    });
    numbers.flat_map(|n| f16::from_f32(n).to_le_bytes()).collect()
}

/// What was [`packed`], for so many chunks.
pub(crate) fn unpacked(bytes: &[u8], chunks: usize) -> Vec<Vec<f32>> {
    let numbers: Vec<f32> =
        bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect();
    match numbers.len().checked_div(chunks) {
        None | Some(0) => vec![Vec::new(); chunks],
        Some(size) => numbers.chunks_exact(size).map(<[f32]>::to_vec).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_has_the_greatest_cosine_and_what_is_gone_has_none() {
        let mut vectors = Vectors::default();
        let at = |angle: f32| unit(vec![angle.cos(), angle.sin(), 0.0]);
        for (place, angle) in [(0, 0.0), (2, 1.0), (3000, 2.0)] {
            vectors.put(place, &at(angle));
        }
        vectors.put(4, &[0.0; 3]);
        vectors.put(5, &[1.0; 4]);
        let near = vectors.cosines(&at(0.9));
        assert_eq!(near.len(), 3001);
        assert_eq!((near[1], near[4]), (None, None));
        assert!(
            near[2].unwrap() > near[0].unwrap() && near[0].unwrap() > near[3000].unwrap(),
            "{:?}",
            near[0]
        );
        vectors.remove(&[false, false, true]);
        assert_eq!(vectors.cosines(&at(0.9))[2], None);
        assert!(vectors.cosines(&[1.0]).is_empty() && Vectors::default().cosines(&[]).is_empty());
    }

    #[test]
    fn vectors_come_back_from_the_table_within_half_precision() {
        let one = unit((0..20_u8).map(|n| f32::from(n) - 7.5).collect());
        let back = unpacked(&packed(&[Some(one.clone()), None]), 2);
        assert!(one.iter().zip(&back[0]).all(|(a, b)| (a - b).abs() < 1e-3), "{back:?}");
        assert_eq!(back[1], vec![0.0; 20]);
        assert_eq!(unpacked(&[], 2), vec![Vec::<f32>::new(); 2]);
        assert!(unpacked(&[], 0).is_empty());
    }
}
