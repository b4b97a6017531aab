//! The driver's carrier: takes calls at once, and asks for documents, signed, as often as it can think of something to say.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;
use twilio::signature;
use twilio::twiml::{GatherChild, Verb, read};
use twilio::webhook::decode_form;

use crate::echo::{ACCOUNT, NUMBER, TOKEN};
use crate::figures::Figures;

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// It is answered and talked on for as long as the measurement lasts.
    Talks,
    /// It rings and is never answered.
    RingsForEver,
    /// The line is busy.
    IsBusy,
}

struct Shared {
    manners: Manners,
    calls: Mutex<Vec<Placed>>,
    http: reqwest::Client,
}

#[derive(Clone)]
struct Placed {
    sid: String,
    url: String,
    /// Somebody rings Echo, from this number; absent: Echo has them rung.
    caller: Option<String>,
}

/// A carrier that runs.
pub(crate) struct Carrier {
    port: u16,
    shared: Arc<Shared>,
}

impl Carrier {
    pub(crate) async fn start(manners: Manners) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let shared = Arc::new(Shared { manners, calls: Mutex::default(), http });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/2010-04-01/Accounts/{account}/Calls.json", web::post().to(create))
                .default_service(web::to(|| async {
                    HttpResponse::NotFound().json(json!({"code": 20404, "status": 404}))
                }))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Only says which Echo is meant: every address comes with the call.
    pub(crate) fn reaches(&self, base: &str) {
        println!("measuring {base} …");
    }

    /// As many people as that ring each of these addresses of bots; they begin with `talk`.
    pub(crate) fn ring_in(&self, voice_urls: &[String], each: usize) {
        let mut calls = self.shared.calls.lock().expect("the calls");
        for url in voice_urls.iter().flat_map(|url| std::iter::repeat_n(url, each)) {
            let caller = format!("+1415{:07}", 5_550_000 + calls.len());
            let sid = format!("CA{}", uuid::Uuid::now_v7().simple());
            calls.push(Placed { sid, url: url.clone(), caller: Some(caller) });
        }
    }

    /// Talks on all calls for a while. Answers what the documents took, and how many calls talked.
    pub(crate) async fn talk(&self, pace: Pace, how_long: Duration) -> (Figures, usize) {
        let calls = self.shared.calls.lock().expect("the calls").clone();
        let live = calls.len();
        let begun = Instant::now();
        // People do not speak in chorus: the calls are answered one after the other, within a third of the time.
        let between = how_long / 3 / u32::try_from(live.max(1)).unwrap_or(1);
        let talking: Vec<_> = (0..)
            .zip(calls)
            .map(|(n, call)| {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move {
                    tokio::time::sleep(between * n).await;
                    converse(shared, call, pace, begun + how_long).await
                })
            })
            .collect();
        let mut samples = Vec::new();
        for call in talking {
            samples.extend(call.await.expect("a call"));
        }
        (Figures { samples, within: begun.elapsed() }, live)
    }
}

async fn create(shared: web::Data<Shared>, body: web::Bytes) -> HttpResponse {
    let form = decode_form(&body);
    let value = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let sid = format!("CA{}", uuid::Uuid::now_v7().simple());
    let call = Placed { sid: sid.clone(), url: value("Url"), caller: None };
    shared.calls.lock().expect("the calls").push(call.clone());
    if shared.manners == Manners::IsBusy {
        let (shared, url) = (shared.into_inner(), value("StatusCallback"));
        tokio::spawn(async move {
            let news = [("CallStatus", "busy"), ("SequenceNumber", "1")];
            request(&shared, &call, &url, &news).await;
        });
    }
    HttpResponse::Created().json(json!({"sid": sid, "status": "queued", "account_sid": ACCOUNT}))
}

/// One signed request. Answers the document and what it took.
async fn request(shared: &Shared, call: &Placed, url: &str, more: &[(&str, &str)]) -> (Vec<u8>, Duration) {
    let url = url.split('#').next().unwrap_or_default();
    let own = [("AccountSid", ACCOUNT), ("CallSid", call.sid.as_str())];
    let whose = match &call.caller {
        None => vec![("Direction", "outbound-api")],
        Some(caller) => vec![("Direction", "inbound"), ("From", caller), ("To", NUMBER)],
    };
    let form: Vec<(String, String)> =
        own.iter().chain(&whose).chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let signed = signature::sign(TOKEN, url, &form);
    let asked = Instant::now();
    let answer =
        shared.http.post(url).header(signature::HEADER, signed).form(&form).send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body").to_vec();
    assert!(status.is_success(), "{url}: {status}");
    (body, asked.elapsed())
}

/// How long a customer thinks and speaks.
const BETWEEN_UTTERANCES: Duration = Duration::from_secs(1);
/// Characters that are spoken in a second, as by Twilio's voices.
const SPOKEN_PER_SECOND: f64 = 15.0;

/// How fast the conversations go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Sentences take as long as it takes to speak them.
    AsSpoken,
    /// Nobody waits for a sentence to be spoken: about ten times as many documents as there would be.
    Rushed,
}

/// Speaks and listens until the time is up or the agent hangs up; then it is silent about the end, as a line that broke.
async fn converse(shared: Arc<Shared>, call: Placed, pace: Pace, until: Instant) -> Vec<Duration> {
    const RUNG: [&str; 5] =
        ["Could you say that again?", "Who is this?", "What?", "What is it about?", "Pardon?"];
    const RINGS: [&str; 5] = [
        "I would like to book a table, please.",
        "For four people.",
        "Tomorrow at seven in the evening.",
        "Alex Example.",
        "No, that is all. Thank you.",
    ];
    let lines = if call.caller.is_some() { RINGS } else { RUNG };
    let mut samples = Vec::new();
    let mut url = call.url.clone();
    let mut more: Vec<(&str, &str)> = vec![("CallStatus", "in-progress")];
    let mut turn = 0;
    while Instant::now() < until {
        let (body, took) = request(&shared, &call, &url, &more).await;
        samples.push(took);
        let document = read(&body).expect("a document");
        let Some(next) = next(&document.response.verbs) else { break };
        let listens = next.1;
        url = next.0;
        if pace == Pace::AsSpoken {
            tokio::time::sleep(spoken(&document.response.verbs)).await;
        }
        more = vec![("CallStatus", "in-progress")];
        if listens {
            tokio::time::sleep(BETWEEN_UTTERANCES).await;
            more.extend([("SpeechResult", lines[turn % lines.len()]), ("Confidence", "0.9")]);
            turn += 1;
        }
    }
    samples
}

/// How long it takes to speak what the document says.
fn spoken(verbs: &[Verb]) -> Duration {
    let characters = |verb: &Verb| match verb {
        Verb::Say(say) => say.text.chars().count(),
        Verb::Gather(gather) => gather.children.iter().map(said_inside).sum(),
        _ => 0,
    };
    let all: usize = verbs.iter().map(characters).sum();
    Duration::from_secs_f64(f64::from(u32::try_from(all).unwrap_or(u32::MAX)) / SPOKEN_PER_SECOND)
}

fn said_inside(child: &GatherChild) -> usize {
    match child {
        GatherChild::Say(say) => say.text.chars().count(),
        _ => 0,
    }
}

/// Where the document leads, and whether somebody is to speak first.
fn next(verbs: &[Verb]) -> Option<(String, bool)> {
    verbs.iter().find_map(|verb| match verb {
        Verb::Gather(gather) => gather.action.clone().map(|url| (url, true)),
        Verb::Redirect(redirect) => Some((redirect.url.clone(), false)),
        _ => None,
    })
}

/// A receiver that answers at once and counts.
pub(crate) struct Sink {
    port: u16,
    arrived: Arc<Mutex<Vec<Instant>>>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let arrived: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let data = web::Data::from(Arc::clone(&arrived));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::to(
                |arrived: web::Data<Mutex<Vec<Instant>>>| async move {
                    arrived.lock().expect("the count").push(Instant::now());
                    HttpResponse::Ok().finish()
                },
            ))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { port, arrived }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Waits until nothing has arrived for two seconds, at most `patience`. The rate is taken between the first and the last.
    pub(crate) async fn until_quiet(&self, patience: Duration) -> Figures {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let arrived = self.arrived.lock().expect("the count").clone();
            let quiet = arrived.last().is_some_and(|last| last.elapsed() > Duration::from_secs(2));
            if quiet || begun.elapsed() > patience {
                let (first, last) = (arrived.first().copied(), arrived.last().copied());
                let within = first.zip(last).map_or(patience, |(first, last)| last - first);
                return Figures { samples: vec![Duration::ZERO; arrived.len()], within };
            }
        }
    }
}
