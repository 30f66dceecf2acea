// What a tab remembers of the call it is in, so that a page that is loaded anew in the middle of it goes on: that
// there is a call, and what was written in it. In this tab alone, and only until the call is over.
import type { Said } from "./api";

const IN_CALL = "hotline.in_call";
const WRITTEN = "hotline.written";
/** A call that was lost so long ago is taken by hand, and nothing is known of it. */
export const RESUME = 60_000;

/** A call is going on. */
export function mark(): void {
  sessionStorage.setItem(IN_CALL, String(Date.now()));
}

/** Whether a call was going on a moment ago that nobody here has ended. */
export const lately = (): boolean => Date.now() - Number(sessionStorage.getItem(IN_CALL) ?? 0) < RESUME;

export function keep(written: Said[]): void {
  if (written.length > 0) sessionStorage.setItem(WRITTEN, JSON.stringify(written));
  else sessionStorage.removeItem(WRITTEN);
}

export function kept(): Said[] {
  try {
    if (lately()) return JSON.parse(sessionStorage.getItem(WRITTEN) ?? "[]") as Said[];
  } catch {
    // Whatever that was, it isn't ours.
  }
  sessionStorage.removeItem(WRITTEN);
  return [];
}

/** The call is over, or nobody is signed in any more. */
export function forget(): void {
  sessionStorage.removeItem(IN_CALL);
  sessionStorage.removeItem(WRITTEN);
}
