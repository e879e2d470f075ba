import { Badge, Box, HStack, Stack, Text } from "@chakra-ui/react";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { isUndecided } from "./Standing";
import type { Review } from "./shapes";

const COLOURS = { error: "red", warning: "orange", info: "gray" } as const;

/** What the preparation said, errors first; an error blocks Send. */
export function Log({ review }: { review: Review }) {
  const say = useSay();
  const lines = review.log;
  if (lines.length === 0) {
    return null;
  }
  const told = lines.map((line, place) => ({ ...line, key: `${place} ${line.event}` }));
  return (
    <Section title={say("review.log")}>
      <Stack as="ul" gap={2} listStyleType="none">
        {told.map((line) => (
          <HStack as="li" key={line.key} alignItems="start" gap={3}>
            <Box minW="6rem">
              <Badge colorPalette={COLOURS[line.level]}>{say(`review.level_${line.level}`)}</Badge>
            </Box>
            <Box minW={0}>
              <Text overflowWrap="anywhere">{line.problem}</Text>
              {line.level === "error" && isUndecided(review) && (
                <Text color="fg.muted" fontSize="sm">
                  {say("review.blocks")}
                </Text>
              )}
            </Box>
          </HStack>
        ))}
      </Stack>
    </Section>
  );
}
