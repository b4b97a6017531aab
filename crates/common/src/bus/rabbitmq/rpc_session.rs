//! What stands on the rpc connection: a channel that sends requests and hears the answers, and one for each service that
//! answers here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use contracts::rpc::RpcError;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::{mpsc, oneshot};

use super::link::{Breaker, SetUp};
use super::loopback::{Loopback, Sender};
use super::names::short;
use super::rpc_server::Desk;
use super::watchdog::{Watchdog, Watched};
use super::{Shared, declare, lock, wire};

/// The pseudo-queue of direct reply-to: answers go straight to the channel that asked.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A frame with its number.
pub(super) type Numbered = (Option<u64>, wire::Frame);

/// Who waits for which answer; `None` once no more answers can come.
type Waiting = Mutex<Option<HashMap<String, Waits>>>;

/// How somebody waits.
enum Waits {
    /// For one answer.
    Once(oneshot::Sender<Result<Bytes, RpcError>>),
    /// For the frames of a stream.
    Frames(mpsc::Sender<Numbered>),
}

/// The rpc connection while it stands.
pub(super) struct Session {
    channel: Channel,
    exchange: ShortString,
    waiting: Arc<Waiting>,
    breaker: Breaker,
    /// Which of the desk's openings is served.
    pub(super) serving: u64,
    _channels: Vec<Channel>,
}

/// What comes back to a request, for as long as somebody waits.
pub(super) struct Awaited<T> {
    id: String,
    waiting: Arc<Waiting>,
    coming: T,
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        if let Some(waiting) = lock(&self.waiting).as_mut() {
            waiting.remove(&self.id);
        }
    }
}

impl Awaited<oneshot::Receiver<Result<Bytes, RpcError>>> {
    /// `None` when the connection was lost while waiting.
    pub(super) async fn answer(mut self) -> Option<Result<Bytes, RpcError>> {
        (&mut self.coming).await.ok()
    }
}

impl Awaited<mpsc::Receiver<Numbered>> {
    /// The next frame; `None` when the connection was lost, or more came than was asked for.
    pub(super) async fn frame(&mut self) -> Option<Numbered> {
        self.coming.recv().await
    }
}

impl Session {
    /// Enters `id` among those that wait; `None` when the connection is gone already.
    pub(super) fn await_answer(
        &self,
        id: &str,
    ) -> Option<Awaited<oneshot::Receiver<Result<Bytes, RpcError>>>> {
        let (sender, answer) = oneshot::channel();
        self.enter(id, Waits::Once(sender), answer)
    }

    /// The same for a stream, of which at most `ahead` frames come before they are read.
    pub(super) fn await_frames(&self, id: &str, ahead: usize) -> Option<Awaited<mpsc::Receiver<Numbered>>> {
        let (sender, frames) = mpsc::channel(ahead);
        self.enter(id, Waits::Frames(sender), frames)
    }

    fn enter<T>(&self, id: &str, waits: Waits, coming: T) -> Option<Awaited<T>> {
        lock(&self.waiting).as_mut()?.insert(id.to_owned(), waits);
        Some(Awaited { id: id.to_owned(), waiting: Arc::clone(&self.waiting), coming })
    }

    /// Says a word to the one who answers a stream; `Ok(false)` when that one has gone.
    pub(super) async fn say(&self, line: &wire::Line, word: wire::Word) -> lapin::Result<bool> {
        say(&self.channel, line, word).await
    }

    /// Whether answers can still come.
    pub(super) fn hears(&self) -> bool {
        lock(&self.waiting).is_some()
    }

    /// Sends a request; `Ok(false)` when no queue takes it.
    pub(super) async fn send(
        &self,
        service: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> lapin::Result<bool> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = properties.with_reply_to(short(REPLY_TO));
        let (exchange, key) = (self.exchange.clone(), short(service));
        // Confirms are on for the sake of the return: without them the library keeps returned messages for ever.
        let confirm = self.channel.basic_publish(exchange, key, options, body, properties).await?.await?;
        Ok(!matches!(confirm, Confirmation::Ack(Some(_))))
    }

    /// The connection does not work.
    pub(super) fn trip(&self, why: &str) {
        self.breaker.trip(why);
    }
}

async fn say(channel: &Channel, line: &wire::Line, word: wire::Word) -> lapin::Result<bool> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (exchange, key) = (ShortString::default(), line.control.clone());
    let confirm = channel.basic_publish(exchange, key, options, &[], wire::word(line.stream, word)).await?;
    Ok(!matches!(confirm.await?, Confirmation::Ack(Some(_))))
}

/// Sets the rpc connection up.
pub(super) struct Requests {
    pub(super) shared: Shared,
    pub(super) desk: Arc<Desk>,
}

#[async_trait]
impl SetUp for Requests {
    type Session = Session;

    async fn set_up(&self, connection: &Connection, breaker: Breaker) -> lapin::Result<Session> {
        let names = &self.shared.names;
        let channel = connection.create_channel().await?;
        declare::rpc(&channel, names).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let tag = self.shared.tag("answers");
        let answers =
            channel.basic_consume(short(REPLY_TO), tag.clone(), options, FieldTable::default()).await?;
        let waiting: Arc<Waiting> = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(hear_answers(answers, Arc::clone(&waiting), channel.clone(), breaker.clone()));
        let (serving, channels, mut watched) = self.desk.open(connection, &self.shared, &breaker).await?;
        let loopback = Loopback::open(&channel, &tag, Sender::Itself).await?;
        watched.push(Watched { queue: None, loopback, pulse: None, last: None });
        let watchdog = Watchdog {
            asking: connection.create_channel().await?,
            status: connection.status().clone(),
            watched,
            services: Vec::new(),
            shared: self.shared.clone(),
            breaker: breaker.clone(),
            stopping: self.desk.stopping().clone(),
        };
        tokio::spawn(watchdog.run());
        let exchange = names.rpc();
        Ok(Session { channel, exchange, waiting, breaker, serving, _channels: channels })
    }

    fn outdated(&self, session: &Session) -> bool {
        session.serving < self.desk.opening()
    }
}

/// Gives each answer to who waits for it, for as long as the connection stands.
async fn hear_answers(
    mut answers: lapin::Consumer,
    waiting: Arc<Waiting>,
    channel: Channel,
    breaker: Breaker,
) {
    loop {
        let delivery = tokio::select! {
            delivery = answers.next() => delivery,
            () = breaker.gone().cancelled() => break,
        };
        match delivery {
            Some(Ok(delivery)) => give(delivery, &waiting, &channel),
            Some(Err(e)) => breaker.trip(format!("answers: {e}")),
            None => {
                breaker.trip("answers: the broker has cancelled the consumer");
                break;
            }
        }
    }
    // All who wait learn that no answer will come.
    lock(&waiting).take();
}

fn give(delivery: Delivery, waiting: &Waiting, channel: &Channel) {
    let id = delivery.properties.correlation_id().clone().unwrap_or_default();
    let unwanted = match lock(waiting).as_mut().and_then(|waiting| take(waiting, id.as_str())) {
        // Whoever waited may have given up at this very moment.
        Some(Waits::Once(waits)) => return drop(waits.send(wire::answered(delivery))),
        Some(Waits::Frames(frames)) => match frames.try_send(wire::framed(delivery)) {
            Ok(()) => return,
            Err(refused) => refused.into_inner(),
        },
        None => wire::framed(delivery),
    };
    // More than was asked for, or nobody there: a stream with this gap is over.
    if let Some(waiting) = lock(waiting).as_mut() {
        waiting.remove(id.as_str());
    }
    if let (_, wire::Frame::Open(line)) = unwanted {
        // Whoever asked has gone before the stream began.
        let channel = channel.clone();
        tokio::spawn(async move {
            if let Err(e) = say(&channel, &line, wire::Word::Cancel).await {
                tracing::debug!(error = %e, "a stream that nobody reads could not be cancelled");
            }
        });
    }
}

/// One who waits for one answer waits no more; one who reads a stream stays.
fn take(waiting: &mut HashMap<String, Waits>, id: &str) -> Option<Waits> {
    match waiting.get(id)? {
        Waits::Frames(frames) => Some(Waits::Frames(frames.clone())),
        Waits::Once(_) => waiting.remove(id),
    }
}
