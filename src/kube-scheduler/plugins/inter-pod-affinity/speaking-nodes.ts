import type { NodeList } from "../../framework/node-list.ts";
import { NodeTally } from "../../framework/node-tally.ts";

const SPEAKING = 1;
const REFUSING = 2;

/** How many nodes have pods that say something of other pods: as a rule none, and then there is nothing to do. */
export class SpeakingNodes {
  #speaking = 0;
  #refusing = 0;
  readonly #nodes: NodeTally<number>;

  constructor() {
    const change = (says: number, by: 1 | -1): void => {
      if (says & SPEAKING) this.#speaking += by;
      if (says & REFUSING) this.#refusing += by;
    };
    this.#nodes = new NodeTally({
      count: ({ podsWithAffinity, podsWithRequiredAntiAffinity }) =>
        (podsWithAffinity.size > 0 ? SPEAKING : 0) | (podsWithRequiredAntiAffinity.size > 0 ? REFUSING : 0),
      add: (says) => change(says, 1),
      subtract: (says) => change(says, -1),
    });
  }

  refresh(nodes: NodeList): this {
    this.#nodes.refresh(nodes);
    return this;
  }

  /** Some pod says where others are wanted, or not. */
  get some(): boolean {
    return this.#speaking > 0;
  }

  /** Some pod keeps others away. */
  get refusing(): boolean {
    return this.#refusing > 0;
  }
}
