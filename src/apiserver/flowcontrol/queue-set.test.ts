import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { resolveRequestInfo } from "../request/resolve-request-info.ts";
import { type Arrival, QueueSet, type Refusal, Ticket } from "./queue-set.ts";

const info = resolveRequestInfo("GET", "/api/v1/pods", undefined);
const arrival = (flow: string, seats = 1): Arrival => ({
  schema: "s",
  distinguisher: flow,
  user: { name: flow, uid: "", groups: [], extra: {} },
  info,
  seats,
});
const QUEUED = { exempt: false, queues: 64, handSize: 6, queueLengthLimit: 50 };
const ONE_QUEUE = { exempt: false, queues: 1, handSize: 1, queueLengthLimit: 2 };
const never = (): void => {};

const isTicket = (result: unknown): result is Ticket => result instanceof Ticket;

test("requests run at once while there are seats", () => {
  const set = new QueueSet(new ManualClock(), QUEUED, 2);
  expect([set.start(arrival("a"), 100, never), set.start(arrival("b"), 100, never)].every(isTicket)).toBe(true);
  expect(set.start(arrival("c"), 100, never)).toBeInstanceOf(Promise);
  expect([set.seatsInUse, set.waiting]).toEqual([2, 1]);
});

test("an exempt level has no limit", () => {
  const set = new QueueSet(new ManualClock(), { ...QUEUED, exempt: true }, 0);
  expect(Array.from({ length: 10 }, () => set.start(arrival("a"), 1, never)).every(isTicket)).toBe(true);
});

test("without queues what does not fit is refused", () => {
  const set = new QueueSet(new ManualClock(), { ...QUEUED, queues: 0 }, 1);
  const first = set.start(arrival("a"), 100, never);
  expect(set.start(arrival("b"), 100, never)).toBe("concurrency-limit");
  (first as Ticket).release();
  expect(isTicket(set.start(arrival("b"), 100, never))).toBe(true);
  expect(set.tally).toMatchObject({ dispatched: 2, rejected: 1 });
});

test("a full queue refuses, a long wait ends, and who goes away waits no more", async () => {
  const clock = new ManualClock();
  const set = new QueueSet(clock, ONE_QUEUE, 1);
  void set.start(arrival("a"), 100, never);
  let cancel = (): void => {};
  const waits = set.start(arrival("a"), 100, never) as Promise<Ticket | Refusal>;
  const leaves = set.start(arrival("a"), 100, (call) => {
    cancel = call;
  }) as Promise<Ticket | Refusal>;
  expect(set.start(arrival("a"), 100, never)).toBe("queue-full");
  cancel();
  clock.advance(100);
  expect([await waits, await leaves]).toEqual(["time-out", "cancelled"]);
  expect(set.tally).toEqual({ dispatched: 1, rejected: 1, timedOut: 1, cancelled: 1 });
  expect(set.waiting).toBe(0);
});

test("wide requests take their seats, and one wider than all runs alone", async () => {
  const set = new QueueSet(new ManualClock(), QUEUED, 4);
  const wide = set.start(arrival("a", 10), 100, never) as Ticket;
  const next = set.start(arrival("b", 3), 100, never) as Promise<Ticket>;
  const after = set.start(arrival("c", 2), 100, never) as Promise<Ticket>;
  wide.release();
  (await next).release();
  expect(isTicket(await after)).toBe(true);
  expect(set.seatsInUse).toBe(2);
});

test("releasing twice gives seats back once", () => {
  const set = new QueueSet(new ManualClock(), QUEUED, 4);
  const ticket = set.start(arrival("a"), 100, never) as Ticket;
  ticket.release();
  ticket.release();
  expect([set.seatsInUse, set.idle]).toEqual([0, true]);
});

test("a flood of one flow does not hold up another", async () => {
  const clock = new ManualClock();
  const set = new QueueSet(clock, { ...QUEUED, queueLengthLimit: 1000 }, 1);
  const order: string[] = [];
  const serve = async (flow: string): Promise<void> => {
    const ticket = (await set.start(arrival(flow), 100_000, never)) as Ticket;
    order.push(flow);
    clock.advance(3);
    ticket.release();
  };
  const busy = set.start(arrival("busy"), 1, never) as Ticket;
  const all = [...Array.from({ length: 200 }, () => serve("flood")), ...Array.from({ length: 5 }, () => serve("quiet"))];
  busy.release();
  await Promise.all(all);
  expect(order.lastIndexOf("quiet")).toBeLessThan(50);
});

test("more seats let those run who wait", async () => {
  const set = new QueueSet(new ManualClock(), QUEUED, 1);
  void set.start(arrival("a"), 100, never);
  const waits = set.start(arrival("b"), 100, never) as Promise<Ticket>;
  set.limit = 2;
  expect(isTicket(await waits)).toBe(true);
  expect(set.takePeakDemand()).toBe(2);
});
