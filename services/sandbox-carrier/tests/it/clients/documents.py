"""Documents as an application builds them with Twilio's own library: the same as in documents.js, name by name. What each
of them means is in documents.rs."""

from xml.etree import ElementTree

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

ALL_CHARACTERS = "Fish & chips < 5 > 3, \"quoted\" and 'so', ä ß 語 😀"
CALLBACK = "https://app.example/done?a=1&b=%2B2"


def speech():
    response = VoiceResponse()
    gather = Gather(
        input="dtmf speech", action="https://app.example/turn?attempt=1&turn=7", method="POST", timeout=5, speech_timeout="auto",
        language="en-US", hints="yes,no thanks", action_on_empty_result=True, barge_in=False, profanity_filter=False,
        partial_result_callback=CALLBACK, partial_result_callback_method="GET",
    )
    gather.say("For how many people?", voice="Polly.Joanna-Neural", language="en-GB")
    gather.pause(length=2)
    gather.play("https://app.example/beep.mp3?a=1&b=2", loop=2)
    response.append(gather)
    response.redirect("https://app.example/silent?a=1&b=2", method="GET")
    return response


def model():
    response = VoiceResponse()
    response.gather(
        input="speech", speech_model="deepgram_nova-3", speech_timeout="3", max_speech_time=30, enhanced=True, method="GET"
    )
    return response


def keys():
    response = VoiceResponse()
    with response.gather(input="dtmf", num_digits=4, finish_on_key="", action="/keys", timeout=10) as gather:
        gather.say("Four keys, please.")
    response.gather(finish_on_key="*")
    return response


def talk():
    response = VoiceResponse()
    response.say(ALL_CHARACTERS, voice="alice", language="de-DE", loop=3)
    response.pause()
    response.pause(length=10)
    response.play("https://app.example/jingle.wav", loop=0)
    response.play("", digits="1w2W#*")
    response.hangup()
    return response


def record():
    response = VoiceResponse()
    response.record(
        action=CALLBACK, method="GET", timeout=0, finish_on_key="1#", max_length=60, play_beep=False, trim="do-not-trim",
        transcribe=True, transcribe_callback=CALLBACK, recording_status_callback=CALLBACK,
        recording_status_callback_method="GET", recording_status_callback_event="in-progress completed",
    )
    return response


def beside():
    response = VoiceResponse()
    response.start().recording(
        recording_status_callback=CALLBACK, recording_status_callback_method="GET",
        recording_status_callback_event="in-progress completed", channels="dual", track="both", trim="do-not-trim",
    )
    return response


def transfer():
    response = VoiceResponse()
    dial = Dial(
        action=CALLBACK, method="GET", timeout=20, time_limit=600, caller_id="+15005550006", hangup_on_star=True,
        answer_on_bridge=True, record="record-from-answer", trim="trim-silence", recording_track="inbound",
        recording_status_callback=CALLBACK, recording_status_callback_method="GET",
        recording_status_callback_event="completed absent", ring_tone="us", sequential=True, call_reason="Fish & chips",
        refer_url=CALLBACK, refer_method="GET",
    )
    dial.number(
        "+14155550101", url=CALLBACK, method="GET", status_callback=CALLBACK, status_callback_method="POST",
        status_callback_event="initiated ringing answered completed", send_digits="ww12#",
        machine_detection="DetectMessageEnd", machine_detection_timeout=20, machine_detection_speech_threshold=2000,
        machine_detection_speech_end_threshold=1000, machine_detection_silence_timeout=4000, amd_status_callback=CALLBACK,
        amd_status_callback_method="GET", byoc="BY0123456789abcdef0123456789abcdef",
    )
    dial.number("+14155550102")
    dial.client("jane")
    dial.sip("sip:jane@app.example")
    response.append(dial)
    return response


def plain_transfer():
    response = VoiceResponse()
    response.dial("+14155550101")
    return response


def refuse():
    response = VoiceResponse()
    response.reject()
    return response


def busy():
    response = VoiceResponse()
    response.reject(reason="busy")
    return response


def again():
    response = VoiceResponse()
    response.redirect("")
    return response


def nothing():
    return VoiceResponse()


def markup():
    response = VoiceResponse()
    say = response.say("Your code is")
    say.say_as("123", interpret_as="digits")
    say.break_(strength="weak", time="300ms")
    say.emphasis("not", level="strong")
    say.prosody("a secret", rate="85%")
    say.sub("W3C", alias="World Wide Web Consortium")
    return response


def elsewhere():
    response = VoiceResponse()
    response.start().stream(url="wss://app.example/stream")
    response.say("Hold the line.")
    response.enqueue("support")
    return response


DOCUMENTS = {
    build.__name__: build()
    for build in [
        speech, model, keys, talk, record, beside, transfer, plain_transfer, refuse, busy, again, nothing, markup, elsewhere,
    ]
}


def canonical(xml):
    """The same text for all spellings of the same document: the order of attributes, <Hangup/> and <Hangup></Hangup>."""
    return ElementTree.canonicalize(xml)
