// A listener's phone on SIP.js, as a third party would write it. What happens is said on the console.
import { Registerer, RegistererState, SessionState, UserAgent } from "sip.js";

const say = (...words) => console.log(["phone", ...words].join(" "));
const wanted = new URLSearchParams(location.search);
const audio = new AudioContext();
const ear = document.getElementById("ear");

let session;
let analyser;

const agent = new UserAgent({
  uri: UserAgent.makeURI(`sip:${wanted.get("name")}@127.0.0.1`),
  authorizationUsername: wanted.get("name"),
  authorizationPassword: wanted.get("password"),
  transportOptions: { server: wanted.get("door") },
  sessionDescriptionHandlerFactoryOptions: {
    iceGatheringTimeout: 500,
    peerConnectionConfiguration: { iceServers: [] },
  },
  logLevel: "error",
  delegate: {
    onInvite: (invitation) => {
      session = invitation;
      say("rung", invitation.remoteIdentity.displayName);
      invitation.stateChange.addListener((state) => {
        if (state === SessionState.Established) {
          say("talking");
          listen();
        } else if (state === SessionState.Terminated) {
          say("ended");
        }
      });
    },
  },
});
await agent.start();
const registerer = new Registerer(agent, { expires: 60 });
registerer.stateChange.addListener((state) => say(state === RegistererState.Registered ? "registered" : state));
await registerer.register();

function listen() {
  const { peerConnection, remoteMediaStream } = session.sessionDescriptionHandler;
  peerConnection.addEventListener("connectionstatechange", () => say("connection", peerConnection.connectionState));
  ear.srcObject = remoteMediaStream;
  analyser = audio.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  audio.createMediaStreamSource(remoteMediaStream).connect(analyser);
  audio.resume();
}

/** As SIP.js's own SimpleUser holds and resumes. */
async function holds(hold) {
  session.sessionDescriptionHandlerOptionsReInvite = { hold };
  await session.invite();
  for (const sender of session.sessionDescriptionHandler.peerConnection.getSenders()) {
    if (sender.track) sender.track.enabled = !hold;
  }
}

window.phone = {
  answer: () =>
    session.accept({
      sessionDescriptionHandlerOptions: {
        constraints: { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false }, video: false },
      },
    }),
  hold: () => holds(true),
  resume: () => holds(false),
  hangUp: () => session.bye(),
  // The loudest frequency and how loud it is, in dB; -Infinity is silence.
  heard: () => {
    if (!analyser) return [0, -Infinity];
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const top = bins.indexOf(Math.max(...bins));
    return [(top * audio.sampleRate) / analyser.fftSize, bins[top]];
  },
};
