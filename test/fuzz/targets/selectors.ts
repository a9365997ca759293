import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const LABELS = { a: "b", "x.y/z": "", constructor: "c", n: "5" };

/** Selectors of labels and of fields: what is printed means the same. */
export const target: FuzzTarget = {
  seeds: [
    "a=b,c!=d,e in (f,g),h notin (i),!j,k,l>1,m<2,x.y/z==",
    "a in (),b notin (,a,),c=",
    "metadata.name=a,status.phase!=Running,spec.x==y\\,z\\=w\\\\",
    "=a,==,!=,a=b=c",
    "__proto__=a,constructor in (b)",
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    const labels = refusing([Error], () => parseLabelSelector(text));
    if (labels !== undefined) {
      const again = parseLabelSelector(labels.toString());
      check(again.toString() === labels.toString(), `${labels} is read as ${again}`);
      check(again.matches(LABELS) === labels.matches(LABELS) && again.matches({}) === labels.matches({}), "matches otherwise");
    }
    const fields = refusing([Error], () => parseFieldSelector(text));
    if (fields !== undefined) {
      const again = parseFieldSelector(fields.toString());
      // Terms are sorted as they were written, `==` and all.
      const sorted = (selector: typeof fields): string =>
        JSON.stringify(selector.requirements.map((one) => JSON.stringify(one)).sort());
      check(sorted(again) === sorted(fields), `${fields} is read as ${again}`);
      fields.matches((field) => field);
    }
  },
};
