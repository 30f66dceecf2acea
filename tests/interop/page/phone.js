// A listener's phone on JsSIP, as a third party would write it. What happens is said on the console.
import JsSIP from "jssip";

const say = (...words) => console.log(["phone", ...words].join(" "));
const wanted = new URLSearchParams(location.search);
const media = {
  mediaConstraints: {
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    video: false,
  },
  pcConfig: { iceServers: [] },
};

let session;
let analyser;
const ear = document.getElementById("ear");
const audio = new AudioContext();

const phone = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(wanted.get("door"))],
  uri: `sip:${wanted.get("name")}@127.0.0.1`,
  password: wanted.get("password"),
  register_expires: 60,
  session_timers: false,
});
phone.on("registered", () => say("registered"));
phone.on("registrationFailed", ({ cause }) => say("failed", cause));
phone.on("disconnected", () => say("disconnected"));
phone.on("newRTCSession", (event) => {
  session = event.session;
  if (event.originator === "remote") {
    say("rung", event.request.from.display_name);
  }
  session.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
  if (session.connection) {
    listen(session.connection);
  }
  session.on("confirmed", () => say("talking"));
  session.on("ended", ({ cause }) => say("ended", cause));
  session.on("failed", ({ cause, message }) => say("failed", cause, message?.reason_phrase ?? ""));
  session.on("hold", ({ originator }) => say("held", originator));
  session.on("unhold", ({ originator }) => say("resumed", originator));
});
phone.start();

function listen(connection) {
  connection.addEventListener("connectionstatechange", () =>
    say("connection", connection.connectionState),
  );
  connection.addEventListener("track", ({ track, streams }) => {
    say("track", streams.length);
    const stream = streams[0] ?? new MediaStream([track]);
    ear.srcObject = stream;
    analyser = audio.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    audio.createMediaStreamSource(stream).connect(analyser);
    audio.resume();
  });
}

window.phone = {
  answer: () => session.answer(media),
  call: (number) => phone.call(`sip:${number}@127.0.0.1`, media),
  hold: () => session.hold(),
  resume: () => session.unhold(),
  mute: () => session.mute({ audio: true }),
  press: (digits) => session.sendDTMF(digits, { transportType: "RFC2833", duration: 120 }),
  hangUp: () => session.terminate(),
  restart: () => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }),
  cut: () => session.connection.close(),
  // The loudest frequency and how loud it is, in dB; -Infinity is silence.
  heard: () => {
    if (!analyser) {
      return [0, -Infinity];
    }
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    let top = 0;
    for (let at = 1; at < bins.length; at++) {
      if (bins[at] > bins[top]) {
        top = at;
      }
    }
    return [(top * audio.sampleRate) / analyser.fftSize, bins[top]];
  },
  stats: async () => {
    const all = {};
    for (const report of (await session.connection.getStats()).values()) {
      if (["inbound-rtp", "outbound-rtp", "codec", "transport"].includes(report.type)) {
        all[report.type] = report;
      }
    }
    return all;
  },
};
