// A headset's own buttons and lamps (WebHID, HID Usage Tables 1.5): what its reports mean, and what ours have to be.
// Nothing here knows of calls; `headset` does.

/** As much of WebHID as is used; TypeScript has no words for it yet. */
export interface Item { usages?: number[]; usageMinimum?: number; usageMaximum?: number; isRange?: boolean; isArray?: boolean; isAbsolute?: boolean; logicalMinimum?: number; reportSize?: number; reportCount?: number }
export interface Report { reportId?: number; items?: Item[] }
export interface Collection { usagePage?: number; usage?: number; children?: Collection[]; inputReports?: Report[]; outputReports?: Report[] }
export interface InputEvent extends Event { device: Device; reportId: number; data: DataView }
export interface Device extends EventTarget {
  opened: boolean; productName: string; collections: Collection[];
  open(): Promise<void>; close(): Promise<void>; forget?(): Promise<void>;
  sendReport(reportId: number, data: Uint8Array): Promise<void>;
}
export interface Hid extends EventTarget { getDevices(): Promise<Device[]>; requestDevice(options: { filters: { usagePage: number }[] }): Promise<Device[]> }

export const TELEPHONY = 0x0b;
/** Usages, each with its page above it. */
export const HOOK = 0x0b_0020;
export const MUTE = 0x0b_002f;
const LED_MUTE = 0x08_0009;
const LED_OFF_HOOK = 0x08_0017;
const LED_RING = 0x08_0018;
const LED_MICROPHONE = 0x08_0021;

export interface Lamps { offHook: boolean; ringing: boolean; muted: boolean }
/** What a button says: its usage, whether it is down, and whether it stays where it is put (a hook) or only moves. */
export interface Press { usage: number; on: boolean; stays: boolean }

const reports = (device: Device, kind: "inputReports" | "outputReports"): Report[] => {
  const of = (all: Collection[]): Report[] => all.flatMap((one) => [...(one[kind] ?? []), ...of(one.children ?? [])]);
  return of(device.collections);
};

/** The fields of a report: where each begins, and what each means. */
function* fields(report: Report): Generator<{ item: Item; usage: number | null; at: number; size: number }> {
  let at = 0;
  for (const item of report.items ?? []) {
    const [size, count] = [item.reportSize ?? 0, item.reportCount ?? 0];
    for (let n = 0; n < count; n++, at += size) {
      const range = item.isRange ? (item.usageMinimum ?? 0) + n : item.usages?.[Math.min(n, (item.usages?.length ?? 1) - 1)];
      const usage = item.isArray ? null : range ?? null;
      yield { item, usage, at, size };
    }
  }
}

function number(data: DataView, at: number, size: number): number {
  let value = 0;
  for (let bit = 0; bit < size && bit < 31; bit++) {
    const place = at + bit;
    if (place >> 3 < data.byteLength && (data.getUint8(place >> 3) >> (place & 7)) & 1) value |= 1 << bit;
  }
  return value;
}

/** What hook and mute say in this report. */
export function presses(device: Device, reportId: number, data: DataView): Press[] {
  const said: Press[] = [];
  for (const report of reports(device, "inputReports").filter((one) => (one.reportId ?? 0) === reportId)) {
    const chosen = new Set<number>();
    const listed = new Map<number, Item>();
    for (const { item, usage, at, size } of fields(report)) {
      const value = number(data, at, size);
      if (usage === null) {
        // A list of the buttons that are down.
        const all = item.isRange ? null : item.usages ?? [];
        const place = value - (item.logicalMinimum ?? 0);
        const found = all ? all[place] : (item.usageMinimum ?? 0) + place;
        if (found !== undefined && value >= (item.logicalMinimum ?? 0)) chosen.add(found);
        for (const one of all ?? [HOOK, MUTE].filter((one) => one >= (item.usageMinimum ?? 0) && one <= (item.usageMaximum ?? -1))) listed.set(one, item);
      } else if (usage === HOOK || usage === MUTE) {
        said.push({ usage, on: value !== 0, stays: item.isAbsolute ?? true });
      }
    }
    for (const usage of listed.keys()) if (usage === HOOK || usage === MUTE) said.push({ usage, on: chosen.has(usage), stays: false });
  }
  return said;
}

/** The reports that set the lamps. */
export function lit(device: Device, lamps: Lamps): { reportId: number; data: Uint8Array }[] {
  const on = new Map([[LED_OFF_HOOK, lamps.offHook], [LED_RING, lamps.ringing], [LED_MUTE, lamps.muted], [LED_MICROPHONE, lamps.muted]]);
  const all: { reportId: number; data: Uint8Array }[] = [];
  for (const report of reports(device, "outputReports")) {
    let [known, bits] = [false, 0];
    const set: number[] = [];
    for (const { usage, at, size } of fields(report)) {
      bits = at + size;
      if (usage === null || !on.has(usage)) continue;
      known = true;
      if (on.get(usage)) set.push(at);
    }
    if (!known) continue;
    const data = new Uint8Array(Math.ceil(bits / 8));
    for (const at of set) data[at >> 3]! |= 1 << (at & 7);
    all.push({ reportId: report.reportId ?? 0, data });
  }
  return all;
}
