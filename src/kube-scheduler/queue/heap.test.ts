import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { Heap } from "./heap.ts";

test("gives items in order through random changes", () => {
  const random = seededRandom(7);
  const heap = new Heap<{ key: string; rank: number }>({ key: ({ key }) => key, less: (a, b) => a.rank < b.rank });
  const model = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const key = `k${random.int(200)}`;
    if (random.float() < 0.3) {
      expect(heap.delete(key)?.rank).toBe(model.get(key));
      model.delete(key);
    } else {
      const rank = random.float();
      heap.set({ key, rank });
      model.set(key, rank);
    }
    expect(heap.size).toBe(model.size);
  }
  const ranks: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) ranks.push(item.rank);
  expect(ranks).toEqual([...model.values()].sort((a, b) => a - b));
});
