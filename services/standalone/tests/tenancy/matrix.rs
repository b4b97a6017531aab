//! Everybody tries everything, and what was not as it should be is noted.

use serde_json::Value;

use crate::document::{Operation, Things};
use crate::rows::{Trial, Who, has_nothing_to_do};
use crate::town::{Answer, Caller, From, Stranger, Town};

/// The town, and what was wrong in it.
pub(crate) struct Matrix<'a> {
    town: &'a Town,
    tried: usize,
    wrong: Vec<String>,
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug)]
enum Right {
    /// Done.
    Works,
    /// Refused with one of these.
    Refused(&'static [u16]),
    /// As of something that does not exist; where many are named, in the row of each.
    NotThere,
    /// Whatever is not an error of ours: it concerns only what is the caller's own.
    Own,
}

impl Right {
    fn is(self, answer: &Answer) -> bool {
        match self {
            Self::Works => (200..300).contains(&answer.status),
            Self::Refused(statuses) => statuses.contains(&answer.status),
            Self::NotThere => answer.status == 404 || answer.status == 200 && answers_no_row(&answer.text),
            Self::Own => answer.status < 500,
        }
    }
}

/// Whether an answer with results has none that is good.
fn answers_no_row(text: &str) -> bool {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let bad = |row: &Value| row["status"] == 404 || row["problem"].is_string();
    answer["results"].as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(bad))
}

impl<'a> Matrix<'a> {
    pub(crate) const fn new(town: &'a Town) -> Self {
        Self { town, tried: 0, wrong: Vec::new() }
    }

    /// Whoever comes from another business or another project.
    pub(crate) async fn tried_by_strangers(&mut self, trial: &Trial) {
        if trial.who <= Who::Oneself {
            return;
        }
        let pretender = &self.town.pretender;
        self.ask(trial, pretender, &self.town.things, Right::Refused(&[404])).await;
        for stranger in &self.town.strangers {
            let named = trial.operation.names();
            let closed: Vec<_> = named.iter().copied().filter(|t| stranger.may_not_reach(t)).collect();
            for thing in &closed {
                self.reaches_for(trial, stranger, &[thing]).await;
            }
            match closed.as_slice() {
                [] => self.sees_nothing(trial, stranger).await,
                [_] => {}
                several => self.reaches_for(trial, stranger, several).await,
            }
        }
    }

    /// Names these things of the first project, and things of their own beside them.
    async fn reaches_for(&mut self, trial: &Trial, stranger: &Stranger, things: &[&'static str]) {
        let mut mixed = stranger.own.clone();
        mixed.extend(things.iter().map(|thing| (*thing, self.town.things[thing].clone())));
        // Who may not do it at all is told so, whosever it is.
        let right = if trial.who > stranger.caller.role { Right::Refused(&[403]) } else { Right::NotThere };
        let answer = self.ask(trial, &stranger.caller, &mixed, right).await;
        self.tells_nothing(trial, stranger, &mixed, &answer);
    }

    /// Does what names nothing that is closed to them.
    async fn sees_nothing(&mut self, trial: &Trial, stranger: &Stranger) {
        let reads = trial.operation.method == reqwest::Method::GET;
        // What a business has in common, its other projects may change: that is no trespass.
        if !reads && stranger.from == From::AnotherProject {
            return;
        }
        let right = match (reads, trial.who > stranger.caller.role) {
            (_, true) => Right::Refused(&[403]),
            (true, false) => Right::Works,
            (false, false) => Right::Own,
        };
        let things = match stranger.from {
            From::AnotherBusiness => &stranger.own,
            From::AnotherProject => &self.town.things,
        };
        let answer = self.ask(trial, &stranger.caller, things, right).await;
        // Of what happens in a business its owners see everything, and in a project that they name what is in it.
        let asked_for = trial.operation.id == "listAudit" || trial.operation.names().contains(&"projects");
        if stranger.from == From::AnotherBusiness || !asked_for {
            self.tells_nothing(trial, stranger, things, &answer);
        }
    }

    /// No id of what is closed to somebody stands in what they are told, unless they named it.
    fn tells_nothing(&mut self, trial: &Trial, stranger: &Stranger, sent: &Things, answer: &Answer) {
        let closed = self.town.things.iter().filter(|(thing, _)| stranger.may_not_reach(thing));
        let told = closed.filter(|(thing, id)| {
            sent.get(*thing) != Some(id) && id.len() > 1 && answer.text.contains(&**id)
        });
        let told: Vec<_> = told.map(|(thing, _)| *thing).collect();
        if !told.is_empty() {
            self.wrong.push(format!("{} tells {} of {told:?}", trial.operation.id, stranger.caller.name));
        }
    }

    /// Whoever is nobody, or belongs to the business and may do less than its owner.
    pub(crate) async fn tried_by_members(&mut self, trial: &Trial) {
        if trial.who == Who::Anybody {
            return;
        }
        // Who shows nothing is a visitor.
        let outsiders = self.town.outsiders.iter();
        for outsider in outsiders.filter(|by| trial.who != Who::Visitor || !by.shows_nothing()) {
            // Where only an account counts, a key is not even looked at.
            let refused: &[u16] = if trial.who == Who::Oneself { &[401, 403] } else { &[401] };
            self.ask(trial, outsider, &self.town.things, Right::Refused(refused)).await;
        }
        for member in &self.town.members {
            if trial.who > member.role {
                self.ask(trial, member, &self.town.things, Right::Refused(&[403])).await;
            } else if trial.who == Who::Viewer {
                self.ask(trial, member, &self.town.things, Right::Works).await;
            }
        }
    }

    /// The owner does it, with the first project's things.
    pub(crate) async fn done_by_the_owner(&mut self, trial: &Trial) {
        if trial.who > Who::Anybody {
            let right = if has_nothing_to_do(&trial.operation.id) { Right::NotThere } else { Right::Works };
            self.ask(trial, &self.town.owner, &self.town.things, right).await;
        }
    }

    /// Everything that there is to see of the first project.
    pub(crate) async fn seen_by_the_owner(&mut self, trials: &[Trial]) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        for trial in trials.iter().filter(|trial| trial.operation.method == reqwest::Method::GET) {
            let answer = self.ask(trial, &self.town.owner, &self.town.things, Right::Works).await;
            seen.push((trial.operation.id.clone(), answer.text));
        }
        seen
    }

    /// Nobody who was refused has had an effect all the same.
    pub(crate) fn nothing_has_changed(&mut self, before: &[(String, String)], after: &[(String, String)]) {
        for ((operation, then), (_, now)) in before.iter().zip(after).filter(|(then, now)| then != now) {
            self.wrong.push(format!("{operation} tells the owner something else than before: {then} {now}"));
        }
    }

    async fn ask(&mut self, trial: &Trial, by: &Caller, things: &Things, right: Right) -> Answer {
        let operation: &Operation = &trial.operation;
        let answer = self.town.ask(by, operation, things).await;
        self.tried += 1;
        if !right.is(&answer) {
            let Answer { status, text } = &answer;
            self.wrong.push(format!("{} by {}: {status}, not {right:?}: {text}", operation.id, by.name));
        }
        answer
    }

    /// # Panics
    /// With everything that was wrong.
    pub(crate) fn assert_nothing_wrong(&self) {
        assert!(self.wrong.is_empty(), "of {} requests:\n{}", self.tried, self.wrong.join("\n"));
    }
}
