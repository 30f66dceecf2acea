#!/usr/bin/env python3
"""The figures of the real binary under load, on loopback.

Callers are sipp's, listeners' phones and everybody's sound are here. Prints what the server's
process used, as the kernel counts it: CPU per 100 callers hearing music and per 100 bridged calls,
memory per waiting call, packets lost and jitter, CPU per short call and per REGISTER, and how long
after a listener comes the INVITE does.

    benches/calls.py [BINARY]      without it: target/release/hotline

Needs sipp and python3; nothing beside it should run on the machine.
"""

import hashlib
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WAITING = 200
BRIDGED = 100
SHORT = 1000
SHORT_RATE = 100
REGISTERS = 2000
WINDOW = 15.0

SIP, HTTP, PHONES, CALLERS = 17060, 17080, 17100, 17200
CALLER_SOUND, LISTENER_SOUND = 17300, 17302


def main():
    binary = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/hotline")
    folder = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    house = House(binary, folder)
    try:
        measure(house, folder)
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(house, folder):
    phones = Phones(house)
    callers, listeners = Sound(CALLER_SOUND), Sound(LISTENER_SOUND)

    before = house.cpu()
    for index in range(REGISTERS):
        phones.register(index % BRIDGED, 300)
    print(f"REGISTER                      {1000 * (house.cpu() - before) / REGISTERS:8.3f} ms of CPU")
    for index in range(BRIDGED):
        phones.register(index, 0)

    memory = house.memory()
    # A caller who sends no sound is asked after 30 s whether they are still there.
    crowd = Callers(folder, WAITING, 50, 29)
    time.sleep(WAITING / 50 + 8)
    per_call = (house.memory() - memory) / WAITING
    share, report = watched(house, [callers])
    print(f"100 callers hearing music     {100 * share * 100 / WAITING:8.2f} % of a core")
    print(f"waiting call                  {per_call / 1000:8.1f} kB")
    print(f"  at their ears               {report}")
    crowd.wait()
    time.sleep(2)

    before, began = house.cpu(), time.monotonic()
    Callers(folder, SHORT, SHORT_RATE, 0).wait()
    took = time.monotonic() - began
    print(
        f"short call                    {1000 * (house.cpu() - before) / SHORT:8.3f} ms of CPU"
        f"    ({SHORT / took:.0f} a second)"
    )
    time.sleep(3)

    crowd = Callers(folder, BRIDGED, 50, 40)
    time.sleep(BRIDGED / 50 + 7)
    # A listener whose phone is silent for 4 s is taken for lost.
    callers.speaks = listeners.speaks = True
    for index in range(BRIDGED):
        phones.register(index, 300)
        time.sleep(0.02)
    time.sleep(2)
    delays = sorted(phones.delays)
    if len(delays) >= 10:
        print(
            f"a listener comes, is INVITEd  {1000 * statistics.median(delays):8.2f} ms p50,"
            f" {1000 * delays[int(len(delays) * 0.99) - 1]:.2f} ms p99, REGISTER's way included"
        )
    print(f"  conversations               {phones.talking:8d}")
    share, report = watched(house, [callers, listeners])
    print(f"100 bridged calls             {100 * share * 100 / BRIDGED:8.2f} % of a core")
    print(f"  at both ears                {report}")
    callers.speaks = listeners.speaks = False
    crowd.wait()


def watched(house, sounds):
    """CPU share over the window, and what was heard in it."""
    for sound in sounds:
        sound.forget()
    before, began = house.cpu(), time.monotonic()
    time.sleep(WINDOW)
    share = (house.cpu() - before) / (time.monotonic() - began)
    heard = [stream for sound in sounds for stream in sound.streams()]
    packets = sum(stream.packets for stream in heard)
    lost = sum(stream.lost for stream in heard)
    jitter = [1000 * stream.jitter / 8000 for stream in heard] or [0.0]
    return share, (
        f"{len(heard)} streams, {packets} packets, {lost} lost,"
        f" jitter {statistics.mean(jitter):.2f} ms (worst {max(jitter):.2f})"
    )


class House:
    """The server, with room for the load and a listener for every bridge."""

    def __init__(self, binary, folder):
        config = folder / "config"
        shutil.copytree(ROOT / "config", config)
        (folder / "prompts").symlink_to(ROOT / "prompts")
        rewrite(config / "calendars.toml", r'(?m)^[a-z-]+day = \[.*\]$', "")
        rewrite(config / "calendars.toml", r"(?m)^(\[calendars\.\d+\.week\])$", '\\1\nmonday-sunday = ["0h-24h"]')
        rewrite(config / "queues.toml", r"(?m)^places = \d+", f"places = {WAITING + 50}")
        rewrite(config / "listeners.toml", r"(?s)\n\[listeners\..*", "\n")
        with open(config / "listeners.toml", "a") as file:
            for index in range(BRIDGED):
                file.write(f'\n[listeners.l{index:03}]\nname = "L{index}"\nqueues = ["ecoute"]\n')
        self.prepares(config)
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [binary, "serve", config], env=self.environment(), stdout=self.log, stderr=self.log
        )
        until = time.monotonic() + 120
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                sys.exit(f"the house does not open:\n{self.log.read()}")
            time.sleep(0.2)
        text = (folder / "state/passwords.toml").read_text()
        self.passwords = dict(re.findall(r'(?m)^"?(\w+)"? = "(.*)"$', text))

    def environment(self):
        return dict(
            os.environ,
            HOTLINE__DOORS=f"udp/127.0.0.1:{SIP},tcp/127.0.0.1:{SIP}",
            HOTLINE__HTTP=f"127.0.0.1:{HTTP}",
            HOTLINE__LOG__LEVEL="warn",
        )

    def prepares(self, config):
        """What else of the plan is to be changed: nothing."""

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{HTTP}/readyz", timeout=2).status == 200
        except OSError:
            return False

    def cpu(self):
        """Seconds of CPU, all threads, the kernel's share included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            time.sleep(0.2)
            self.process.kill()
        self.process.wait()


class Phones:
    """A phone for every listener, on one socket: registers, answers, talks on."""

    def __init__(self, house):
        self.house = house
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", PHONES))
        self.socket.connect(("127.0.0.1", SIP))
        self.sequence = 0
        self.answers = {}
        self.came = threading.Condition()
        self.sent = {}
        self.delays = []
        self.talking = 0
        self.seen = set()
        threading.Thread(target=self.listen, daemon=True).start()

    def register(self, index, expires):
        name = f"l{index:03}"
        text = self.ask(name, expires, "")
        challenge = next(
            line for line in text.split("\r\n")
            if line.startswith("WWW-Authenticate") and "MD5" in line
        )
        words = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        uri = f"sip:127.0.0.1:{SIP}"
        secret = md5(f"{name}:{words['realm']}:{self.house.passwords[name]}")
        request = md5(f"REGISTER:{uri}")
        response = md5(f"{secret}:{words['nonce']}:00000001:c0ffee:auth:{request}")
        opaque = f', opaque="{words["opaque"]}"' if "opaque" in words else ""
        text = self.ask(
            name, expires,
            f'Authorization: Digest username="{name}", realm="{words["realm"]}",'
            f' nonce="{words["nonce"]}", uri="{uri}", response="{response}", algorithm=MD5,'
            f' qop=auth, nc=00000001, cnonce="c0ffee"{opaque}\r\n',
        )
        if not text.startswith("SIP/2.0 200"):
            sys.exit(f"a REGISTER was refused:\n{text}")

    def ask(self, name, expires, authorization):
        self.sequence += 1
        number = self.sequence
        self.sent[name] = time.monotonic()
        self.socket.send((
            f"REGISTER sip:127.0.0.1:{SIP} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{PHONES};rport;branch=z9hG4bK-bench-{number}\r\n"
            f"From: <sip:{name}@127.0.0.1>;tag=b{number}\r\nTo: <sip:{name}@127.0.0.1>\r\n"
            f"Call-ID: bench-{name}\r\nCSeq: {number} REGISTER\r\n"
            f"Contact: <sip:{name}@127.0.0.1:{PHONES}>\r\nExpires: {expires}\r\n"
            f"Max-Forwards: 70\r\n{authorization}Content-Length: 0\r\n\r\n"
        ).encode())
        with self.came:
            if not self.came.wait_for(lambda: number in self.answers, timeout=5):
                sys.exit("a REGISTER got no answer")
            return self.answers.pop(number)

    def listen(self):
        while True:
            text = self.socket.recv(65535).decode(errors="replace")
            now = time.monotonic()
            method = text.split(" ", 1)[0]
            if method == "SIP/2.0":
                number = int(re.search(r"CSeq: (\d+)", text)[1])
                with self.came:
                    self.answers[number] = text
                    self.came.notify_all()
            elif method == "INVITE":
                self.invited(text, now)
            elif method in ("BYE", "CANCEL", "OPTIONS", "MESSAGE", "NOTIFY"):
                self.respond(text, "200 OK", "")

    def invited(self, text, now):
        name = re.match(r"INVITE sip:(\w+)@", text)[1]
        call = re.search(r"(?i)call-id: (\S+)", text)[1]
        if call in self.seen:
            return
        self.seen.add(call)
        self.delays.append(now - self.sent[name])
        self.talking += 1
        self.respond(text, "180 Ringing", "")
        self.respond(text, "200 OK", sdp(LISTENER_SOUND))

    def respond(self, request, status, body):
        kept = [
            line for line in request.split("\r\n\r\n")[0].split("\r\n")
            if re.match(r"(?i)(via|from|call-id|cseq|record-route):", line)
        ]
        to = re.search(r"(?i)\r\nto: ([^\r]*)", request)[1]
        if ";tag=" not in to:
            to += ";tag=phone"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.socket.send((
            f"SIP/2.0 {status}\r\n" + "\r\n".join(kept) + f"\r\nTo: {to}\r\n"
            f"Contact: <sip:phone@127.0.0.1:{PHONES}>\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode())


class Callers:
    """sipp's callers: so many, at this rate, each staying so long."""

    def __init__(self, folder, count, rate, stay):
        path = folder / f"caller-{stay}.xml"
        path.write_text(SCENARIO.replace("STAY", str(stay * 1000)).replace("SDP", sdp(CALLER_SOUND)))
        self.process = subprocess.Popen(
            ["sipp", f"127.0.0.1:{SIP}", "-sf", path, "-s", "3977", "-i", "127.0.0.1",
             "-p", str(CALLERS), "-m", str(count), "-l", str(count), "-r", str(rate),
             "-timeout", "180s", "-nostdin"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, TERM="dumb"),
        )

    def wait(self):
        if self.process.wait() != 0:
            print("  sipp: some calls did not go as they should", file=sys.stderr)


class Stream:
    """One stream that was heard (RFC 3550 appendix A)."""

    def __init__(self):
        self.packets = self.lost = 0
        self.sequence = self.transit = None
        self.jitter = 0.0

    def heard(self, sequence, timestamp, now):
        self.packets += 1
        if self.sequence is not None:
            self.lost += max((sequence - self.sequence - 1) & 0xFFFF, 0)
        self.sequence = sequence
        transit = now * 8000 - timestamp
        if self.transit is not None:
            self.jitter += (abs(transit - self.transit) - self.jitter) / 16
        self.transit = transit


class Sound:
    """Everybody's ear, and mouth, on one port: the server's streams differ by their source."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("127.0.0.1", port))
        self.reports = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.reports.bind(("127.0.0.1", port + 1))
        self.heard = {}
        self.peers = {}
        self.speaks = False
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.speak, daemon=True).start()

    def forget(self):
        self.heard = {}

    def streams(self):
        return list(self.heard.values())

    def listen(self):
        while True:
            packet, peer = self.socket.recvfrom(2048)
            now = time.monotonic()
            if len(packet) < 172 or packet[1] & 0x7F != 8:
                continue
            _, sequence, timestamp, source = struct.unpack_from("!HHII", packet)
            self.peers[peer] = now
            stream = self.heard.get(source)
            if stream is None:
                stream = self.heard[source] = Stream()
            stream.heard(sequence, timestamp, now)

    def speak(self):
        """Says silence to all who spoke a short while ago, every 20 ms."""
        count, due = 0, time.monotonic()
        while True:
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))
            count += 1
            if not self.speaks:
                continue
            packet = struct.pack("!BBHII", 0x80, 8, count & 0xFFFF, count * 160, 7) + b"\xd5" * 160
            for peer, spoke in list(self.peers.items()):
                if due - spoke < 5:
                    self.socket.sendto(packet, peer)


def sdp(port):
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
    )


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def rewrite(path, pattern, replacement):
    text, count = re.subn(pattern, replacement, path.read_text())
    if not count:
        sys.exit(f"{path}: nothing matches {pattern}")
    path.write_text(text)


HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+3361[call_number]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
Call-ID: [call_id]
Max-Forwards: 70
Contact: <sip:caller@[local_ip]:[local_port]>
"""

SCENARIO = f"""<?xml version="1.0"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{HEAD}To: <sip:[service]@[remote_ip]:[remote_port]>
CSeq: 1 INVITE
Content-Type: application/sdp
Content-Length: [len]

SDP]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
{HEAD}To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
CSeq: 1 ACK
Content-Length: 0

]]></send>
<pause milliseconds="STAY"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
{HEAD}To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
CSeq: 2 BYE
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""

if __name__ == "__main__":
    main()
