//! A stream on the side that answers. Frame 0 names a queue that only this process reads; there the reader says how much it has
//! read, that it is still there, and that it has gone. No more than [`WINDOW`] parts are under way that nobody has read, and a
//! reader that is not heard of for [`SILENCE`] has gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contracts::rpc::{RpcError, Streamed};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::link::Breaker;
use super::lock;
use super::rpc_server::reply;
use super::wire::{self, Frame, Line, Word};

/// Parts that may be under way.
pub(super) const WINDOW: u32 = 32;
/// How often a reader says that it is there.
pub(super) const SAY_EVERY: Duration = Duration::from_secs(3);
/// A reader that has said nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(15);

/// The queue at which one connection hears its readers.
pub(super) struct Control {
    queue: ShortString,
    readers: Mutex<(u64, HashMap<u64, Arc<Heard>>)>,
}

/// What is known of a reader.
struct Heard {
    room: Semaphore,
    sign: watch::Sender<()>,
    cancelled: CancellationToken,
}

/// The reader of one stream, for as long as that goes on.
pub(super) struct Reader {
    control: Arc<Control>,
    stream: u64,
    heard: Arc<Heard>,
}

impl Control {
    /// Declares the queue and hears it on a channel of its own, which is to be kept.
    pub(super) async fn open(
        connection: &Connection,
        breaker: &Breaker,
    ) -> lapin::Result<(Arc<Self>, Channel)> {
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel.queue_declare(ShortString::default(), options, FieldTable::default()).await?;
        let queue = queue.name().clone();
        let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
        let tag = ShortString::default();
        let words = channel.basic_consume(queue.clone(), tag, options, FieldTable::default()).await?;
        let this = Arc::new(Self { queue, readers: Mutex::default() });
        tokio::spawn(Arc::clone(&this).hear(words, breaker.clone()));
        Ok((this, channel))
    }

    /// A reader that has just asked.
    pub(super) fn enter(self: &Arc<Self>) -> Reader {
        let heard = Arc::new(Heard {
            room: Semaphore::new(WINDOW as usize),
            sign: watch::Sender::new(()),
            cancelled: CancellationToken::new(),
        });
        let mut readers = lock(&self.readers);
        readers.0 += 1;
        let stream = readers.0;
        readers.1.insert(stream, Arc::clone(&heard));
        Reader { control: Arc::clone(self), stream, heard }
    }

    async fn hear(self: Arc<Self>, mut words: lapin::Consumer, breaker: Breaker) {
        loop {
            let word = tokio::select! {
                word = words.next() => word,
                () = breaker.gone().cancelled() => return,
            };
            match word {
                Some(Ok(delivery)) => self.note(&delivery),
                Some(Err(e)) => return breaker.trip(format!("words of readers: {e}")),
                None => return breaker.trip("words of readers: the broker has cancelled the consumer"),
            }
        }
    }

    fn note(&self, delivery: &Delivery) {
        // One whose stream is over may not have heard of it yet.
        let Some((stream, word)) = wire::heard(delivery) else { return };
        let Some(heard) = lock(&self.readers).1.get(&stream).cloned() else { return };
        match word {
            Word::Cancel => heard.cancelled.cancel(),
            Word::More(more) => {
                let free = heard.room.available_permits();
                heard.room.add_permits((more as usize).min((WINDOW as usize).saturating_sub(free)));
                heard.sign.send_replace(());
            }
        }
    }
}

impl Reader {
    /// Resolves once the reader has said that it goes, or nothing for too long.
    pub(super) async fn gone(&self) {
        let mut sign = self.heard.sign.subscribe();
        loop {
            tokio::select! {
                () = self.heard.cancelled.cancelled() => return,
                sign = timeout(SILENCE, sign.changed()) => if !matches!(sign, Ok(Ok(()))) {
                    return;
                },
            }
        }
    }

    fn line(&self) -> Line {
        Line { control: self.control.queue.clone(), stream: self.stream }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.control.readers).1.remove(&self.stream);
    }
}

/// Sends the frames of a stream, each when there is room for it; or the one that says why there is no stream.
pub(super) async fn send(
    channel: &Channel,
    request: &Delivery,
    begun: Result<Streamed<Bytes>, RpcError>,
    reader: &Reader,
) -> lapin::Result<()> {
    let mut parts = match begun {
        Ok(parts) => parts,
        Err(error) => return reply(channel, request, wire::frame(request, 0, Frame::Broken(error))).await,
    };
    reply(channel, request, wire::frame(request, 0, Frame::Open(reader.line()))).await?;
    for seq in 1.. {
        let frame = match parts.next().await {
            Some(Ok(part)) => {
                if let Ok(room) = reader.heard.room.acquire().await {
                    room.forget();
                }
                Frame::Part(part)
            }
            Some(Err(error)) => Frame::Broken(error),
            None => Frame::End,
        };
        let last = !matches!(frame, Frame::Part(_));
        reply(channel, request, wire::frame(request, seq, frame)).await?;
        if last {
            break;
        }
    }
    Ok(())
}
