import type { Session } from "node:inspector/promises";
import { setTimeout as sleep } from "node:timers/promises";

const SECONDS_DEFAULT = 30;
const SECONDS_MAX = 300;

/** Node's inspector takes some milliseconds to load, which a start has no use for. */
async function openSession(): Promise<Session> {
  const inspector = await import("node:inspector/promises");
  const session = new inspector.Session();
  session.connect();
  return session;
}

/** What runs for how long, as V8 writes it (`.cpuprofile`): for the developer tools of browsers and for editors. */
export async function cpuProfile(secondsText: string | null): Promise<string> {
  const asked = Number(secondsText ?? SECONDS_DEFAULT);
  const seconds = asked > 0 ? Math.min(asked, SECONDS_MAX) : SECONDS_DEFAULT;
  const session = await openSession();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await sleep(seconds * 1000);
    const { profile } = await session.post("Profiler.stop");
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}

/** What memory is used for, as a sampled profile of V8's heap. */
export async function heapProfile(): Promise<string> {
  const session = await openSession();
  try {
    await session.post("HeapProfiler.enable");
    await session.post("HeapProfiler.startSampling");
    await sleep(1_000);
    const { profile } = await session.post("HeapProfiler.stopSampling");
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}
