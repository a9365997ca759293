import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { describe, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { COSTLY_FRAMES_MAX, IDLE_CONNECTION_MS } from "./limits.ts";
import { SessionGuard } from "./session-guard.ts";

class Session extends EventEmitter {
  readonly ends: (number | undefined)[] = [];
  closed = false;
  close(): void {
    this.closed = true;
  }
  destroy(_error?: Error, code?: number): void {
    this.ends.push(code);
    this.emit("close");
  }
  request(): { end(rstCode?: number): void } {
    const stream = Object.assign(new EventEmitter(), { rstCode: 0 });
    this.emit("stream", stream);
    return {
      end: (rstCode = 0) => {
        stream.rstCode = rstCode;
        stream.emit("close");
      },
    };
  }
}

const CALM = 11;

describe("a connection", () => {
  const start = (): { clock: ManualClock; session: Session; turns: (() => void)[] } => {
    const clock = new ManualClock();
    const session = new Session();
    const turns: (() => void)[] = [];
    new SessionGuard(clock, (task) => turns.push(task)).add(session as unknown as ServerHttp2Session);
    return { clock, session, turns };
  };

  test.each<[string, (session: Session) => void]>([
    ["pings", (session) => session.emit("ping")],
    ["sends settings", (session) => session.emit("remoteSettings")],
    ["takes requests back", (session) => session.request().end(8)],
  ])("that %s too often ends, once what came was read", (_name, act) => {
    const { session, turns } = start();
    for (let i = 0; i < COSTLY_FRAMES_MAX - 1; i++) act(session);
    expect(turns).toHaveLength(0);
    for (let i = 0; i < 3; i++) act(session);
    expect([session.ends, turns.length]).toEqual([[], 1]);
    turns[0]?.();
    expect(session.ends).toEqual([CALM]);
  });

  test("may do so now and then, and have as many answers as it likes", () => {
    const { clock, session, turns } = start();
    for (let i = 0; i < 10 * COSTLY_FRAMES_MAX; i++) session.request().end();
    for (let i = 0; i < 10 * COSTLY_FRAMES_MAX; i++) {
      session.emit("ping");
      clock.advance(50);
    }
    expect(turns).toHaveLength(0);
  });

  test("without a request for long ends, and not one with a watch", () => {
    const { clock, session } = start();
    const watch = session.request();
    clock.advance(2 * IDLE_CONNECTION_MS);
    expect(session.closed).toBe(false);
    watch.end();
    clock.advance(IDLE_CONNECTION_MS / 2);
    expect(session.closed).toBe(false);
    clock.advance(IDLE_CONNECTION_MS * 0.6);
    expect(session.closed).toBe(true);
    clock.advance(IDLE_CONNECTION_MS);
    expect(session.ends).toEqual([undefined]);
  });
});
