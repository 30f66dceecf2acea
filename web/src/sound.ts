// Ears and mouth: devices, the level of the microphone, the ring, and a test of both.

export interface Devices { inputs: MediaDeviceInfo[]; outputs: MediaDeviceInfo[] }
export interface Choice { input: string; output: string; ring: string }
export interface TestResult { microphone: boolean; echo: "none" | "some" | "strong" }

const KEY = "hotline.devices";

export function choice(): Choice {
  try {
    return { input: "", output: "", ring: "", ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { input: "", output: "", ring: "" };
  }
}

export function choose(choice: Choice): void {
  localStorage.setItem(KEY, JSON.stringify(choice));
}

export async function devices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices();
  return {
    inputs: all.filter((one) => one.kind === "audioinput"),
    outputs: all.filter((one) => one.kind === "audiooutput"),
  };
}

export function constraints(input: string): MediaTrackConstraints {
  const usual = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return input ? { ...usual, deviceId: { ideal: input } } : usual;
}

/** An open microphone. `lost` is called once, when it can't be used any more. */
export class Microphone {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples: Float32Array<ArrayBuffer>;

  private constructor(readonly stream: MediaStream, lost: () => void) {
    this.analyser.fftSize = 2048;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("ended", lost, { once: true });
      track.addEventListener("mute", () => setTimeout(() => track.muted && lost(), 2000));
    }
  }

  static async open(input: string, lost: () => void): Promise<Microphone> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: constraints(input) });
    return new Microphone(stream, lost);
  }

  /** From 0 (silence) to 1 (as loud as can be), on a scale ears know. */
  level(): number {
    // A page nobody has touched yet may not run sound.
    if (this.context.state === "suspended") void this.context.resume();
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / this.samples.length + 1e-10);
    return Math.max(0, Math.min(1, (decibels + 70) / 60));
  }

  /** How strong one tone is in what the microphone hears, in decibels. */
  tone(frequency: number): number {
    const bins = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(bins);
    const bin = Math.round((frequency * this.analyser.fftSize) / this.context.sampleRate);
    return Math.max(...bins.subarray(bin - 1, bin + 2));
  }

  get alive(): boolean {
    return this.stream.getAudioTracks().some((track) => track.readyState === "live" && !track.muted);
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}

/** Plays `seconds` of what `at` says each sample is, from a chosen loudspeaker. */
export class Player {
  private readonly audio = new Audio();

  constructor(at: (seconds: number) => number, seconds: number, loop: boolean) {
    this.audio.src = URL.createObjectURL(wav(at, seconds));
    this.audio.loop = loop;
  }

  async play(output: string): Promise<void> {
    await send(this.audio, output);
    this.audio.currentTime = 0;
    await this.audio.play().catch(() => undefined);
  }

  stop(): void {
    this.audio.pause();
  }
}

export async function send(audio: HTMLAudioElement, output: string): Promise<void> {
  if ("setSinkId" in audio) await audio.setSinkId(output).catch(() => undefined);
}

const fade = (t: number, length: number) => Math.min(1, t * 50, (length - t) * 50);

/** A quiet ring of two notes, four seconds long. */
export const ring = () => new Player((t) => {
  const note = t % 4;
  if (note < 0.4) return 0.25 * fade(note, 0.4) * Math.sin(2 * Math.PI * 660 * note);
  if (note > 0.5 && note < 1.1) return 0.25 * fade(note - 0.5, 0.6) * Math.sin(2 * Math.PI * 880 * note);
  return 0;
}, 4, true);

export const TEST_TONE = 1000;

/** Listens for a voice, then says a tone and listens whether it comes back. */
export async function test(microphone: Microphone, output: string, step: (step: "speak" | "listen") => void): Promise<TestResult> {
  step("speak");
  let loudest = 0;
  for (const end = Date.now() + 4000; Date.now() < end;) {
    loudest = Math.max(loudest, microphone.level());
    await new Promise((done) => setTimeout(done, 50));
  }
  step("listen");
  const before = microphone.tone(TEST_TONE);
  const tone = new Player((t) => 0.3 * fade(t, 2) * Math.sin(2 * Math.PI * TEST_TONE * t), 2, false);
  await tone.play(output);
  let heard = -200;
  for (const end = Date.now() + 1800; Date.now() < end;) {
    heard = Math.max(heard, microphone.tone(TEST_TONE));
    await new Promise((done) => setTimeout(done, 50));
  }
  tone.stop();
  const above = heard - before;
  const echo = above > 30 ? "strong" : above > 15 ? "some" : "none";
  return { microphone: microphone.alive && loudest > 0.15, echo };
}

function wav(at: (seconds: number) => number, seconds: number): Blob {
  const rate = 16000;
  const count = rate * seconds;
  const view = new DataView(new ArrayBuffer(44 + count * 2));
  const text = (place: number, text: string) => [...text].forEach((c, i) => view.setUint8(place + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + count * 2, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, rate * 2, true); view.setUint16(32, 2, true);
  view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, count * 2, true);
  for (let i = 0; i < count; i++) view.setInt16(44 + i * 2, Math.round(at(i / rate) * 32767), true);
  return new Blob([view], { type: "audio/wav" });
}
