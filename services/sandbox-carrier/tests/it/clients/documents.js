// Documents as an application builds them with Twilio's own library: the same as in documents.py, name by name. What each
// of them means is in documents.rs.
const { VoiceResponse } = require('twilio').twiml;

const ALL_CHARACTERS = "Fish & chips < 5 > 3, \"quoted\" and 'so', ä ß 語 😀";
const CALLBACK = 'https://app.example/done?a=1&b=%2B2';

const builders = {
  speech(response) {
    const gather = response.gather({
      input: ['dtmf', 'speech'],
      action: 'https://app.example/turn?attempt=1&turn=7',
      method: 'POST',
      timeout: 5,
      speechTimeout: 'auto',
      language: 'en-US',
      hints: 'yes,no thanks',
      actionOnEmptyResult: true,
      bargeIn: false,
      profanityFilter: false,
      partialResultCallback: CALLBACK,
      partialResultCallbackMethod: 'GET',
    });
    gather.say({ voice: 'Polly.Joanna-Neural', language: 'en-GB' }, 'For how many people?');
    gather.pause({ length: 2 });
    gather.play({ loop: 2 }, 'https://app.example/beep.mp3?a=1&b=2');
    response.redirect({ method: 'GET' }, 'https://app.example/silent?a=1&b=2');
  },

  model(response) {
    response.gather({
      input: 'speech',
      speechModel: 'deepgram_nova-3',
      speechTimeout: '3',
      maxSpeechTime: 30,
      enhanced: true,
      method: 'GET',
    });
  },

  keys(response) {
    const gather = response.gather({ input: 'dtmf', numDigits: 4, finishOnKey: '', action: '/keys', timeout: 10 });
    gather.say('Four keys, please.');
    response.gather({ finishOnKey: '*' });
  },

  talk(response) {
    response.say({ voice: 'alice', language: 'de-DE', loop: 3 }, ALL_CHARACTERS);
    response.pause();
    response.pause({ length: 10 });
    response.play({ loop: 0 }, 'https://app.example/jingle.wav');
    response.play({ digits: '1w2W#*' });
    response.hangup();
  },

  record(response) {
    response.record({
      action: CALLBACK,
      method: 'GET',
      timeout: 0,
      finishOnKey: '1#',
      maxLength: 60,
      playBeep: false,
      trim: 'do-not-trim',
      transcribe: true,
      transcribeCallback: CALLBACK,
      recordingStatusCallback: CALLBACK,
      recordingStatusCallbackMethod: 'GET',
      recordingStatusCallbackEvent: ['in-progress', 'completed'],
    });
  },

  beside(response) {
    response.start().recording({
      recordingStatusCallback: CALLBACK,
      recordingStatusCallbackMethod: 'GET',
      recordingStatusCallbackEvent: ['in-progress', 'completed'],
      channels: 'dual',
      track: 'both',
      trim: 'do-not-trim',
    });
  },

  transfer(response) {
    const dial = response.dial({
      action: CALLBACK,
      method: 'GET',
      timeout: 20,
      timeLimit: 600,
      callerId: '+15005550006',
      hangupOnStar: true,
      answerOnBridge: true,
      record: 'record-from-answer',
      trim: 'trim-silence',
      recordingTrack: 'inbound',
      recordingStatusCallback: CALLBACK,
      recordingStatusCallbackMethod: 'GET',
      recordingStatusCallbackEvent: ['completed', 'absent'],
      ringTone: 'us',
      sequential: true,
      callReason: 'Fish & chips',
      referUrl: CALLBACK,
      referMethod: 'GET',
    });
    dial.number(
      {
        url: CALLBACK,
        method: 'GET',
        statusCallback: CALLBACK,
        statusCallbackMethod: 'POST',
        statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
        sendDigits: 'ww12#',
        machineDetection: 'DetectMessageEnd',
        machineDetectionTimeout: 20,
        machineDetectionSpeechThreshold: 2000,
        machineDetectionSpeechEndThreshold: 1000,
        machineDetectionSilenceTimeout: 4000,
        amdStatusCallback: CALLBACK,
        amdStatusCallbackMethod: 'GET',
        byoc: 'BY0123456789abcdef0123456789abcdef',
      },
      '+14155550101',
    );
    dial.number('+14155550102');
    dial.client('jane');
    dial.sip('sip:jane@app.example');
  },

  plain_transfer: (response) => response.dial('+14155550101'),
  refuse: (response) => response.reject(),
  busy: (response) => response.reject({ reason: 'busy' }),
  again: (response) => response.redirect(''),
  nothing: () => {},

  markup(response) {
    const say = response.say('Your code is');
    say.sayAs({ 'interpret-as': 'digits' }, '123');
    say.break({ strength: 'weak', time: '300ms' });
    say.emphasis({ level: 'strong' }, 'not');
    say.prosody({ rate: '85%' }, 'a secret');
    say.sub({ alias: 'World Wide Web Consortium' }, 'W3C');
  },

  elsewhere(response) {
    response.start().stream({ url: 'wss://app.example/stream' });
    response.say('Hold the line.');
    response.enqueue('support');
  },
};

const built = Object.entries(builders).map(([name, build]) => {
  const response = new VoiceResponse();
  build(response);
  return [name, response];
});

exports.documents = Object.fromEntries(built);
