#!/usr/bin/env python3
"""The real binary under siege, on loopback: what callers notice of it, and what it costs.

At once, for SECONDS: 5,000 datagrams of garbage a second, 2,000 REGISTERs a second from 200 addresses (half
of them ask, half of them guess a password), and 5,000 connections that say nothing. Meanwhile two
people talk, whose packets are counted at both ears, a listener registers with the right password, and
every second somebody calls and must be answered. Then a million messages of garbage as fast as they
are taken, and the memory before and after. Then what one guess costs (domain.md T-02). Last, and not with
`--short`, 5,000 calls a second by the trunk's own address, whose answers nobody acknowledges: somebody who
talks hangs up in the middle of it, and somebody calls when it is over.

    benches/siege.py [--short] [BINARY]      without it: target/release/hotline

`--short` besieges for 10 s and sends a hundred thousand. Fails if a caller or a packet was lost. Needs python3 on
Linux, where all of 127.0.0.0/8 is this machine.
"""

import os
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import calls
from calls import SIP, House, Phones, Sound, rewrite, sdp

GARBAGE_RATE = 5_000
REGISTER_RATE = 2_000
IDLE = 5_000
ADDRESSES = 200
TRUNK = "127.0.0.2"
CALL_RATE = 5_000
SECONDS, MILLION = 30, 1_000_000


def main():
    words = [word for word in sys.argv[1:] if word != "--short"]
    short = "--short" in sys.argv
    seconds, million = (10, 100_000) if short else (SECONDS, MILLION)
    binary = Path(words[0] if words else calls.ROOT / "target/release/hotline")
    folder = Path(tempfile.mkdtemp(prefix="hotline-siege-"))
    house = BesiegedHouse(binary, folder)
    try:
        faults = besieged(house, seconds)
        faults += million_of_garbage(house, million)
        guesses(house, 5 if short else 10)
        faults += [] if short else flooded(house, 20)
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if faults:
        sys.exit("; ".join(faults))


class BesiegedHouse(House):
    """The house, with one address of a trunk; everybody else on this machine is a stranger."""

    def prepares(self, config):
        rewrite(config / "trunks.toml", r'(?m)^addresses = .*$', f'addresses = ["{TRUNK}"]')
        rewrite(config / "trunks.toml", r'(?m)^media = .*$', 'media = ["127.0.0.0/24"]')


def besieged(house, seconds):
    phones = Phones(house)
    callers, listeners = Sound(calls.CALLER_SOUND), Sound(calls.LISTENER_SOUND)
    callers.speaks = listeners.speaks = True
    caller = Caller(1)
    caller.calls(sdp(calls.CALLER_SOUND))
    phones.register(0, 300)
    until = time.monotonic() + 15
    while phones.talking == 0 and time.monotonic() < until:
        time.sleep(0.1)
    if phones.talking == 0:
        return ["nobody talks"]
    time.sleep(2)

    stop = threading.Event()
    idle = idle_connections()
    print(f"idle connections              {len(idle):8d} of {IDLE} ({held(house)} held by the house)")
    garbage, registers = Siege(GARBAGE_RATE, garbage_of, stop), Siege(REGISTER_RATE, register_of, stop)
    time.sleep(2)
    callers.forget()
    listeners.forget()
    cpu, memory = house.cpu(), house.memory()
    began = time.monotonic()
    delays, lost_calls, reregistered = [], 0, 0
    for turn in range(seconds):
        delay = Caller(100 + turn).is_answered()
        if delay is None:
            lost_calls += 1
        else:
            delays.append(delay)
        if turn % 5 == 2:
            phones.register(0, 300)
            reregistered += 1
        time.sleep(max(0.0, began + turn + 1 - time.monotonic()))
    took = time.monotonic() - began
    used = (house.cpu() - cpu) / took
    grown = (house.memory() - memory) / 1e6
    ears = [stream for sound in (callers, listeners) for stream in sound.streams() if stream.packets > 100]
    heard = sum(stream.packets for stream in ears)
    lost = sum(stream.lost for stream in ears)
    sent = [siege.sent / (time.monotonic() - siege.began) for siege in (garbage, registers)]
    stop.set()
    for connection in idle:
        connection.close()
    delays.sort()
    print(f"garbage · REGISTERs           {sent[0]:8.0f} · {sent[1]:.0f} a second, for {took:.0f} s")
    print(f"CPU                           {100 * used:8.1f} % of a core; memory {grown:+.1f} MB")
    if delays:
        p99 = delays[min(len(delays) - 1, int(len(delays) * 0.99))]
        print(
            f"new calls answered            {len(delays):8d} of {seconds};"
            f" {1000 * delays[len(delays) // 2]:.1f} ms p50, {1000 * p99:.1f} ms p99"
        )
    print(f"packets of the conversation   {heard:8d} heard at {len(ears)} ears, {lost} lost")
    print(f"right password                {reregistered:8d} times, never refused")
    faults = []
    if lost_calls:
        faults.append(f"{lost_calls} calls were not answered")
    if len(ears) < 2 or lost or heard < 2 * 45 * took:
        faults.append(f"the conversation suffered: {heard} packets, {lost} lost")
    caller.hangs_up()
    time.sleep(1)
    return faults


def million_of_garbage(house, million):
    """Memory stays flat: what is remembered of strangers is bounded."""
    # What is bounded is filled first.
    burst(house, million // 10)
    before = house.memory()
    cpu, began = house.cpu(), time.monotonic()
    burst(house, million)
    took, used = time.monotonic() - began, house.cpu() - cpu
    time.sleep(3)
    grown = (house.memory() - before) / 1e6
    print(
        f"{million:,} messages of garbage     {1e6 * used / million:8.1f} µs of CPU each"
        f" ({million / took:.0f} a second), memory {before / 1e6:.1f} MB {grown:+.1f} MB"
    )
    answered = Caller(999).is_answered()
    faults = [] if answered is not None else ["nobody answers afterwards"]
    return faults + ([f"memory grew by {grown:.1f} MB"] if grown > 20 else [])


def burst(house, count):
    sockets = [stranger(n) for n in range(ADDRESSES)]
    for number in range(count):
        try:
            sockets[number % ADDRESSES].send(garbage_of(number))
        except OSError:
            time.sleep(0.001)
        if number % 500 == 0:
            # No faster than one core takes them, or the kernel drops them unseen.
            time.sleep(0.02)
    for one in sockets:
        one.close()


def guesses(house, seconds):
    """What it costs to hear a guess at a password: those that are checked, and those that are not any more."""
    stop = threading.Event()
    siege = Siege(REGISTER_RATE, register_of, stop)
    time.sleep(2)
    cpu, began, sent = house.cpu(), time.monotonic(), siege.sent
    time.sleep(seconds)
    used, count = house.cpu() - cpu, siege.sent - sent
    stop.set()
    print(
        f"a REGISTER of a guesser       {1000 * used / max(count, 1):8.3f} ms of CPU"
        f" ({count / (time.monotonic() - began):.0f} a second: {100 * used / seconds:.1f} % of a core)"
    )


def flooded(house, seconds):
    """Who can forge the trunk's address has its rights; those who talk are not his."""
    talking = Caller(2_000)
    if not talking.calls(sdp(calls.CALLER_SOUND)):
        return ["nobody answers before the flood"]
    stop, memory, cpu = threading.Event(), house.memory(), house.cpu()
    flood = Siege(CALL_RATE, call_of, stop, [neighbour() for _ in range(20)])
    time.sleep(seconds * 3 / 4)
    delay = talking.hangs_up_and_hears()
    time.sleep(seconds / 4)
    stop.set()
    used, grown = house.cpu() - cpu, (house.memory() - memory) / 1e6
    rate = flood.sent / (time.monotonic() - flood.began)
    over, answered = time.monotonic(), None
    for number in range(60):
        answered = Caller(3_000 + number, expected=True).is_answered(patience=1)
        if answered is not None:
            break
    print(
        f"calls by the trunk's address  {rate:8.0f} a second: {100 * used / seconds:.1f} % of a core,"
        f" memory {grown:+.1f} MB"
    )
    if delay is not None:
        print(f"  a hang-up in it is heard    {1000 * delay:8.1f} ms")
    if answered is not None:
        print(f"  the next caller is let in   {time.monotonic() - over:8.1f} s after it")
    faults = [] if delay is not None else ["a hang-up was not heard in the flood"]
    faults += [] if answered is not None else ["nobody was let in after the flood"]
    return faults + ([f"memory grew by {grown:.1f} MB"] if grown > 60 else [])


class Siege:
    """So many datagrams a second, from two hundred addresses or these sockets."""

    def __init__(self, rate, text_of, stop, sockets=None):
        self.rate, self.text_of, self.stop = rate, text_of, stop
        self.sent, self.began = 0, time.monotonic()
        self.sockets = sockets or [stranger(n) for n in range(ADDRESSES)]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.stop.is_set():
            due = int((time.monotonic() - self.began) * self.rate)
            while self.sent < due:
                try:
                    self.sockets[self.sent % len(self.sockets)].send(self.text_of(self.sent))
                except OSError:
                    pass
                self.sent += 1
            time.sleep(0.002)


def stranger(number):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((f"127.0.1.{number + 1}", 0))
    one.connect(("127.0.0.1", SIP))
    return one


def neighbour():
    """Somebody else on the trunk's address."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((TRUNK, 0))
    one.connect(("127.0.0.1", SIP))
    return one


NOISE = random.Random(7)
GARBAGE = [
    b"",
    b"\r\n\r\n",
    b"INVITE",
    b"\xff" * 700,
    b"OPTIONS sip:x SIP/2.0\r\nSubject: " + b"x" * 20_000 + b"\r\n\r\n",
    b"INVITE sip:3977@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nContent-Length: -1\r\n\r\n",
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKno\r\nCSeq: 1 INVITE\r\n\r\n",
    b"\x80\x08\x00\x01" + b"\xd5" * 168,
    NOISE.randbytes(300),
    NOISE.randbytes(1400),
    b"BYE sip:3977@127.0.0.1 SIP/2.0\r\n" + b"Via: SIP/2.0/UDP a;branch=z9hG4bKa\r\n" * 200 + b"\r\n",
    b"INVITE sip:" + b"%41" * 400 + b"@127.0.0.1 SIP/2.0\r\n\r\n",
]


def garbage_of(number):
    return GARBAGE[number % len(GARBAGE)]


def register_of(number):
    who = number % ADDRESSES + 1
    name = "l000" if number % 3 else f"agent{number % 977}"
    guess = (
        f'Authorization: Digest username="{name}", realm="hotline", nonce="{number:024x}", '
        f'uri="sip:127.0.0.1:{SIP}", response="{number:032x}", algorithm=MD5, qop=auth, '
        f'nc=00000001, cnonce="c"\r\n'
        if number % 2
        else ""
    )
    return (
        f"REGISTER sip:127.0.0.1:{SIP} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.1.{who}:5060;rport;branch=z9hG4bKs{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{name}@127.0.0.1>;tag=s{number}\r\n"
        f"To: <sip:{name}@127.0.0.1>\r\nCall-ID: siege-{number}\r\nCSeq: 1 REGISTER\r\n"
        f"Contact: <sip:x@127.0.1.{who}:5060>\r\nExpires: 600\r\n{guess}Content-Length: 0\r\n\r\n"
    ).encode()


def call_of(number):
    body = sdp(calls.CALLER_SOUND).replace("127.0.0.1", TRUNK)
    return (
        f"INVITE sip:3977@127.0.0.1:{SIP} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {TRUNK};rport;branch=z9hG4bKflood{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:+336{number:08}@{TRUNK}>;tag=f{number}\r\n"
        f"To: <sip:3977@127.0.0.1>\r\nCall-ID: flood-{number}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:caller@{TRUNK}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def idle_connections():
    held_open = []
    for number in range(IDLE):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            one.bind((f"127.0.2.{number % 250 + 1}", 0))
            one.connect(("127.0.0.1", SIP))
            held_open.append(one)
        except OSError:
            one.close()
    time.sleep(1)
    return held_open


def held(house):
    return len(os.listdir(f"/proc/{house.process.pid}/fd"))


class Caller:
    """Somebody on the trunk's address."""

    def __init__(self, number, expected=False):
        """`expected`: that this one is refused."""
        self.expected = expected
        self.number, self.to = number, f"<sip:3977@127.0.0.1:{SIP}>"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((TRUNK, 0))
        self.socket.connect(("127.0.0.1", SIP))
        self.port = self.socket.getsockname()[1]

    def is_answered(self, patience=8):
        """Seconds to the 200, or None; hangs up at once."""
        sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sound.bind((TRUNK, 0))
        began = time.monotonic()
        body = sdp(sound.getsockname()[1]).replace("127.0.0.1", TRUNK)
        answered = self.calls(body, patience)
        delay = time.monotonic() - began
        if answered:
            self.hangs_up()
        sound.close()
        self.socket.close()
        return delay if answered else None

    def calls(self, body, patience=8):
        """INVITE until the 200; then the ACK. Whether there was one."""
        answer = self.asks(self.request("INVITE", 1, f"siege{self.number}i", body), patience)
        if answer is None:
            return False
        lines = answer.split("\r\n")
        self.to = next(line[4:] for line in lines if line.lower().startswith("to: "))
        self.socket.send(self.request("ACK", 1, f"siege{self.number}a", ""))
        return True

    def hangs_up(self):
        self.socket.send(self.request("BYE", 2, f"siege{self.number}b", ""))

    def hangs_up_and_hears(self):
        """Seconds to the 200 of the BYE, or None."""
        began = time.monotonic()
        answer = self.asks(self.request("BYE", 2, f"siege{self.number}b", ""), 8)
        return None if answer is None else time.monotonic() - began

    def asks(self, text, patience):
        """A request, repeated as UDP wants it, until its 200, or None."""
        ours = next(line for line in text.split(b"\r\n") if line.startswith(b"CSeq: ")).decode()
        pause, until = 0.5, time.monotonic() + patience
        while time.monotonic() < until:
            self.socket.send(text)
            again = time.monotonic() + pause
            pause *= 2
            while (left := again - time.monotonic()) > 0:
                self.socket.settimeout(left)
                try:
                    answer = self.socket.recv(65535).decode(errors="replace")
                except OSError:
                    break
                if not self.expected and not answer.startswith(("SIP/2.0 1", "SIP/2.0 200")):
                    print(f"  a caller is told: {answer.splitlines()[0]}", file=sys.stderr)
                if answer.startswith("SIP/2.0 200") and ours in answer:
                    return answer
        return None

    def request(self, method, cseq, branch, body):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} sip:3977@127.0.0.1:{SIP} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {TRUNK}:{self.port};rport;branch=z9hG4bK{branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:+3361{self.number:07}@{TRUNK}>;tag=c{self.number}\r\n"
            f"To: {self.to}\r\nCall-ID: siege-caller-{self.number}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:caller@{TRUNK}:{self.port}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


if __name__ == "__main__":
    main()
