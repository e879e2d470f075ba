import { Button, HStack } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";

type Props = {
  /** What the API called `next`; null on the last page. */
  next: string | number | null | undefined;
  isFirst: boolean;
  onNext: (next: string) => void;
  onFirst: () => void;
};

/** Walk pages by keys: on to the next, or back to the first. Nothing counts all rows for it. */
export function Pager({ next, isFirst, onNext, onFirst }: Props) {
  const say = useSay();
  const isLast = next === null || next === undefined;
  if (isFirst && isLast) {
    return null;
  }
  return (
    <HStack justify="end" as="nav" aria-label={say("common.pages")}>
      <Button size="sm" variant="outline" disabled={isFirst} onClick={onFirst}>
        {say("common.first_page")}
      </Button>
      <Button
        size="sm"
        variant="outline"
        disabled={isLast}
        onClick={() => !isLast && onNext(String(next))}
      >
        {say("common.next_page")}
      </Button>
    </HStack>
  );
}
