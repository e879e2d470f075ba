import { Box, Button, HStack, Stack, Text } from "@chakra-ui/react";
import { type KeyboardEvent, useState } from "react";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { FindRecipient } from "./FindRecipient";
import { MessageFacts } from "./MessageFacts";
import { PhoneFrame } from "./PhoneFrame";
import type { Message, Review } from "./shapes";
import { useNames } from "./useNames";

/** Real messages, one at a time in a phone: those that stand for all, or somebody's own. */
export function Samples({ review }: { review: Review }) {
  const say = useSay();
  const names = useNames();
  const [place, setPlace] = useState(0);
  const [found, setFound] = useState<Message | null>(null);
  const { samples } = review;
  const shown = found ?? samples[place % (samples.length || 1)];
  const step = (by: number) => {
    setFound(null);
    setPlace((now) => (now + by + samples.length) % samples.length);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by && samples.length > 0) {
      event.preventDefault();
      step(by);
    }
  };
  const standsFor = shown?.picks.map(names.pick).join(" · ");
  return (
    <Section title={say("review.read")}>
      {!shown && (
        <Text>{say(review.archived ? "review.archived_samples" : "review.no_message")}</Text>
      )}
      {shown && (
        <>
          <Steps
            samples={samples}
            place={found ? null : place}
            onStep={step}
            onPlace={(to) => {
              setFound(null);
              setPlace(to);
            }}
          />
          <Box role="group" aria-label={say("review.sample_keys")} tabIndex={0} onKeyDown={onKey}>
            <Stack gap={3}>
              <Text role="status" color="fg.muted" fontSize="sm">
                {found
                  ? say("review.found_one", { id: found.recipient_id })
                  : say("review.sample_of", { place: place + 1, count: samples.length })}
                {standsFor && ` · ${standsFor}`}
              </Text>
              <PhoneFrame message={shown} />
              <MessageFacts key={shown.position} message={shown} review={review} />
            </Stack>
          </Box>
        </>
      )}
      {!review.archived && review.targeted > 0 && (
        <FindRecipient review={review} onFound={setFound} />
      )}
    </Section>
  );
}

type StepsProps = {
  samples: Message[];
  place: number | null;
  onStep: (by: number) => void;
  onPlace: (place: number) => void;
};

/** Back and on, and a way to each kind that a sample stands for. */
function Steps({ samples, place, onStep, onPlace }: StepsProps) {
  const say = useSay();
  const names = useNames();
  const kinds = samples.flatMap(({ picks }, at) => picks.map((pick) => ({ pick, at })));
  if (samples.length === 0) {
    return null;
  }
  return (
    <HStack wrap="wrap" gap={2}>
      <Button size="sm" variant="outline" onClick={() => onStep(-1)}>
        <span aria-hidden="true">◀</span> {say("review.before")}
      </Button>
      <Button size="sm" variant="outline" onClick={() => onStep(1)}>
        {say("review.next")} <span aria-hidden="true">▶</span>
      </Button>
      {kinds.map(({ pick, at }) => (
        <Button
          key={pick}
          size="xs"
          variant={at === place ? "subtle" : "ghost"}
          aria-pressed={at === place}
          onClick={() => onPlace(at)}
        >
          {names.pick(pick)}
        </Button>
      ))}
    </HStack>
  );
}
