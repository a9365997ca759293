import type { Pod } from "#api/generated/core/v1.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import { NODE_SCORE_MAX, type Plugin, type PreScorePlugin, type ScorePlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS } from "../../framework/status.ts";
import { ImageTally } from "./image-tally.ts";

const NAME = "ImageLocality";
const MIB = 1024 * 1024;
/** Less than this is pulled as quickly as it is found. */
const BYTES_MIN = 23 * MIB;
/** More than this for each container counts no more. */
const BYTES_MAX_PER_CONTAINER = 1000 * MIB;

/** For each image that the pod uses: the part of all nodes that have it. */
type Spread = ReadonlyMap<string, number>;

/** Nodes that have a pod's images already are better; images that few nodes have count less, so that not all pods go there. */
export function imageLocality(cluster: ClusterLister): Plugin & PreScorePlugin & ScorePlugin {
  const images = new ImageTally();
  return {
    name: NAME,
    weight: 1,

    preScore(state, { pod }) {
      const nodes = cluster.nodes();
      images.refresh(nodes);
      const spread = new Map<string, number>();
      for (const image of imagesOf(pod)) {
        const count = images.nodesWith(image);
        if (count > 0) spread.set(image, count / nodes.all.length);
      }
      if (spread.size === 0) return SKIP;
      state.write(NAME, spread satisfies Spread);
      return SUCCESS;
    },

    score(state, { pod }, node) {
      const spread = state.read<Spread>(NAME);
      if (spread === undefined) return 0;
      const wanted = imagesOf(pod);
      let bytes = 0;
      for (const image of wanted) bytes += Math.trunc((node.images.get(image) ?? 0) * (spread.get(image) ?? 0));
      const most = BYTES_MAX_PER_CONTAINER * wanted.length;
      const counted = Math.min(Math.max(bytes, BYTES_MIN), most);
      return Math.trunc((NODE_SCORE_MAX * (counted - BYTES_MIN)) / (most - BYTES_MIN));
    },
  };
}

/** One for each container: an image that two containers use counts twice. */
function imagesOf({ spec }: Pod): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ image = "" }) => withTag(image));
}

function withTag(image: string): string {
  return image.lastIndexOf(":") > image.lastIndexOf("/") ? image : `${image}:latest`;
}
