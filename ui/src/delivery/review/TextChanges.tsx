import { Box, Heading, Stack } from "@chakra-ui/react";
import { ScrollBox } from "~/parts/ScrollBox";
import { useSay } from "~/words/useSay";
import type { Changes } from "./shapes";

/** What changed in the texts of the template: lines with a sign before them, as in any diff. */
export function TextChanges({ texts }: { texts: Changes["template"] }) {
  const say = useSay();
  return texts.map(({ part, diff }) => {
    const title = part === "body" ? say("review.text_body") : say("review.text_of", { part });
    return (
      <Stack key={part} gap={1}>
        <Heading as="h3" size="sm">
          {title}
        </Heading>
        <ScrollBox label={title}>
          <Box as="pre" bg="bg.subtle" borderRadius="md" p={3} fontSize="sm" whiteSpace="pre-wrap">
            {linesOf(diff).map(({ key, text, color }) => (
              <Box key={key} color={color} overflowWrap="anywhere">
                {text}
              </Box>
            ))}
          </Box>
        </ScrollBox>
      </Stack>
    );
  });
}

/** The lines of a unified diff without its head. */
function linesOf(diff: string[]) {
  const colours: Record<string, string> = { "+": "green.fg", "-": "red.fg" };
  return diff
    .slice(2)
    .filter((line) => !line.startsWith("@@"))
    .map((text, place) => ({ key: `${place}`, text, color: colours[text[0] ?? ""] ?? "fg" }));
}
