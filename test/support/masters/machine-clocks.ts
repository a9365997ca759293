import { existsSync, renameSync, writeFileSync } from "node:fs";
import { realClock } from "#base/clock.ts";

/** What `faketime` is told is seen when its last look is a second ago, and the program asks for the time. */
const CLOCK_SEEN_MS = 3_000;
/** Where `faketime` has its library. */
const FAKETIME = ["x86_64", "aarch64"]
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
/** Whether clocks can be set. */
export const hasFaketime: boolean = FAKETIME !== undefined;

/** Clocks of machines that may be wrong: what their programs see of the time. */
export class MachineClocks {
  readonly #path: (name: string) => string;
  /** What each machine's clock was set to, and when. */
  readonly #set = new Map<string, { readonly at: number; readonly offsetMs: number }[]>();

  /** `path` says where a machine's file is of which `faketime` reads the time. */
  constructor(path: (name: string) => string) {
    this.#path = path;
  }

  /** What lets a program see another time than the machine has. */
  environment(name: string): NodeJS.ProcessEnv {
    if (FAKETIME === undefined) return {};
    const file = this.#path(name);
    writeFileSync(file, "+0");
    return {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets the clock of one of our programs, in seconds from the right time; it is seen within a second. */
  set(name: string, offset: number): void {
    const file = this.#path(name);
    // A file that is being written could be read when it is empty.
    writeFileSync(`${file}.new`, `${offset < 0 ? "" : "+"}${offset}`);
    renameSync(`${file}.new`, file);
    const set = this.#set.get(name) ?? [];
    this.#set.set(name, [...set, { at: realClock.now(), offsetMs: offset * 1000 }]);
  }

  /** What the right time may have been when a machine's clock showed this: several answers about when it was set. */
  trueTimes(name: string, shown: number): readonly number[] {
    const set = [{ at: 0, offsetMs: 0 }, ...(this.#set.get(name) ?? [])];
    return set.flatMap(({ at, offsetMs }, i) => {
      const time = shown - offsetMs;
      const until = (set[i + 1]?.at ?? Number.POSITIVE_INFINITY) + CLOCK_SEEN_MS;
      return time >= at && time <= until ? [time] : [];
    });
  }
}
