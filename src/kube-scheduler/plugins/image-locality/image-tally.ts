import type { NodeInfo } from "../../framework/node-info.ts";
import type { NodeList } from "../../framework/node-list.ts";
import { NodeTally } from "../../framework/node-tally.ts";

/** On how many nodes each image is. */
export class ImageTally {
  readonly #nodesWith = new Map<string, number>();
  readonly #nodes: NodeTally<NodeInfo["images"]>;

  constructor() {
    const change = (images: NodeInfo["images"], by: 1 | -1): void => {
      for (const image of images.keys()) {
        const nodes = (this.#nodesWith.get(image) ?? 0) + by;
        if (nodes === 0) this.#nodesWith.delete(image);
        else this.#nodesWith.set(image, nodes);
      }
    };
    this.#nodes = new NodeTally({
      // The same map until the node's images change.
      count: ({ images }) => images,
      add: (images) => change(images, 1),
      subtract: (images) => change(images, -1),
    });
  }

  refresh(nodes: NodeList): this {
    this.#nodes.refresh(nodes);
    return this;
  }

  nodesWith(image: string): number {
    return this.#nodesWith.get(image) ?? 0;
  }
}
