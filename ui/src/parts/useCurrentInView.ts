import { useEffect, useRef } from "react";

/**
 * A box of links that scrolls sideways: hold it by this, and the current link is brought into sight
 * each time *current* changes. On narrow windows it may lie outside.
 */
export function useCurrentInView<Box extends HTMLElement>(current: string) {
  const box = useRef<Box>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked for anew when it is another one
  useEffect(() => {
    const held = box.current;
    const link = held?.querySelector<HTMLElement>('[aria-current="page"]');
    if (held && link) {
      const [outer, inner] = [held.getBoundingClientRect(), link.getBoundingClientRect()];
      const hidden = Math.max(inner.right - outer.right, 0) || Math.min(inner.left - outer.left, 0);
      held.scrollLeft += Math.sign(hidden) * Math.ceil(Math.abs(hidden));
    }
  }, [current]);
  return box;
}
