//! Questions that mean about the same: those that share most of their words, whatever their forms. A question joins the nearest one
//! before it, or begins a group of its own.

use std::collections::HashSet;

use super::terms::Terms;

/// Shared words among all words of two questions, from which on they mean the same.
const NEAR: f64 = 0.5;

/// The groups of some questions, each as places in the list; a group begins with its first. Compares each with each: give some hundreds.
pub(crate) fn groups<'q>(questions: impl Iterator<Item = &'q str>) -> Vec<Vec<usize>> {
    let terms = Terms::default();
    let mut known: Vec<(HashSet<String>, usize)> = Vec::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, question) in questions.enumerate() {
        let words: HashSet<String> = terms.of(question).into_iter().collect();
        let near = known.iter().map(|(other, group)| (similarity(&words, other), *group));
        let nearest =
            near.filter(|(similarity, _)| *similarity >= NEAR).max_by(|one, other| one.0.total_cmp(&other.0));
        let group = nearest.map_or(groups.len(), |(_, group)| group);
        match groups.get_mut(group) {
            Some(members) => members.push(place),
            None => groups.push(vec![place]),
        }
        known.push((words, group));
    }
    groups
}

/// 0–1. Texts without a word are like nothing but each other.
#[expect(clippy::cast_precision_loss, reason = "a question has some hundred words")]
fn similarity(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let common = one.intersection(other).count();
    let all = one.len() + other.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_mean_the_same_stand_together() {
        let questions = [
            "Do you ship to Iceland?",
            "What is your refund policy?",
            "do you ship to iceland",
            "Shipping to Iceland — do you?",
            "??",
            "Refund policy",
        ];
        let groups = groups(questions.into_iter());
        assert_eq!(groups, [vec![0, 2, 3], vec![1, 5], vec![4]]);
    }
}
