#!/usr/bin/env python3
"""Fifty listeners in browsers that are none of ours, each talking with a caller of A-law.

The browsers are the async peer connections of the crate `webrtc`, in a process of their own
(benches/foreign), over SIP in a WebSocket, ICE, DTLS and SRTP, on loopback. Beside them the same
calls with plain phones. Prints the server's CPU per 100 legs and its memory per leg, as the kernel
counts them, and what was lost at either end.

    benches/browsers.py [BINARY [FOREIGN]]      without them: what cargo has built here

Needs sipp, python3, and `cargo build --release --manifest-path benches/foreign/Cargo.toml`; nothing
beside it should run on the machine.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import calls
from calls import CALLER_SOUND, LISTENER_SOUND, ROOT, Callers, House, Phones, Sound, watched

LEGS = 50
WS, ORIGIN = 17070, "http://127.0.0.1:17071"
FOREIGN = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "benches/foreign/target/release/hotline-foreign")


def main():
    binary = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/hotline")
    if not FOREIGN.exists():
        sys.exit(f"{FOREIGN} is not there: cargo build --release --manifest-path benches/foreign/Cargo.toml")
    print(f"{LEGS} callers of A-law, each with       CPU/100 legs   kB/leg   at the callers' ears")
    callers, listeners = Sound(CALLER_SOUND), Sound(LISTENER_SOUND)
    for what, codec in [("a plain phone", None), ("a browser, A-law", "pcma"), ("a browser, Opus", "opus")]:
        folder = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
        house = WithBrowsers(binary, folder)
        try:
            measure(house, folder, (callers, listeners), what, codec)
        finally:
            house.stop()
            shutil.rmtree(folder, ignore_errors=True)


def measure(house, folder, sounds, what, codec):
    callers, listeners = sounds
    crowd = Callers(folder, LEGS, 50, 45)
    # They hear the greeting, and nobody rings yet.
    time.sleep(LEGS / 50 + 7)
    # A listener whose phone is silent for 4 s is taken for lost.
    callers.speaks = listeners.speaks = True
    memory, browsers = house.memory(), None
    if codec is None:
        phones = Phones(house)
        for index in range(LEGS):
            phones.register(index, 300)
    else:
        browsers = Browsers(house, codec)
    time.sleep(6)
    per_leg = (house.memory() - memory) / LEGS
    if browsers:
        browsers.tells("forget")
    share, report = watched(house, [callers])
    print(f"{what:<34}{100 * share * 100 / LEGS:12.2f} %{per_leg / 1000:9.0f}   {report}", flush=True)
    if browsers:
        hearing, packets, lost = browsers.asks("tell").split()
        print(f"{'  in the browsers':<34}{hearing} hear, {packets} packets, {lost} lost", flush=True)
        browsers.end()
    callers.speaks = listeners.speaks = False
    crowd.wait()


class WithBrowsers(House):
    """The house with a door for browsers."""

    def prepares(self, config):
        text = (config / "hotline.toml").read_text()
        text = re.sub(r"(?s)\n\[\[doors\]\].*", "\n", text)
        text += (
            f'\n[[doors]]\ntransport = "udp"\nlisten = "127.0.0.1:{calls.SIP}"\n'
            f'\n[[doors]]\ntransport = "ws"\nlisten = "127.0.0.1:{WS}"\nalgorithms = ["MD5"]\n'
            f'origins = ["{ORIGIN}"]\n'
        )
        (config / "hotline.toml").write_text(text)

    def environment(self):
        environment = super().environment()
        del environment["HOTLINE__DOORS"]
        return environment


class Browsers:
    """The foreign process: a browser for every listener."""

    def __init__(self, house, codec):
        self.process = subprocess.Popen(
            [FOREIGN, f"ws://127.0.0.1:{WS}", ORIGIN, codec],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        for index in range(LEGS):
            name = f"l{index:03}"
            self.tells(f"{name} {house.passwords[name]}")
        if self.asks("").strip() != "registered":
            sys.exit("the browsers did not register")

    def tells(self, wish):
        self.process.stdin.write(wish + "\n")

    def asks(self, wish):
        self.tells(wish)
        return self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    main()
