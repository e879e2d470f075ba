import type { components } from "~/api/schema";

type Node = components["schemas"]["WorkflowNode"];

/** Put tasks that are as far from the beginning side by side. */
export function levelsOf(nodes: Node[]): Node[][] {
  const found: Node[][] = [];
  for (const node of nodes) {
    const side = found[node.level] ?? [];
    side.push(node);
    found[node.level] = side;
  }
  return found.filter((each) => each !== undefined);
}
